"""WhatsApp's webhook. The signature is over the raw bytes, before anything parses them."""

import hashlib
import hmac
import json

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from app import db, logs
from app.agents import booking_graph
from app.config import settings
from app.fsm.threads import redis

router = APIRouter()
log = logs.get("webhook")
_SEEN_S = 7 * 86_400
MAX_BYTES = 3 * 1024 * 1024


def phone_number_id(slug: str) -> str:
    """Which of the business's numbers is this tenant's."""
    return str(10**14 + int(hashlib.sha256(slug.encode()).hexdigest()[:12], 16) % 10**14)


def signed(raw: bytes, header: str | None) -> bool:
    secret = settings.whatsapp_app_secret
    if not secret or not header or not header.startswith("sha256="):
        return False
    wanted = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, header.removeprefix("sha256="))


@router.get("/webhooks/whatsapp")
async def handshake(request: Request):
    asked = request.query_params
    wanted = settings.whatsapp_verify_token
    if asked.get("hub.mode") == "subscribe" and wanted and asked.get("hub.verify_token") == wanted:
        return PlainTextResponse(asked.get("hub.challenge", ""))
    log.warning("webhook.whatsapp handshake refused")
    return JSONResponse({"detail": "verify_token does not match"}, status_code=403)


@router.post("/webhooks/whatsapp")
async def inbound(request: Request):
    raw = await request.body()
    if len(raw) > MAX_BYTES:
        return JSONResponse({"detail": "too large"}, status_code=413)
    valid = signed(raw, request.headers.get("x-hub-signature-256"))
    if not valid and settings.whatsapp_verify_signature:
        log.warning("webhook.whatsapp", signature_valid=False)
        return JSONResponse({"detail": "signature does not match"}, status_code=403)
    try:
        payload = json.loads(raw)
    except ValueError:
        return JSONResponse({"detail": "not JSON"}, status_code=400)
    messages = list(_messages(payload))
    if not messages:
        log.info("webhook.whatsapp", signature_valid=valid, messages=0)
    tenants = {phone_number_id(one["slug"]): one for one in await db.active_tenants()} if messages else {}
    for number_id, message in messages:
        await _handle(tenants.get(number_id), number_id, message, valid)
    return {"status": "ok"}


def _messages(payload: dict):
    for entry in payload.get("entry") or []:
        for change in entry.get("changes") or []:
            value = change.get("value") or {}
            for message in value.get("messages") or []:
                yield (value.get("metadata") or {}).get("phone_number_id"), message


async def _handle(tenant: dict | None, number_id: str, message: dict, valid: bool) -> None:
    if tenant is None:
        log.warning("webhook.whatsapp unknown_number", phone_number_id=number_id)
        return
    if not await redis.set(f"ratiba:wamid:{message['id']}", 1, nx=True, ex=_SEEN_S):
        log.info("webhook.whatsapp duplicate", tenant=tenant["slug"])
        return
    text = (message.get("text") or {}).get("body", "")
    # What a customer writes is in the log, as a field and never as an event.
    log.info("webhook.whatsapp message", tenant=tenant["slug"], text=text)
    thread_id, answer = await booking_graph.turn(tenant, "whatsapp", message["from"], text)
    log.info(
        "webhook.whatsapp", signature_valid=valid, tenant=tenant["slug"], thread_id=thread_id,
        messages=1, wamid=message["id"],
    )
    await send(number_id, message["from"], answer)


async def send(number_id: str, to: str, text: str) -> None:
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
    try:
        async with httpx.AsyncClient(base_url=settings.meta_graph_url, timeout=5) as client:
            answer = await client.post(
                f"/v23.0/{number_id}/messages",
                json=body,
                headers={"Authorization": f"Bearer {settings.whatsapp_access_token}"},
            )
        if answer.status_code != 200:
            log.error("whatsapp.send refused", status=answer.status_code)
    except httpx.HTTPError as failure:
        log.error("whatsapp.send failed", error=type(failure).__name__)
