"""One turn of a conversation: classify, route, act, remember, answer."""

import uuid
from datetime import datetime, timedelta, timezone

from app import db, logs
from app.agents import classifier, intent_router, knowledge, memory
from app.fsm import states, threads
from app.payments import stk

log = logs.get("booking_graph")

EAT = timezone(timedelta(hours=3))
DAYS_AHEAD = 7
PUSH_AGAIN_AFTER_S = 120


async def turn(tenant: dict, channel: str, msisdn: str, text: str) -> tuple[str, str]:
    """The thread's id and the answer."""
    slug = tenant["slug"]
    thread_id, thread = await threads.of_customer(slug, channel, msisdn)
    async with db.tenant(slug) as conn:
        services = await (await conn.execute("SELECT * FROM services WHERE is_active ORDER BY name")).fetchall()
        await knowledge.check(conn, slug, thread_id)
        intent, service = classifier.classify(text, services)
        step = intent_router.route(intent, thread["state"])
        if step is None:
            answer = again(thread, "Samahani, I did not understand. What would you like to book?")
        elif step == "cancel":
            answer = await cancel(thread_id, thread)
        elif thread["state"] == states.PAYMENT_PENDING:
            answer = await pay(conn, thread_id, thread, msisdn)
        elif step == "collect_service":
            answer = await collect_service(thread_id, thread, intent, service, services)
        elif step == "choose_slot" and thread["state"] == states.COLLECT_SLOT:
            answer = await choose_slot(conn, tenant, thread_id, thread, msisdn, text)
        else:
            answer = await greet(thread_id, thread, tenant, services)
        await memory.remember(conn, thread_id, thread["state"], text, answer)
    await threads.save(thread_id, thread)
    if thread["state"] == states.PAYMENT_PENDING and thread["payment_id"] and "M-Pesa" in answer:
        await stk.push_once(tenant, thread["payment_id"])
    return thread_id, answer


def again(thread: dict, answer: str) -> str:
    thread["reprompts"] += 1
    return answer


async def greet(thread_id: str, thread: dict, tenant: dict, services: list[dict]) -> str:
    if thread["state"] == states.COLLECT_SLOT:
        return again(thread, "At what time would you like to come? For example 10:00.")
    names = ", ".join(service["name"] for service in services[:6])
    return f"Karibu {tenant['name']}! Which service would you like? {names}"


async def cancel(thread_id: str, thread: dict) -> str:
    await threads.save(thread_id, thread, states.GREET)
    thread["intent"] = None
    return "Sawa, cancelled. Which service would you like?"


async def collect_service(thread_id, thread, intent, service, services) -> str:
    thread["intent"] = intent
    if service is None or thread["state"] == states.GREET:
        await threads.save(thread_id, thread, states.COLLECT_SERVICE)
        category = intent.removeprefix("book_")
        names = ", ".join(one["name"] for one in services if one["category"] == category)
        return f"Which service exactly? {names}"
    await threads.save(thread_id, thread, states.COLLECT_SLOT)
    thread["service_id"] = str(service["id"])
    return f"{service['name']}: at what time tomorrow or after? For example 10:00."


async def choose_slot(conn, tenant, thread_id, thread, msisdn, text) -> str:
    slot = await free_slot(conn, *classifier.time_of_day(text))
    if slot is None:
        log.info("booking_graph no_slot", tenant=tenant["slug"], thread_id=thread_id, reprompts=thread["reprompts"] + 1)
        return again(thread, "That time is not free. At what other time would you like to come?")
    staff_id, starts_at = slot
    booking_id = uuid.uuid4()
    service_id = thread.get("service_id")
    if not service_id:
        first = await (await conn.execute("SELECT id FROM services WHERE is_active ORDER BY name LIMIT 1")).fetchone()
        service_id = first["id"] if first else None
    await conn.execute(
        "INSERT INTO bookings (id, thread_id, staff_id, service_id, starts_at, state) VALUES (%s,%s,%s,%s,%s,'held')",
        (booking_id, thread_id, staff_id, service_id, starts_at),
    )
    payment_id = await stk.prepare(conn, thread_id, booking_id, msisdn)
    thread["payment_id"] = str(payment_id)
    await threads.save(thread_id, thread, states.PAYMENT_PENDING)
    return f"Booked for {starts_at:%a %d %b %H:%M}. Please pay the deposit: an M-Pesa prompt is on its way."


async def pay(conn, thread_id, thread, msisdn) -> str:
    """The customer writes while a payment is open, or after it came to nothing."""
    found = await conn.execute(
        "SELECT booking_id, state, updated_at < now() - make_interval(secs => %s) AS rested FROM payments WHERE id = %s",
        (PUSH_AGAIN_AFTER_S, thread["payment_id"]),
    )
    payment = await found.fetchone()
    if payment and payment["state"] == "paid":
        await threads.save(thread_id, thread, states.BOOKED)
        return "Asante, your booking is confirmed."
    if payment and payment["state"] in ("failed", "cancelled", "expired") and payment["rested"]:
        thread["payment_id"] = str(await stk.prepare(conn, thread_id, payment["booking_id"], msisdn))
    return "Please complete the M-Pesa prompt on your phone."


async def free_slot(conn, hour: int, minute: int):
    """The next day on which somebody works at that time and is not blocked."""
    today = datetime.now(EAT).date()
    for day in range(1, DAYS_AHEAD + 1):
        date = today + timedelta(days=day)
        at = datetime(date.year, date.month, date.day, hour, minute, tzinfo=EAT)
        found = await conn.execute(
            "SELECT s.id FROM staff s JOIN staff_schedules h ON h.staff_id = s.id"
            " WHERE s.is_active AND h.day_of_week = %s AND h.start_time <= %s AND h.end_time > %s"
            " AND NOT EXISTS (SELECT 1 FROM staff_blocks b WHERE b.staff_id = s.id"
            "                 AND b.starts_at <= %s AND b.ends_at > %s)"
            " ORDER BY s.name LIMIT 1",
            (date.weekday(), at.time(), at.time(), at, at),
        )
        row = await found.fetchone()
        if row:
            return row["id"], at
    return None
