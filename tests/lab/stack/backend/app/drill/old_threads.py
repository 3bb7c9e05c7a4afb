"""Threads that ended days ago and were never archived, made with the application's own saver.

    python -m app.drill.old_threads --tenant zuri_spa --threads 6 --steps 5 --days 30
    python -m app.drill.old_threads --tenant zuri_spa --threads 1 --steps 8 --days 30 --kb 500     few rows, many bytes
"""

import argparse
import random
import uuid

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver

from app import tenancy
from app.fsm import threads
from app.scripts.run_archival_reaper import id_before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--kb", type=int, default=1, help="what each step adds to the messages")
    asked = parser.parse_args()
    rng = random.Random(f"old threads of {asked.tenant}")
    with tenancy.connect() as conn:
        tenancy.enter(conn, asked.tenant)
        saver = PostgresSaver(conn)
        for number in range(asked.threads):
            talk = threads.ulid(1_750_000_000_000 + number, rng.getrandbits(80).to_bytes(10, "big"))
            config = {"configurable": {"thread_id": talk, "checkpoint_ns": ""}}
            messages = []
            for step in range(asked.steps):
                said = rng.randbytes(asked.kb * 512).hex()
                messages = [*messages, {"role": "user", "content": said}]
                version = f"{step + 1:032d}.0"
                checkpoint = empty_checkpoint()
                checkpoint["id"] = id_before(asked.days * 86_400 - number * 60 - step * 5)
                checkpoint["channel_values"] = {"messages": messages, "state": "GREET"}
                checkpoint["channel_versions"] = {"messages": version, "state": version}
                config = saver.put(
                    config, checkpoint, {"source": "loop", "step": step, "parents": {}}, checkpoint["channel_versions"]
                )
                saver.put_writes(config, [("messages", messages[-1])], str(uuid.UUID(int=rng.getrandbits(128), version=4)))
    print(f"{asked.threads} threads of {asked.tenant}")


if __name__ == "__main__":
    main()
