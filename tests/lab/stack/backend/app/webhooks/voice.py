"""The voice agent's turn: what the caller said in, what is spoken back out."""

import ssl
import time

import httpx
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from app import db, logs
from app.agents import booking_graph
from app.config import settings

router = APIRouter()
log = logs.get("voice")
VOICE_ID = "21m00Tcm4TlvDq8ikWAM"
# Read once: reading the certificates for each turn would be most of its time on a busy machine.
TLS = ssl.create_default_context()


class Turn(BaseModel):
    tenant: str
    caller: str
    text: str


@router.post("/voice/turn")
async def turn(said: Turn):
    tenant = next((one for one in await db.active_tenants() if one["slug"] == said.tenant), None)
    if tenant is None:
        raise HTTPException(404, "no such tenant")
    began = time.perf_counter()
    thread_id, answer = await booking_graph.turn(tenant, "voice", said.caller, said.text)
    await synthesize(tenant["slug"], thread_id, answer)
    # End to end, as far as the backend sees it: what the room adds is not in it.
    log.info("voice.turn", tenant=tenant["slug"], thread_id=thread_id, duration_ms=since(began))
    return {"thread_id": thread_id, "text": answer}


def since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


async def synthesize(tenant: str, thread_id: str, text: str) -> None:
    began = time.perf_counter()
    status, detail = None, None
    try:
        async with httpx.AsyncClient(base_url=settings.elevenlabs_base_url, timeout=15, verify=TLS) as client:
            answer = await client.post(
                f"/v1/text-to-speech/{VOICE_ID}",
                json={"text": text, "model_id": "eleven_flash_v2_5"},
                headers={"xi-api-key": settings.elevenlabs_api_key},
            )
        status = answer.status_code
        if status != 200:
            detail = (answer.json().get("detail") or {}).get("status")
    except (httpx.HTTPError, ValueError) as failure:
        detail = type(failure).__name__
    told = {
        "tenant": tenant,
        "thread_id": thread_id,
        "duration_ms": since(began),
        "characters": len(text),
        "status": status,
    }
    if status == 200:
        log.info("elevenlabs.synthesize", **told)
    else:
        log.warning("elevenlabs.synthesize", detail_status=detail, **told)
