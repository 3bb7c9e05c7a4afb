"""LiveKit's server: signal port, RTC port, and the twirp API with its access tokens."""

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import sys
import time
from pathlib import Path

import jwt
import uvicorn
import yaml
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from standins.control import Control, log_to_stdout
from standins.server import Server

log = logging.getLogger("livekit")
KNOWN = {
    "": {"port", "bind_addresses", "rtc", "redis", "keys", "logging", "room", "turn", "webhook", "prometheus_port", "development"},
    "rtc": {"tcp_port", "udp_port", "port_range_start", "port_range_end", "use_external_ip", "node_ip", "stun_servers", "use_ice_lite"},
    "redis": {"address", "username", "password", "db"},
}
LISTS = {
    "ListSIPInboundTrunk": "sip_inbound_trunk",
    "ListSIPOutboundTrunk": "sip_outbound_trunk",
    "ListSIPDispatchRule": "sip_dispatch_rule",
}
# stale: the node's own statistics are old, `/` says Not Ready.
control = Control(node={"stale": False})
rooms: dict[str, dict] = {}
app = FastAPI(title="LiveKit")
redis: Redis | None = None


def read_config(path: str) -> dict:
    config = yaml.safe_load(Path(path).read_text()) or {}
    for section, known in KNOWN.items():
        given = config if not section else config.get(section) or {}
        unknown = set(given) - known
        if unknown:
            name = sorted(unknown)[0]
            sys.exit(f"could not parse config: yaml: unmarshal errors: field {name} not found in type config.Config")
    return config


def keys() -> dict[str, str]:
    name, _, secret = os.environ.get("LIVEKIT_KEYS", "").partition(":")
    return {name.strip(): secret.strip()}


def twirp_error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "msg": message}, status_code=status)


def grants(request: Request) -> dict:
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
    secret = keys().get(issuer)
    if not secret:
        raise jwt.InvalidTokenError("invalid API key")
    return jwt.decode(token, secret, algorithms=["HS256"], options={"require": ["exp"]})


@app.get("/")
async def ready():
    if control["node"]["stale"]:
        return PlainTextResponse("Not Ready", status_code=406)
    return PlainTextResponse("OK")


@app.post("/twirp/livekit.{service}/{method}")
async def twirp(service: str, method: str, request: Request):
    if not request.headers.get("authorization"):
        return twirp_error(401, "unauthenticated", "permissions denied")
    try:
        claims = grants(request)
    except jwt.PyJWTError as problem:
        return PlainTextResponse(f"invalid token: {problem}", status_code=401)
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        return twirp_error(400, "malformed", "the json request could not be decoded")
    if service == "SIP":
        return await sip(method, body, claims.get("sip") or {})
    if service == "RoomService":
        return room_service(method, body, claims.get("video") or {})
    return twirp_error(404, "bad_route", f"no handler for path {request.url.path}")


async def sip(method: str, body: dict, grant: dict):
    if not grant.get("admin"):
        return twirp_error(401, "unauthenticated", "permissions denied")
    if method not in LISTS and method not in CHANGES:
        return twirp_error(404, "bad_route", f"no handler for {method}")
    if redis is None:
        return twirp_error(500, "internal", "sip not connected (redis required)")
    try:
        if method in LISTS:
            return {"items": [json.loads(item) for item in await redis.hvals(LISTS[method])]}
        return await CHANGES[method](body)
    except (RedisError, OSError) as problem:
        return twirp_error(500, "internal", f"redis: {type(problem).__name__}")


