"""The arq worker: `arq app.worker.WorkerSettings`."""

from dataclasses import replace

from app import db, logs
from app.config import settings
from app.payments import jobs, stk

log = logs.get("worker")


async def startup(ctx: dict) -> None:
    logs.bind()
    await db.open_pool("ratiba-worker")
    log.info("worker started", queue=settings.arq_queue)


async def shutdown(ctx: dict) -> None:
    await db.close_pool()


class WorkerSettings:
    functions = [jobs.reconcile_payment, jobs.close_cancelled_thread]
    # It sits out an outage of Redis instead of dying of it. A refused connection reaches the retry as an
    # OSError: redis-py makes its own error of it only afterwards.
    redis_settings = replace(stk.REDIS, conn_retries=600, retry_on_error=[*stk.REDIS.retry_on_error, OSError])
    queue_name = settings.arq_queue
    health_check_interval = settings.arq_health_check_interval
    on_startup = startup
    on_shutdown = shutdown
    job_completion_wait = 0
    keep_result = 300
    max_jobs = 10
    max_tries = 500
