"""Safaricom's Daraja: token, STK push, STK query, and callbacks that can go wrong."""

import asyncio
import base64
import json
import logging
import os
import random
import re
import secrets
import time
from datetime import datetime, timedelta, timezone

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from redis.exceptions import RedisError

from standins import ngrok
from standins.control import Control, lab_redis

log = logging.getLogger("daraja")
EAT = timezone(timedelta(hours=3))
KEY, SECRET = os.environ.get("DARAJA_CONSUMER_KEY", ""), os.environ.get("DARAJA_CONSUMER_SECRET", "")
PASSKEY = os.environ.get("DARAJA_PASSKEY", "")
FORBIDDEN = re.compile(r"m-?pesa|safaricom|exec?|cmd|sql|query", re.IGNORECASE)
DESC = {
    0: "The service request is processed successfully.",
    1: "The balance is insufficient for the transaction",
    17: "Rule limited",
    1019: "Transaction has expired",
    1025: "An error occurred while sending a push request",
    1032: "Request cancelled by user",
    1037: "DS timeout user cannot be reached",
    2001: "The initiator information is invalid.",
    9999: "An error occurred while sending a push request",
}

control = Control(
    # Refuses the push at once: {"error_code": "500.002.1001", "message": "…", "status": 500}.
    push={"error_code": None, "message": "", "status": 500, "times": None},
    # How the customer ends it, after `prompt_s` seconds (null: 20 to 30).
    prompt={"result_code": 0, "prompt_s": None},
    # mode: deliver | drop | delay (by delay_s) | double | misroute (another id); times: for how many pushes.
    callback={"mode": "deliver", "delay_s": 90, "times": None},
    # mode: truth | processing | result (result_code) | error (error_code, message, status).
    query={"mode": "truth", "result_code": 0, "error_code": "500.003.02", "message": "Spike arrest violation", "status": 500},
    token={"valid": True},
)
pushes: dict[str, dict] = {}
STORED = "lab:daraja:push:"
redis = lab_redis()
_tokens: set[str] = set()
_tasks: set[asyncio.Task] = set()
app = FastAPI(title="Daraja")


def error(status: int, code: str, message: str) -> JSONResponse:
    request_id = f"{secrets.token_hex(2)}-{random.randrange(10**7, 10**8)}-1"
    return JSONResponse({"requestId": request_id, "errorCode": code, "errorMessage": message}, status_code=status)


def refused(request: Request) -> JSONResponse | None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in _tokens or not control["token"]["valid"]:
        return error(404, "404.001.03", "Invalid Access Token")
    return None


@app.get("/oauth/v1/generate")
async def token(request: Request):
    wanted = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    if request.headers.get("authorization") != wanted:
        return error(400, "400.008.01", "Invalid Authentication passed")
    fresh = secrets.token_urlsafe(21)
    _tokens.add(fresh)
    return {"access_token": fresh, "expires_in": "3599"}


def wrong_password(body: dict) -> bool:
    plain = f"{body.get('BusinessShortCode')}{PASSKEY}{body.get('Timestamp')}"
    return body.get("Password") != base64.b64encode(plain.encode()).decode()


@app.post("/mpesa/stkpush/v1/processrequest")
async def push(request: Request):
    if answer := refused(request):
        return answer
    body = await request.json()
    told = control.once("push")
    if told["error_code"]:
        return error(told["status"], told["error_code"], told["message"] or "The service request failed.")
    if wrong_password(body):
        return error(500, "500.001.1001", "Wrong credentials")
    if not re.fullmatch(r"254[17]\d{8}", str(body.get("PhoneNumber"))):
        return error(400, "400.002.02", "Bad Request - Invalid PhoneNumber")
    url = str(body.get("CallBackURL", ""))
    if not re.match(r"https?://", url) or " " in url or FORBIDDEN.search(url):
        return error(400, "400.002.02", "Bad Request - Invalid CallBackURL")
    one = record(str(body["PhoneNumber"]), int(body["Amount"]), url)
    one["phone"] = True
    keep(one)
    spawn(finish(one, dict(control.once("callback"))))
    return {
        "MerchantRequestID": one["merchant_request_id"],
        "CheckoutRequestID": one["checkout_request_id"],
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    }


def record(msisdn: str, amount: int, url: str, checkout: str | None = None) -> dict:
    at = datetime.now(EAT)
    wait = control["prompt"]["prompt_s"]
    one = {
        "checkout_request_id": checkout or f"ws_CO_{at:%d%m%Y%H%M%S}{random.randrange(1000):03d}{msisdn[-9:]}",
        "merchant_request_id": f"{random.randrange(10000, 99999)}-{random.randrange(10**7, 10**8)}-1",
        "msisdn": msisdn,
        "amount": amount,
        "callback_url": url,
        "pushed_at": time.time(),
        "answers_at": time.time() + (random.uniform(20, 30) if wait is None else float(wait)),
        "result_code": int(control["prompt"]["result_code"]),
        "receipt": "T" + "".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(9)),
        # A phone that rings; a push that was only made known has none.
        "phone": False,
        "callbacks": [],
    }
    keep(one)
    return one


