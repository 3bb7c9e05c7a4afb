"""The backend: `uvicorn app.main:app --port 8010`."""

import asyncio
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app import db, logs
from app.fsm.threads import redis
from app.payments import callbacks
from app.webhooks import voice, whatsapp

logs.configure()
log = logs.get("backend")


@asynccontextmanager
async def lifespan(app: FastAPI):
    await db.open_pool("ratiba-backend")
    log.info("backend started", pid=os.getpid())
    yield
    await db.close_pool()


app = FastAPI(title="Ratiba", lifespan=lifespan)
app.include_router(whatsapp.router)
app.include_router(voice.router)
app.include_router(callbacks.router)


async def _database() -> None:
    async with db.public() as conn:
        await conn.execute("SELECT 1")


@app.get("/health")
async def health():
    checks = {}
    for name, probe in (("database", _database), ("redis", redis.ping)):
        try:
            await asyncio.wait_for(probe(), 3)
            checks[name] = "ok"
        except Exception as failure:
            checks[name] = type(failure).__name__
    well = set(checks.values()) == {"ok"}
    return JSONResponse({"status": "ok" if well else "unavailable", **checks}, status_code=200 if well else 503)
