"""Meta's Graph API, and its webhook calls to the backend."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections import deque

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from standins import ngrok
from standins.control import Control

APP_ID = os.environ.get("META_APP_ID", "")
WEBHOOK = os.environ.get("BACKEND_URL", "http://backend:8010") + "/webhooks/whatsapp"
# app_secret: what Meta signs with. fail: null, or a status with which messages are refused.
# retries: how often a webhook call is repeated that was not answered with 200.
control = Control(
    app={"app_secret": os.environ.get("LAB_META_APP_SECRET", "")},
    messages={"fail": None},
    webhook={"retries": 2, "retry_after_s": 15},
)
outbox: deque = deque(maxlen=200)
last_reply: dict[str, str] = {}
app = FastAPI(title="Meta Graph API")


def oauth_error(status: int, message: str, code: int) -> JSONResponse:
    body = {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": secrets.token_hex(8)}}
    return JSONResponse(body, status_code=status)


@app.post("/{version}/{number_id}/messages")
async def send(version: str, number_id: str, request: Request):
    if control["messages"]["fail"]:
        return oauth_error(control["messages"]["fail"], "Service temporarily unavailable", 2)
    if not request.headers.get("authorization", "").startswith("Bearer EAA"):
        return oauth_error(401, "Invalid OAuth access token", 190)
    body = await request.json()
    to, text = str(body.get("to")), (body.get("text") or {}).get("body", "")
    outbox.append({"at": time.time(), "from_number_id": number_id, "to": to, "text": text})
    last_reply[to] = text
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, "wa_id": to}],
        "messages": [{"id": wamid(to)}],
    }


@app.get("/oauth/access_token")
@app.post("/oauth/access_token")
async def access_token(request: Request):
    asked = dict(request.query_params)
    if request.method == "POST":
        asked.update({key: value for key, _, value in (pair.partition("=") for pair in (await request.body()).decode().split("&"))})
    if asked.get("client_id") != APP_ID:
        return oauth_error(400, "Error validating application. Cannot get application info due to a system error.", 101)
    if asked.get("client_secret") != control["app"]["app_secret"]:
        return oauth_error(400, "Error validating client secret.", 1)
    return {"access_token": f"{APP_ID}|{secrets.token_urlsafe(20)}", "token_type": "bearer"}


def wamid(msisdn: str) -> str:
    inner = b"\x1d\x0c" + msisdn.encode() + b"\x15\x02\x00\x12\x18\x14" + secrets.token_hex(10).upper().encode() + b"\x00"
    return "wamid." + base64.b64encode(inner).decode()


def phone_number_id(tenant: str) -> str:
    return str(10**14 + int(hashlib.sha256(tenant.encode()).hexdigest()[:12], 16) % 10**14)


def envelope(tenant: str, msisdn: str, text: str) -> bytes:
    number = phone_number_id(tenant)
    message = {"from": msisdn, "id": wamid(msisdn), "timestamp": str(int(time.time())), "type": "text", "text": {"body": text}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "254205000100", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Customer"}, "wa_id": msisdn}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}).encode()


async def inbound(tenant: str, msisdn: str, text: str, secret: str | None = None, retries: int | None = None) -> int:
    """A customer's message, delivered to the webhook as Meta does; the last status."""
    body = envelope(tenant, msisdn, text)
    status = 0
    retries = control["webhook"]["retries"] if retries is None else retries
    for attempt in range(1 + retries):
        if attempt:
            await asyncio.sleep(control["webhook"]["retry_after_s"])
        key = (control["app"]["app_secret"] if secret is None else secret).encode()
        signature = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        status = await ngrok.deliver(
            WEBHOOK, "POST", body, {"content-type": "application/json", "x-hub-signature-256": signature}
        )
        if status == 200:
            break
    return status


@app.post("/_control/inbound")
async def inbound_now(request: Request):
    """{"tenant", "text", "from"?, "forged"?}: one message now, without repeats."""
    asked = await request.json()
    msisdn = str(asked.get("from", "254711000001"))
    secret = "forged" if asked.get("forged") else None
    status = await inbound(asked["tenant"], msisdn, asked.get("text", "Habari"), secret, 0)
    return {"status": status, "reply": last_reply.get(msisdn)}


@app.get("/_control/outbox")
async def sent(limit: int = 50):
    return {"messages": list(outbox)[-limit:]}


async def forget() -> None:
    outbox.clear()
    last_reply.clear()


app.include_router(control.router(lambda: {"sent": len(outbox)}, forget))
