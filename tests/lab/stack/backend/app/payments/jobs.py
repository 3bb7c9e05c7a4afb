"""The worker's jobs."""

import httpx
import psycopg
from arq import Retry
from psycopg_pool import PoolTimeout

from app import db, logs
from app.fsm import states
from app.payments import daraja, stk

log = logs.get("payments.jobs")
AGAIN_AFTER_S = 10


async def reconcile_payment(ctx: dict, slug: str, payment_id: str) -> str:
    """One shot: asks Daraja once how a push ended whose callback has not come.

    Only what never got through is tried again; "still being processed" is an answer.
    """
    try:
        return await _reconcile(slug, payment_id)
    except (httpx.TransportError, psycopg.OperationalError, PoolTimeout) as failure:
        log.warning("reconcile_payment postponed", tenant=slug, payment_id=payment_id, error=type(failure).__name__)
        raise Retry(defer=AGAIN_AFTER_S) from failure


async def _reconcile(slug: str, payment_id: str) -> str:
    async with db.tenant(slug) as conn:
        found = await conn.execute(
            "SELECT thread_id, checkout_request_id FROM payments WHERE id = %s AND state = 'initiated'", (payment_id,)
        )
        payment = await found.fetchone()
    if payment is None:
        return "settled before"
    said = {
        "tenant": slug,
        "thread_id": payment["thread_id"],
        "checkout_request_id": payment["checkout_request_id"],
    }
    try:
        answer = await daraja.query(payment["checkout_request_id"])
    except daraja.DarajaError as failure:
        log.warning("daraja.stk_query no result", errorCode=failure.code, errorMessage=failure.message, **said)
        return "no result"
    code = int(answer["ResultCode"])
    log.info("daraja.stk_query answered", result_code=code, **said)
    await stk.settle(slug, payment["checkout_request_id"], code, answer["ResultDesc"], None, "query")
    return f"settled with {code}"


async def close_cancelled_thread(ctx: dict, thread_id: str) -> None:
    """The nudge window is over and the customer has not paid."""
    await stk.move_thread(thread_id, states.PAYMENT_CANCELLED_BY_CUSTOMER)
