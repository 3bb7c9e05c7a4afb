"""A session that sits idle in a transaction with a lock that stops writers, and one that waits for it.

    python -m app.drill.hold_lock --table tenant_amani_salon.checkpoint_writes
    python -m app.drill.hold_lock --table tenant_amani_salon.checkpoint_writes --wait
"""

import argparse
import time

from app import tenancy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", required=True)
    parser.add_argument("--wait", action="store_true", help="write to it, as the backend would")
    parser.add_argument("--hold-s", type=float, default=900)
    asked = parser.parse_args()
    with tenancy.connect(application_name="ratiba-backend" if asked.wait else "psql of a developer") as conn:
        with conn.transaction():
            if asked.wait:
                conn.execute(f"LOCK TABLE {asked.table} IN ROW EXCLUSIVE MODE")
                return
            conn.execute(f"LOCK TABLE {asked.table} IN SHARE ROW EXCLUSIVE MODE")
            time.sleep(asked.hold_s)


if __name__ == "__main__":
    main()
