"""ngrok's agent (API on 4040), and with it the way from the internet to the backend."""

import base64
import os
import secrets
import time
from collections import deque
from datetime import datetime, timezone
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from standins.control import Control

BACKEND = os.environ.get("BACKEND_URL", "http://backend:8010")
ADDR = os.environ.get("BACKEND_ADDR", "http://localhost:8010")
PUBLIC = os.environ.get("PUBLIC_URL") or "https://ratiba-lab.ngrok-free.app"

# `up: false`: the agent runs, and has no tunnel. `public_url`: what a restart of a free tunnel gives.
control = Control(tunnel={"up": True, "public_url": PUBLIC, "addr": ADDR, "name": "command_line"})
requests = deque(maxlen=200)
app = FastAPI(title="ngrok agent")


def tunnel() -> dict:
    now = control["tunnel"]
    return {
        "name": now["name"],
        "ID": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "uri": f"/api/tunnels/{now['name']}",
        "public_url": now["public_url"],
        "proto": "https",
        "config": {"addr": now["addr"], "inspect": True},
        "metrics": {"http": {"count": len(requests)}, "conns": {"count": len(requests)}},
    }


async def deliver(url: str, method: str, body: bytes, headers: dict) -> int:
    """What the internet does with a request to `url`; 0: nothing answered."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.hostname in ("backend", "localhost", "127.0.0.1"):
        return await _forward(method, path, body, headers)
    now = control["tunnel"]
    if not now["up"] or parts.hostname != urlsplit(now["public_url"]).hostname:
        return 0
    began = time.time()
    reached = urlsplit(now["addr"]).port == urlsplit(ADDR).port
    status = await _forward(method, path, body, headers) if reached else 502
    raw = f"{method} {path} HTTP/1.1\r\nHost: {parts.hostname}\r\n\r\n".encode() + body
    requests.appendleft(
        {
            "uri": f"/api/requests/http/airt_{secrets.token_hex(8)}",
            "id": f"airt_{secrets.token_hex(8)}",
            "tunnel_name": now["name"],
            "remote_addr": "196.201.214.200",
            "start": datetime.fromtimestamp(began, timezone.utc).isoformat(),
            "duration": int((time.time() - began) * 1e9),
            "request": {
                "method": method,
                "proto": "HTTP/1.1",
                "headers": {key: [value] for key, value in headers.items()},
                "uri": path,
                "raw": base64.b64encode(raw).decode(),
            },
            "response": {"status": f"{status or 502}", "status_code": status or 502, "proto": "HTTP/1.1", "headers": {}, "raw": ""},
        }
    )
    return status or 502


async def _forward(method: str, path: str, body: bytes, headers: dict) -> int:
    try:
        async with httpx.AsyncClient(base_url=BACKEND, timeout=20) as client:
            answer = await client.request(method, path, content=body, headers=headers)
            return answer.status_code
    except httpx.HTTPError:
        return 0


@app.get("/api/tunnels")
async def tunnels():
    return {"tunnels": [tunnel()] if control["tunnel"]["up"] else [], "uri": "/api/tunnels"}


@app.post("/api/tunnels", status_code=201)
async def start(request: Request):
    asked = await request.json()
    control.change({"tunnel": {"up": True, "name": asked.get("name", "command_line"), "addr": str(asked.get("addr", ADDR))}})
    return tunnel()


@app.delete("/api/tunnels/{name}")
async def stop(name: str):
    if not control["tunnel"]["up"] or name != control["tunnel"]["name"]:
        return JSONResponse({"error_code": 100, "status_code": 404, "msg": "tunnel not found"}, status_code=404)
    control.change({"tunnel": {"up": False}})
    return Response(status_code=204)


@app.get("/api/requests/http")
async def seen(limit: int = 50):
    return {"uri": "/api/requests/http", "requests": list(requests)[:limit]}


@app.delete("/api/requests/http")
async def forget():
    requests.clear()
    return Response(status_code=204)


app.include_router(control.router(forget=forget))
