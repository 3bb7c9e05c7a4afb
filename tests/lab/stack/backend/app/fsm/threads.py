"""A conversation's state, in Redis: `ratiba:fsm:thread:<ULID>`."""

import json
import os
import time
from datetime import datetime, timezone

from redis.asyncio import Redis

from app.config import settings
from app.fsm import states

PREFIX = "ratiba:fsm:thread:"
FIELDS = ("state", "tenant_slug", "channel", "intent", "reprompts", "entered_at", "updated_at", "payment_id")
_INDEX = "ratiba:fsm:index:"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIVE_S = 7_200
_ENDED_S = 900

redis = Redis(host=settings.redis_host, password=settings.redis_password, decode_responses=True, socket_timeout=4)


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ulid(ms: int | None = None, entropy: bytes | None = None) -> str:
    value = (ms if ms is not None else time.time_ns() // 1_000_000) << 80
    value |= int.from_bytes(entropy if entropy is not None else os.urandom(10), "big")
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def fresh(tenant: str, channel: str) -> dict:
    at = now()
    return {
        "state": states.GREET,
        "tenant_slug": tenant,
        "channel": channel,
        "intent": None,
        "reprompts": 0,
        "entered_at": at,
        "updated_at": at,
        "payment_id": None,
    }


async def of_customer(tenant: str, channel: str, msisdn: str) -> tuple[str, dict]:
    """The customer's open conversation, or a new one."""
    index = f"{_INDEX}{tenant}:{channel}:{msisdn}"
    thread_id = await redis.get(index)
    if thread_id:
        thread = await load(thread_id)
        if thread and thread["state"] not in states.ENDED:
            return thread_id, thread
    thread_id = ulid()
    await redis.set(index, thread_id, ex=_ALIVE_S)
    return thread_id, fresh(tenant, channel)


async def load(thread_id: str) -> dict | None:
    key = PREFIX + thread_id
    if await redis.type(key) == "hash":
        thread = await redis.hgetall(key)
        thread["reprompts"] = int(thread.get("reprompts") or 0)
        thread["payment_id"] = thread.get("payment_id") or None
        return thread
    raw = await redis.get(key)
    return json.loads(raw) if raw else None


async def save(thread_id: str, thread: dict, state: str | None = None) -> None:
    """Writes the thread; a new `state` restarts its clock and forgets the re-prompts."""
    thread["updated_at"] = now()
    if state is not None and state != thread["state"]:
        thread.update(state=state, entered_at=thread["updated_at"], reprompts=0)
    key = PREFIX + thread_id
    keep = _ENDED_S if thread["state"] in states.ENDED else _ALIVE_S
    if await redis.type(key) == "hash":
        await redis.hset(key, mapping={name: "" if thread[name] is None else thread[name] for name in FIELDS})
        await redis.expire(key, keep)
    else:
        await redis.set(key, json.dumps(thread), ex=keep)