def spawn(work) -> None:
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def keep(one: dict) -> None:
    pushes[one["checkout_request_id"]] = one
    while len(pushes) > 2000:
        pushes.pop(next(iter(pushes)))
    spawn(_store(one))


async def _store(one: dict) -> None:
    try:
        await redis.set(STORED + one["checkout_request_id"], json.dumps(one), ex=3600)
    except (RedisError, OSError):
        log.info("a push could not be stored: a restart of this stand-in would forget it")


async def resume() -> None:
    """After a restart Daraja still knows its pushes, and the phones still answer."""
    try:
        keys = [key async for key in redis.scan_iter(STORED + "*", count=500)]
        stored = [json.loads(raw) for raw in (await redis.mget(keys) if keys else []) if raw]
    except (RedisError, OSError):
        return
    for one in sorted(stored, key=lambda one: one["pushed_at"]):
        if one["checkout_request_id"] not in pushes:
            pushes[one["checkout_request_id"]] = one
            if one["phone"] and not one["callbacks"]:
                spawn(finish(one, dict(control.once("callback"))))


async def finish(one: dict, told: dict) -> None:
    await asyncio.sleep(max(0, one["answers_at"] - time.time()))
    mode = told["mode"]
    if mode == "drop":
        one["callbacks"].append("dropped")
        keep(one)
        return
    if mode == "delay":
        await asyncio.sleep(float(told["delay_s"]))
    await call_back(one, checkout=f"ws_CO_{datetime.now(EAT):%d%m%Y%H%M%S}000700000000" if mode == "misroute" else None)
    if mode == "double":
        await asyncio.sleep(1)
        await call_back(one)


async def call_back(one: dict, code: int | None = None, checkout: str | None = None) -> int:
    code = one["result_code"] if code is None else code
    told = {
        "MerchantRequestID": one["merchant_request_id"],
        "CheckoutRequestID": checkout or one["checkout_request_id"],
        "ResultCode": code,
        "ResultDesc": DESC.get(code, "Failed"),
    }
    if code == 0:
        told["CallbackMetadata"] = {
            "Item": [
                {"Name": "Amount", "Value": float(one["amount"])},
                {"Name": "MpesaReceiptNumber", "Value": one["receipt"]},
                {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": int(datetime.now(EAT).strftime("%Y%m%d%H%M%S"))},
                {"Name": "PhoneNumber", "Value": int(one["msisdn"])},
            ]
        }
    payload = json.dumps({"Body": {"stkCallback": told}}).encode()
    status = await ngrok.deliver(one["callback_url"], "POST", payload, {"content-type": "application/json"})
    one["callbacks"].append(status)
    keep(one)
    log.info("callback of %s: %s", one["checkout_request_id"][:12], status or "unreachable")
    return status


@app.post("/mpesa/stkpushquery/v1/query")
async def query(request: Request):
    if answer := refused(request):
        return answer
    body = await request.json()
    if wrong_password(body):
        return error(500, "500.001.1001", "Wrong credentials")
    told = control["query"]
    one = pushes.get(str(body.get("CheckoutRequestID")))
    if told["mode"] == "error":
        return error(told["status"], told["error_code"], told["message"])
    if told["mode"] == "truth" and one is None:
        return error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")
    if told["mode"] == "processing" or (told["mode"] == "truth" and time.time() < one["answers_at"]):
        return error(500, "500.001.1001", "The transaction is being processed")
    code = told["result_code"] if told["mode"] == "result" else one["result_code"]
    return {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": one["merchant_request_id"] if one else "29115-34620561-1",
        "CheckoutRequestID": str(body.get("CheckoutRequestID")),
        "ResultCode": str(code),
        "ResultDesc": DESC.get(int(code), "Failed") if str(code).isdigit() else "Failed",
    }


@app.get("/_control/pushes")
async def list_pushes(limit: int = 50):
    return {"total": len(pushes), "pushes": list(pushes.values())[-limit:]}


@app.post("/_control/pushes")
async def know(request: Request):
    """Makes Daraja know a push: {"checkout_request_id", "msisdn", "amount", "callback_url", "result_code"}."""
    asked = await request.json()
    one = record(
        str(asked.get("msisdn", "254708374149")), int(asked.get("amount", 500)),
        str(asked.get("callback_url", "http://backend:8010/payments/callback/none")), asked.get("checkout_request_id"),
    )
    one["answers_at"] = time.time() + float(asked.get("prompt_s", 0))
    one["result_code"] = int(asked.get("result_code", 0))
    keep(one)
    return one


@app.post("/_control/fire")
async def fire(request: Request):
    """Sends a callback now: {"checkout_request_id", "result_code"?}."""
    asked = await request.json()
    one = pushes.get(str(asked.get("checkout_request_id")))
    if one is None:
        return JSONResponse({"error": "no such push"}, status_code=404)
    return {"status": await call_back(one, asked.get("result_code"))}


async def forget() -> None:
    """Only what is stored is still known: whoever put Redis back decides."""
    for task in _tasks:
        task.cancel()
    pushes.clear()
    await resume()


app.include_router(control.router(lambda: {"pushes": len(pushes)}, forget))