def new_id(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(12).replace("-", "a").replace("_", "b")[:12]


async def create_trunk(body: dict):
    trunk = dict(body.get("trunk") or {})
    if trunk.get("sip_trunk_id"):
        return twirp_error(400, "invalid_argument", "trunk id must not be set")
    if not any(trunk.get(part) for part in ("auth_username", "auth_password", "allowed_addresses", "numbers")):
        return twirp_error(400, "invalid_argument", "for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers")
    trunk["sip_trunk_id"] = new_id("ST_")
    await redis.hset("sip_inbound_trunk", trunk["sip_trunk_id"], json.dumps(trunk))
    return trunk


async def delete_trunk(body: dict):
    for key in ("sip_inbound_trunk", "sip_outbound_trunk"):
        if found := await redis.hget(key, str(body.get("sip_trunk_id"))):
            await redis.hdel(key, body["sip_trunk_id"])
            return json.loads(found)
    return twirp_error(404, "not_found", "requested sip trunk does not exist")


async def create_rule(body: dict):
    rule = dict(body.get("dispatch_rule") or {part: body[part] for part in ("rule", "trunk_ids", "name") if part in body})
    if not rule.get("rule"):
        return twirp_error(400, "invalid_argument", "missing rule")
    rule["sip_dispatch_rule_id"] = new_id("SDR_")
    await redis.hset("sip_dispatch_rule", rule["sip_dispatch_rule_id"], json.dumps(rule))
    return rule


async def update_rule(body: dict):
    found = await redis.hget("sip_dispatch_rule", str(body.get("sip_dispatch_rule_id")))
    if not found:
        return twirp_error(404, "not_found", "requested sip dispatch rule does not exist")
    rule, update = json.loads(found), (body.get("update") or {}).get("trunk_ids") or {}
    if update.get("clear"):
        rule["trunk_ids"] = []
    elif update.get("set"):
        rule["trunk_ids"] = list(update["set"])
    await redis.hset("sip_dispatch_rule", rule["sip_dispatch_rule_id"], json.dumps(rule))
    return rule


async def delete_rule(body: dict):
    found = await redis.hget("sip_dispatch_rule", str(body.get("sip_dispatch_rule_id")))
    if not found:
        return twirp_error(404, "not_found", "requested sip dispatch rule does not exist")
    await redis.hdel("sip_dispatch_rule", body["sip_dispatch_rule_id"])
    return json.loads(found)


CHANGES = {
    "CreateSIPInboundTrunk": create_trunk,
    "DeleteSIPTrunk": delete_trunk,
    "CreateSIPDispatchRule": create_rule,
    "UpdateSIPDispatchRule": update_rule,
    "DeleteSIPDispatchRule": delete_rule,
}


def room_service(method: str, body: dict, grant: dict):
    needed = {"ListRooms": "roomList", "CreateRoom": "roomCreate", "DeleteRoom": "roomCreate", "ListParticipants": "roomAdmin"}
    if method not in needed:
        return twirp_error(404, "bad_route", f"no handler for {method}")
    if not grant.get(needed[method]):
        return twirp_error(401, "unauthenticated", "permissions denied")
    name = body.get("room") or body.get("name")
    if method == "ListRooms":
        wanted = body.get("names") or list(rooms)
        return {"rooms": [rooms[one]["room"] for one in wanted if one in rooms]}
    if method == "CreateRoom":
        room = {"sid": f"RM_{abs(hash(name)) % 10**12:012d}", "name": name, "metadata": body.get("metadata", ""), "creation_time": str(int(time.time())), "num_participants": 0}
        return rooms.setdefault(name, {"room": room, "participants": []})["room"]
    if name not in rooms:
        return twirp_error(404, "not_found", "requested room does not exist")
    if method == "DeleteRoom":
        rooms.pop(name)
        return {}
    return {"participants": rooms[name]["participants"]}


@app.post("/_control/rooms")
async def put_room(request: Request):
    """{"name", "participants": ["caller"]}: a room with people in it."""
    asked = await request.json()
    people = [{"sid": f"PA_{index:012d}", "identity": who, "state": "ACTIVE"} for index, who in enumerate(asked.get("participants", []))]
    room = {"sid": f"RM_{len(rooms):012d}", "name": asked["name"], "metadata": "", "creation_time": str(int(time.time())), "num_participants": len(people)}
    rooms[asked["name"]] = {"room": room, "participants": people}
    return room


async def forget() -> None:
    rooms.clear()


app.include_router(control.router(lambda: {"rooms": [one["room"] for one in rooms.values()]}, forget))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    log_to_stdout()
    config = read_config(parser.parse_args().config)
    rtc = config.get("rtc") or {}
    global redis
    if address := (config.get("redis") or {}).get("address"):
        host, _, port = address.partition(":")
        redis = Redis(host=host, port=int(port or 6379), password=os.environ.get("REDIS_PASSWORD"), decode_responses=True, socket_timeout=3)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    port, tcp = config.get("port", 7880), rtc.get("tcp_port", 7881)
    await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", tcp)
    asyncio.create_task(Server(app, port).serve())
    log.info("starting LiveKit server portHttp=%s rtc.portTCP=%s nodeIP=%s", port, tcp, rtc.get("node_ip", ""))
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
