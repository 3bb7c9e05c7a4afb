"""ElevenLabs: text to speech with a latency, a quota and a concurrency limit."""

import asyncio
import os
import random
import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from standins.control import Control

KEY = os.environ.get("ELEVENLABS_API_KEY", "")
MESSAGES = {
    "quota_exceeded": (401, "This request exceeds your quota. You have 0 credits remaining."),
    "too_many_concurrent_requests": (429, "Too many concurrent requests. Your current subscription allows 5."),
    "system_busy": (429, "We are currently experiencing heavy traffic, please try again later."),
    "invalid_api_key": (401, "Invalid API key"),
}
# fail: null, or one of MESSAGES; how the account of the lab's own key fails. delay_ms: of every answer.
# other.key: the key of another account, which never fails; null: there is none.
control = Control(
    speech={"delay_ms": 350, "jitter_ms": 120, "fail": None, "times": None},
    subscription={"character_count": 24180, "character_limit": 100000},
    other={"key": None},
)
app = FastAPI(title="ElevenLabs")


def refusal(status: str) -> JSONResponse:
    code, message = MESSAGES[status]
    return JSONResponse({"detail": {"status": status, "message": message}}, status_code=code)


def is_known(key: str | None) -> bool:
    return key is not None and key in (KEY, control["other"]["key"])


@app.post("/v1/text-to-speech/{voice_id}")
@app.post("/v1/text-to-speech/{voice_id}/stream")
async def speak(voice_id: str, request: Request):
    key = request.headers.get("xi-api-key")
    if not is_known(key):
        return refusal("invalid_api_key")
    told = control.once("speech")
    if told["fail"] in MESSAGES and key == KEY:
        return refusal(told["fail"])
    text = (await request.json()).get("text", "")
    await asyncio.sleep((told["delay_ms"] + random.uniform(0, told["jitter_ms"])) / 1000)
    control["subscription"]["character_count"] += len(text)
    headers = {"character-cost": str(len(text)), "current-concurrent-requests": "1", "maximum-concurrent-requests": "5"}
    return Response(b"ID3" + bytes(256), media_type="audio/mpeg", headers=headers)


@app.get("/v1/user/subscription")
async def subscription(request: Request):
    key = request.headers.get("xi-api-key")
    if not is_known(key):
        return refusal("invalid_api_key")
    now = control["subscription"]
    used_up = control["speech"]["fail"] == "quota_exceeded" and key == KEY
    return {
        "tier": "creator",
        "character_count": now["character_limit"] if used_up else now["character_count"],
        "character_limit": now["character_limit"],
        "next_character_count_reset_unix": int(time.time()) + 9 * 86_400,
        "status": "active",
    }


app.include_router(control.router())
