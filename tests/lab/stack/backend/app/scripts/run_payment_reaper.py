"""Ages out payments whose push nobody answered: they go to `public.payment_callbacks_unrouted`.

    python -m app.scripts.run_payment_reaper [--older-than-s 480] [--tenant SLUG]
"""

import argparse
import json

from app import logs, tenancy
from app.config import settings


def reap(conn, slug: str, older_than_s: int) -> int:
    with conn.transaction():
        tenancy.enter(conn, slug)
        stuck = conn.execute(
            "UPDATE payments SET state = 'expired', result_desc = 'aged out by the reaper', updated_at = now()"
            " WHERE state = 'initiated' AND created_at < now() - make_interval(secs => %s)"
            " RETURNING id::text, checkout_request_id, thread_id, created_at::text",
            (older_than_s,),
        ).fetchall()
        for payment in stuck:
            conn.execute(
                "INSERT INTO public.payment_callbacks_unrouted (checkout_request_id, payload, reason) VALUES (%s, %s, %s)",
                (payment["checkout_request_id"], json.dumps({"payment": payment}), "reaper: no callback"),
            )
    return len(stuck)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--older-than-s", type=int, default=settings.nudge_window_s)
    parser.add_argument("--tenant")
    asked = parser.parse_args()
    logs.configure()
    log = logs.get("payment_reaper")
    with tenancy.connect() as conn:
        slugs = [row["slug"] for row in conn.execute("SELECT slug FROM public.tenants WHERE is_active ORDER BY slug")]
        for slug in slugs:
            if asked.tenant in (None, slug):
                log.info("payment_reaper done", tenant=slug, reaped=reap(conn, slug, asked.older_than_s))


if __name__ == "__main__":
    main()
