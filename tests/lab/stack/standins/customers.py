"""The lab's customers: they write and call, book and pay, so that a healthy stack looks alive.

One customer per tenant is active. The resting threads of the seed are only kept young: those in
`lab:resting` that still are in the state they were seeded with and were never re-prompted.
"""

import asyncio
import json
import logging
import os
from datetime import datetime, timezone

import httpx
from redis.exceptions import RedisError

from standins import meta, ngrok
from standins.control import lab_redis

log = logging.getLogger("customers")
PACE = float(os.environ.get("LAB_TRAFFIC_SECONDS", "40"))
PREFIX = "ratiba:fsm:thread:"
CUSTOMERS = [
    ("amani_salon", "whatsapp", "254711200301", "hair", "Box braids"),
    ("jua_auto", "voice", "254722300402", "servicing", "Oil change"),
    ("kilele_dental", "whatsapp", "254733400503", "checkup", "Dental cleaning"),
    ("safari_fitness", "whatsapp", "254110500604", "class", "Yoga class"),
    ("zuri_spa", "voice", "254745600705", "massage", "Swedish massage"),
]
redis = lab_redis()


def next_words(reply: str, category: str, service: str) -> str | None:
    """What the customer says to the last answer; nothing while the phone asks for the PIN."""
    if "M-Pesa" in reply:
        return None
    if "time" in reply:
        return "10:00 tafadhali"
    if "exactly" in reply:
        return service
    if reply:
        return f"I would like a {category} appointment"
    return "Habari"


async def say(tenant: str, channel: str, msisdn: str, text: str) -> str:
    if channel == "whatsapp":
        meta.last_reply.pop(msisdn, None)
        await meta.inbound(tenant, msisdn, text)
        return meta.last_reply.get(msisdn, "")
    try:
        async with httpx.AsyncClient(base_url=ngrok.BACKEND, timeout=20) as client:
            answer = await client.post("/voice/turn", json={"tenant": tenant, "caller": msisdn, "text": text})
        return answer.json().get("text", "") if answer.status_code == 200 else ""
    except (httpx.HTTPError, ValueError):
        return ""


async def live(index: int, tenant: str, channel: str, msisdn: str, category: str, service: str) -> None:
    await asyncio.sleep(index * PACE / len(CUSTOMERS))
    reply = ""
    while True:
        words = next_words(reply, category, service)
        if words is None:
            await asyncio.sleep(PACE)
            words = "Habari"
        try:
            reply = await say(tenant, channel, msisdn, words)
        except Exception as failure:
            log.info("customer of %s gave up: %s", tenant, type(failure).__name__)
            reply = ""
        await asyncio.sleep(PACE)


async def keep_young() -> None:
    while True:
        await asyncio.sleep(15)
        try:
            for thread, state in (await redis.hgetall("lab:resting")).items():
                await freshen(PREFIX + thread, state)
        except (RedisError, OSError, ValueError):
            continue


async def freshen(key: str, state: str) -> None:
    at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    young = {"entered_at": at, "updated_at": at}
    if await redis.type(key) == "hash":
        if await redis.hmget(key, "state", "reprompts") == [state, "0"]:
            await redis.hset(key, mapping=young)
        return
    raw = await redis.get(key)
    thread = json.loads(raw) if raw else {}
    if (thread.get("state"), thread.get("reprompts")) == (state, 0):
        await redis.set(key, json.dumps({**thread, **young}), keepttl=True, xx=True)


async def opened() -> None:
    """Nobody writes before the tenants exist."""
    while True:
        try:
            if await redis.exists("lab:seeded"):
                return
        except (RedisError, OSError):
            pass
        await asyncio.sleep(1)


async def run() -> None:
    await opened()
    tasks = [asyncio.create_task(keep_young())]
    if PACE > 0:
        tasks += [asyncio.create_task(live(index, *one)) for index, one in enumerate(CUSTOMERS)]
    await asyncio.gather(*tasks)
