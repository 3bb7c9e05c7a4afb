"""Safaricom's Daraja: M-Pesa Express (STK push) and its query."""

import base64
import time
from datetime import datetime, timedelta, timezone

import httpx

from app.config import settings

EAT = timezone(timedelta(hours=3))
INVALID_TOKEN = "404.001.03"
_token: tuple[str, float] = ("", 0.0)


class DarajaError(Exception):
    """An error answer. It comes at once, before any prompt exists."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(f"{code} {message}")
        self.status, self.code, self.message = status, code, message


def _password() -> dict:
    stamp = datetime.now(EAT).strftime("%Y%m%d%H%M%S")
    plain = f"{settings.daraja_shortcode}{settings.daraja_passkey}{stamp}"
    return {"Password": base64.b64encode(plain.encode()).decode(), "Timestamp": stamp}


async def _call(client: httpx.AsyncClient, path: str, body: dict, retried: bool = False) -> dict:
    global _token
    answer = await client.post(path, json=body, headers={"Authorization": f"Bearer {await _bearer(client)}"})
    try:
        return _read(answer)
    except DarajaError as failure:
        if failure.code != INVALID_TOKEN or retried:
            raise
        _token = ("", 0.0)
        return await _call(client, path, body, retried=True)


def _read(answer: httpx.Response) -> dict:
    try:
        data = answer.json()
    except ValueError:
        raise DarajaError(answer.status_code, "", "the answer is not JSON") from None
    if answer.status_code != 200 or "errorCode" in data:
        raise DarajaError(answer.status_code, data.get("errorCode", ""), data.get("errorMessage", ""))
    return data


async def _bearer(client: httpx.AsyncClient) -> str:
    global _token
    if _token[1] < time.monotonic():
        answer = await client.get(
            "/oauth/v1/generate",
            params={"grant_type": "client_credentials"},
            auth=(settings.daraja_consumer_key, settings.daraja_consumer_secret),
        )
        data = _read(answer)
        _token = (data["access_token"], time.monotonic() + int(data["expires_in"]) - 60)
    return _token[0]


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=settings.daraja_base_url, timeout=8)


async def push(shortcode: str, msisdn: str, amount: int, callback_url: str, reference: str) -> dict:
    async with _client() as client:
        return await _call(
            client,
            "/mpesa/stkpush/v1/processrequest",
            {
                "BusinessShortCode": shortcode,
                **_password(),
                "TransactionType": "CustomerPayBillOnline",
                "Amount": amount,
                "PartyA": msisdn,
                "PartyB": shortcode,
                "PhoneNumber": msisdn,
                "CallBackURL": callback_url,
                "AccountReference": reference[:12],
                "TransactionDesc": "Deposit",
            },
        )


async def query(checkout_request_id: str) -> dict:
    async with _client() as client:
        return await _call(
            client,
            "/mpesa/stkpushquery/v1/query",
            {
                "BusinessShortCode": settings.daraja_shortcode,
                **_password(),
                "CheckoutRequestID": checkout_request_id,
            },
        )
