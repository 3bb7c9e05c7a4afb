"""Where Daraja reports how a push ended."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app import db, logs
from app.payments import stk

router = APIRouter()
log = logs.get("payments.callbacks")
ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}


@router.post("/payments/callback/{slug}")
async def callback(slug: str, request: Request):
    try:
        payload = await request.json()
        told = payload["Body"]["stkCallback"]
        checkout, code = str(told["CheckoutRequestID"]), int(told["ResultCode"])
    except (KeyError, TypeError, ValueError):
        log.warning("daraja.callback malformed", tenant=slug)
        return JSONResponse({"ResultCode": 1, "ResultDesc": "Rejected"}, status_code=400)
    async with db.public() as conn:
        found = await conn.execute("SELECT * FROM public.payment_routing WHERE checkout_request_id = %s", (checkout,))
        routed = await found.fetchone()
    if routed is None:
        await unrouted(checkout, payload, "no routing row")
        return ACCEPTED
    items = {item["Name"]: item.get("Value") for item in told.get("CallbackMetadata", {}).get("Item", [])}
    desc, receipt = told.get("ResultDesc", ""), items.get("MpesaReceiptNumber")
    tenant = routed["tenant_slug"]
    if await stk.settle(tenant, checkout, code, desc, receipt, "callback"):
        return ACCEPTED
    async with db.tenant(tenant) as conn:
        found = await conn.execute("SELECT state, result_code FROM payments WHERE checkout_request_id = %s", (checkout,))
        ended = await found.fetchone()
    if ended and ended["result_code"] == code:
        log.info("daraja.callback duplicate", tenant=tenant, checkout_request_id=checkout, result_code=code)
    else:
        await unrouted(checkout, payload, "late: the payment had ended")
    return ACCEPTED


async def unrouted(checkout: str, payload: dict, reason: str) -> None:
    log.warning("daraja.callback unrouted", checkout_request_id=checkout, reason=reason)
    async with db.public() as conn:
        await conn.execute(
            "INSERT INTO public.payment_callbacks_unrouted (checkout_request_id, payload, reason) VALUES (%s, %s, %s)",
            (checkout, json.dumps(payload), reason),
        )
