"""Keeps only the latest checkpoint of threads that have been quiet for long.

    python -m app.scripts.run_archival_reaper [--keep-days 7] [--tenant SLUG] [--batch 500]

A checkpoint's id is a UUIDv6: its time can be read from it, and ids sort by time.
"""

import argparse
import time
import uuid

from app import logs, tenancy

_UNIX_TO_GREGORIAN = 0x01B21DD213814000


def id_before(seconds_ago: float) -> str:
    """The smallest UUIDv6 of a moment."""
    ticks = int((time.time() - seconds_ago) * 10_000_000) + _UNIX_TO_GREGORIAN
    value = (ticks >> 12) << 80 | 0x6 << 76 | (ticks & 0xFFF) << 64 | 0x8 << 60
    return str(uuid.UUID(int=value))


def quiet_threads(conn, before: str, batch: int) -> list[str]:
    found = conn.execute(
        "SELECT thread_id FROM checkpoints GROUP BY thread_id"
        " HAVING max(checkpoint_id) < %s AND count(*) > 1 LIMIT %s",
        (before, batch),
    )
    return [row["thread_id"] for row in found]


def archive(conn, threads: list[str]) -> int:
    with conn.transaction():
        gone = conn.execute(
            "DELETE FROM checkpoints c USING (SELECT thread_id, checkpoint_ns, max(checkpoint_id) AS latest"
            " FROM checkpoints WHERE thread_id = ANY(%s) GROUP BY 1, 2) k"
            " WHERE c.thread_id = k.thread_id AND c.checkpoint_ns = k.checkpoint_ns AND c.checkpoint_id < k.latest",
            (threads,),
        ).rowcount
        conn.execute(
            "DELETE FROM checkpoint_writes w WHERE thread_id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM checkpoints c"
            " WHERE c.thread_id = w.thread_id AND c.checkpoint_ns = w.checkpoint_ns AND c.checkpoint_id = w.checkpoint_id)",
            (threads,),
        )
        conn.execute(
            "DELETE FROM checkpoint_blobs b WHERE thread_id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM checkpoints c"
            " WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns"
            " AND c.checkpoint->'channel_versions'->>b.channel = b.version)",
            (threads,),
        )
    return gone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep-days", type=float, default=7)
    parser.add_argument("--tenant")
    parser.add_argument("--batch", type=int, default=500)
    asked = parser.parse_args()
    logs.configure()
    log = logs.get("archival_reaper")
    before = id_before(asked.keep_days * 86_400)
    with tenancy.connect() as conn:
        slugs = [row["slug"] for row in conn.execute("SELECT slug FROM public.tenants WHERE is_active ORDER BY slug")]
        for slug in slugs:
            if asked.tenant not in (None, slug):
                continue
            tenancy.enter(conn, slug)
            gone = 0
            while quiet := quiet_threads(conn, before, asked.batch):
                gone += archive(conn, quiet)
            log.info("archival_reaper done", tenant=slug, checkpoints_deleted=gone)


if __name__ == "__main__":
    main()
