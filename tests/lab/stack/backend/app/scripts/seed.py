"""Fills an empty stack: migrations, tenants, threads, trunks. What is there already stays as it is.

    python -m app.scripts.seed
"""

import json
import random
import time
import uuid
from datetime import datetime, timedelta, timezone

import psycopg
from alembic import command
from alembic.config import Config
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver
from redis import Redis
from redis.exceptions import RedisError

from app import tenancy
from app.config import settings
from app.fsm import states, threads
from app.scripts.seed_data import KNOWLEDGE, TENANTS

EAT = timezone(timedelta(hours=3))
NOW = datetime.now(timezone.utc)
OUTCOMES = [("paid", 0, "The service request is processed successfully.")] * 8 + [
    ("cancelled", 1032, "Request cancelled by user"),
    ("cancelled", 1032, "Request cancelled by user"),
    ("failed", 1037, "DS timeout user cannot be reached"),
    ("failed", 1, "The balance is insufficient for the transaction"),
]
SEEDED = "lab:seeded"
RESTING = [states.GREET, states.COLLECT_SERVICE, states.COLLECT_SLOT, states.COLLECT_SLOT, states.PAYMENT_CANCELLED_BY_CUSTOMER, states.BOOKED]


def pick(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def new_id(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def thread_id(rng: random.Random, at: datetime) -> str:
    return threads.ulid(int(at.timestamp() * 1000), rng.getrandbits(80).to_bytes(10, "big"))


def catalogue(conn, rng: random.Random, tenant: dict) -> tuple[list, list]:
    staff, services = [], []
    for name, hours in tenant["staff"]:
        person = new_id(rng)
        conn.execute("INSERT INTO staff (id, name, is_active) VALUES (%s, %s, %s)", (person, name, hours is not None))
        for day, start, end in hours or ():
            conn.execute(
                "INSERT INTO staff_schedules (staff_id, day_of_week, start_time, end_time) VALUES (%s, %s, %s, %s)",
                (person, day, start, end),
            )
        if hours:
            staff.append(person)
    lunch = (datetime.now(EAT) + timedelta(days=2)).replace(hour=13, minute=0, second=0, microsecond=0)
    conn.execute(
        "INSERT INTO staff_blocks (staff_id, starts_at, ends_at, reason) VALUES (%s, %s, %s, 'lunch'), (%s, %s, %s, 'training')",
        (staff[0], lunch, lunch + timedelta(hours=1), staff[1], lunch + timedelta(days=1), lunch + timedelta(days=1, hours=3)),
    )
    for name, category, minutes in tenant["services"]:
        service = new_id(rng)
        conn.execute("INSERT INTO services VALUES (%s, %s, %s, %s, true)", (service, name, category, minutes))
        services.append(service)
    for number, (category, title, body) in enumerate(KNOWLEDGE):
        conn.execute(
            "INSERT INTO knowledge_snippets (category, title, body, is_active, priority, created_at) VALUES (%s,%s,%s,%s,%s,%s)",
            (category, title, body.format(**tenant), number != 10, 10 - number % 5, NOW - timedelta(days=90 - number)),
        )
    return staff, services


def history(conn, rng: random.Random, tenant: dict, staff: list, services: list) -> None:
    """Payments that have ended, over the last fortnight."""
    for number in range(tenant["payments"]):
        at = NOW - timedelta(minutes=30 + number * 14 * 1440 / tenant["payments"] + rng.randrange(60))
        state, code, desc = OUTCOMES[rng.randrange(len(OUTCOMES))]
        msisdn = "2547" + pick(rng, "0123456789", 8)
        checkout = f"ws_CO_{at.astimezone(EAT):%d%m%Y%H%M%S}{rng.randrange(1000):03d}{msisdn[-9:]}"
        merchant = f"{rng.randrange(10000, 99999)}-{rng.randrange(10**7, 10**8)}-1"
        talk, booking, payment = thread_id(rng, at), new_id(rng), new_id(rng)
        receipt = "T" + pick(rng, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 9) if code == 0 else None
        conn.execute(
            "INSERT INTO bookings VALUES (%s, %s, %s, %s, %s, %s)",
            (booking, talk, rng.choice(staff), rng.choice(services), at + timedelta(days=3), "confirmed" if code == 0 else "released"),
        )
        conn.execute(
            "INSERT INTO payments VALUES (%s,%s,%s,%s,%s,'KES',%s,%s,%s,%s,%s,%s,%s,%s)",
            (
                payment, talk, booking, state, 100 * rng.choice([500, 500, 500, 1000, 1500]), msisdn, checkout, merchant,
                code, desc, receipt, at, at + timedelta(seconds=rng.randrange(6, 45)),
            ),
        )
        conn.execute(
            "INSERT INTO public.payment_routing VALUES (%s, %s, %s, %s, %s)", (checkout, tenant["slug"], payment, talk, at)
        )


def resting_threads(redis: Redis, conn, rng: random.Random, tenant: dict, index: int) -> None:
    """Customers who are thinking it over. The lab keeps these threads young while nobody touches them."""
    saver = PostgresSaver(conn)
    booked = "book_" + tenant["services"][0][1]
    for number, state in enumerate(RESTING):
        talk = thread_id(rng, NOW - timedelta(minutes=3, seconds=number))
        thread = threads.fresh(tenant["slug"], "voice" if number == 1 else "whatsapp")
        thread["state"] = state
        if state != states.GREET:
            thread["intent"] = booked
        key = threads.PREFIX + talk
        # Older threads of Ratiba are hashes; both kinds are alive.
        if number == 3 and index < 2:
            redis.hset(key, mapping={name: "" if value is None else value for name, value in thread.items()})
        else:
            redis.set(key, json.dumps(thread))
        redis.hset("lab:resting", talk, state)
        remember(saver, talk, state)


def remember(saver: PostgresSaver, talk: str, state: str) -> None:
    config = {"configurable": {"thread_id": talk, "checkpoint_ns": ""}}
    messages = []
    for step in range(3):
        messages = [*messages, {"role": "user", "content": f"message {step}"}, {"role": "assistant", "content": "Karibu!"}]
        version = f"{step + 1:032d}.0"
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"messages": messages, "state": state}
        checkpoint["channel_versions"] = {"messages": version, "state": version}
        config = saver.put(
            config, checkpoint, {"source": "loop", "step": step, "parents": {}}, checkpoint["channel_versions"]
        )
        saver.put_writes(config, [("messages", messages[-1])], str(uuid.uuid4()))


def trunks(redis: Redis) -> None:
    """LiveKit keeps its SIP trunks and dispatch rules in the same Redis."""
    redis.hset("sip_inbound_trunk", "ST_nbo254in01", json.dumps({"sip_trunk_id": "ST_nbo254in01", "name": "Safaricom SIP", "numbers": ["+254205000100"], "auth_username": "ratiba", "auth_password": "trunk-secret"}))
    redis.hset("sip_outbound_trunk", "ST_nbo254out1", json.dumps({"sip_trunk_id": "ST_nbo254out1", "name": "Safaricom SIP out", "address": "sip.example.co.ke", "numbers": ["+254205000100"]}))
    redis.hset("sip_dispatch_rule", "SDR_voicebook1", json.dumps({"sip_dispatch_rule_id": "SDR_voicebook1", "rule": {"dispatch_rule_individual": {"room_prefix": "call-"}}, "trunk_ids": ["ST_nbo254in01"]}))


def wait_for_stores(redis: Redis, seconds: float = 60) -> None:
    """Seeding starts together with the stores: the first cluster takes its time."""
    until = time.monotonic() + seconds
    while True:
        try:
            tenancy.connect().close()
            redis.ping()
            return
        except (psycopg.OperationalError, RedisError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def main() -> None:
    redis = Redis(host=settings.redis_host, password=settings.redis_password, decode_responses=True)
    wait_for_stores(redis)
    command.upgrade(Config("/app/alembic.ini"), "head")
    with tenancy.connect() as conn:
        known = {row["slug"] for row in conn.execute("SELECT slug FROM public.tenants")}
        for index, tenant in enumerate(TENANTS):
            rng = random.Random(f"ratiba-lab {tenant['slug']}")
            if tenant["slug"] not in known:
                tenancy.create(conn, tenant["slug"], tenant["name"], tenant["vertical"])
                with conn.transaction():
                    staff, services = catalogue(conn, rng, tenant)
                    history(conn, rng, tenant, staff, services)
            if not redis.exists(SEEDED):
                tenancy.enter(conn, tenant["slug"])
                resting_threads(redis, conn, rng, tenant, index)
        conn.execute("ANALYZE")
    if not redis.exists(SEEDED):
        trunks(redis)
        redis.set(SEEDED, threads.now())
    print(f"seeded {len(TENANTS) - len(known)} tenants")


if __name__ == "__main__":
    main()
