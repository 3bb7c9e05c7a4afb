"""A payment's way: prepared with the booking, pushed to the phone, settled by callback or query."""

import uuid

import httpx
from arq import create_pool
from arq.connections import RedisSettings
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app import db, logs
from app.config import settings
from app.fsm import states, threads
from app.payments import daraja

log = logs.get("payments")
REDIS = RedisSettings(
    host=settings.redis_host,
    password=settings.redis_password,
    conn_retries=3,
    conn_retry_delay=1,
    retry=Retry(ConstantBackoff(1), 600),
    retry_on_error=[RedisConnectionError, RedisTimeoutError],
)
DEPOSIT_MINOR = 50_000
CANCELLED = 1032
_queue = None


async def queue():
    global _queue
    if _queue is None:
        _queue = await create_pool(REDIS, default_queue_name=settings.arq_queue)
    return _queue


async def prepare(conn, thread_id: str, booking_id: uuid.UUID, msisdn: str) -> uuid.UUID:
    payment_id = uuid.uuid4()
    await conn.execute(
        "INSERT INTO payments (id, thread_id, booking_id, state, amount_minor, currency, msisdn)"
        " VALUES (%s, %s, %s, 'pending', %s, 'KES', %s)",
        (payment_id, thread_id, booking_id, DEPOSIT_MINOR, msisdn),
    )
    return payment_id


async def push_once(tenant: dict, payment_id: str) -> None:
    """Pushes a payment that has not been pushed yet."""
    slug = tenant["slug"]
    async with db.tenant(slug) as conn:
        found = await conn.execute("SELECT * FROM payments WHERE id = %s AND state = 'pending' FOR UPDATE", (payment_id,))
        payment = await found.fetchone()
        if payment is None:
            return
        said = {"tenant": slug, "thread_id": payment["thread_id"], "payment_id": payment_id, "msisdn": payment["msisdn"]}
        try:
            answer = await daraja.push(
                tenant["daraja_shortcode"],
                payment["msisdn"],
                payment["amount_minor"] // 100,
                tenant["daraja_callback_url"],
                slug.replace("_", ""),
            )
        except (daraja.DarajaError, httpx.HTTPError) as failure:
            code = getattr(failure, "code", type(failure).__name__)
            log.error("daraja.stk_push failed", errorCode=code, errorMessage=getattr(failure, "message", ""), **said)
            await conn.execute(
                "UPDATE payments SET state = 'failed', result_desc = %s, updated_at = now() WHERE id = %s",
                (str(failure), payment_id),
            )
            return
        checkout = answer["CheckoutRequestID"]
        await conn.execute(
            "UPDATE payments SET state = 'initiated', checkout_request_id = %s, merchant_request_id = %s,"
            " created_at = now(), updated_at = now() WHERE id = %s",
            (checkout, answer["MerchantRequestID"], payment_id),
        )
        await conn.execute(
            "INSERT INTO public.payment_routing (checkout_request_id, tenant_slug, payment_id, thread_id)"
            " VALUES (%s, %s, %s, %s)",
            (checkout, slug, payment_id, payment["thread_id"]),
        )
    log.info("daraja.stk_push accepted", checkout_request_id=checkout, **said)
    await (await queue()).enqueue_job(
        "reconcile_payment",
        slug,
        payment_id,
        _job_id=f"stk-reconcile:{checkout}",
        _defer_by=settings.stk_reconcile_after_s,
    )


async def settle(slug: str, checkout: str, code: int, desc: str, receipt: str | None, source: str) -> bool:
    """Ends an initiated payment. False when it had ended before."""
    state = "paid" if code == 0 else "cancelled" if code == CANCELLED else "failed"
    async with db.tenant(slug) as conn:
        found = await conn.execute(
            "UPDATE payments SET state = %s, result_code = %s, result_desc = %s, receipt = %s, updated_at = now()"
            " WHERE checkout_request_id = %s AND state = 'initiated' RETURNING id, thread_id, booking_id",
            (state, code, desc, receipt, checkout),
        )
        payment = await found.fetchone()
        if payment is None:
            return False
        await conn.execute(
            "UPDATE bookings SET state = %s WHERE id = %s",
            ("confirmed" if code == 0 else "held", payment["booking_id"]),
        )
    log.info(
        "payment settled", tenant=slug, thread_id=payment["thread_id"], checkout_request_id=checkout,
        state=state, result_code=code, receipt=receipt, source=source,
    )
    thread_id = payment["thread_id"]
    if code == 0:
        await move_thread(thread_id, states.BOOKED)
    else:
        await (await queue()).enqueue_job(
            "close_cancelled_thread", thread_id, _job_id=f"close:{checkout}", _defer_by=settings.nudge_window_s
        )
    return True


async def move_thread(thread_id: str, state: str) -> None:
    thread = await threads.load(thread_id)
    if thread and thread["state"] == states.PAYMENT_PENDING:
        await threads.save(thread_id, thread, state)
