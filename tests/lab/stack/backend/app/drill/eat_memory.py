"""Takes memory inside the container until the kernel's OOM killer comes.

    python -m app.drill.eat_memory --mb 600                  this process is killed, the service runs on
    python -m app.drill.eat_memory --mb 600 --victim main    the service's own process is killed
    python -m app.drill.eat_memory --mb 200 --hold-s 3600    stays below the limit and keeps it
"""

import argparse
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=600)
    parser.add_argument("--victim", choices=("child", "main"), default="child")
    parser.add_argument("--hold-s", type=float, default=20)
    asked = parser.parse_args()
    victim = "/proc/1" if asked.victim == "main" else "/proc/self"
    with open(f"{victim}/oom_score_adj", "w") as file:
        file.write("1000")
    held = []
    for _ in range(asked.mb // 8):
        held.append(b"\xa5" * (8 * 1024 * 1024))
        time.sleep(0.01)
    print(f"holding {asked.mb} MB for {asked.hold_s:g} s", flush=True)
    time.sleep(asked.hold_s)


if __name__ == "__main__":
    main()
