"""The log rows: one thread's lines in 1 GB of structlog JSON, beside ripgrep, jq, lnav and angle-grinder; the same of
an indexed file; a container's whole log through the engine, beside curl on its socket.

ripgrep finds lines that hold the bare id; ours finds those whose own field it is, escaped ones too. hl is not
measured: it is in none of the package managers."""

import json
import os
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WANTED = "01JDWANTED0000000000000000"
EVENTS = [
    ("message received", "info"), ("intent_router routed", "info"), ("webhook.whatsapp", "info"),
    ("elevenlabs.synthesize", "info"), ("daraja.stk_push", "info"), ("booking graph step", "debug"),
    ("knowledge_overflow", "warning"), ("daraja.callback failed", "error"),
]


def block(size: int) -> bytes:
    """Lines of 20,000 threads and 300 tenants; the same in every run."""
    draw = random.Random(7)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    threads = ["01JD" + "".join(draw.choice(letters) for _ in range(22)) for _ in range(20_000)]
    texts = ["habari yako", "nataka kubook \U0001f600", "kesho saa nne"]
    out, total, n = [], 0, 0
    while total < size:
        n += 1
        event, level = draw.choice(EVENTS)
        line = json.dumps({
            "intent": "book", "duration_ms": draw.randrange(3_000), "step": n % 7,
            "text": draw.choice([*texts, "x" * draw.randrange(120)]), "signature_valid": True,
            "thread_id": draw.choice(threads), "tenant": f"tenant_{draw.randrange(300)}", "event": event,
            "logger": "app", "level": level,
            "timestamp": f"2026-11-{1 + n // 2_000_000 % 28:02}T{n // 83_333 % 24:02}:{n // 1_388 % 60:02}:{n // 23 % 60:02}.{n % 1_000_000:06}Z",
        })
        out.append(line)
        total += len(line) + 1
    return ("\n".join(out) + "\n").encode()


def gigabyte(path: Path) -> None:
    """20 blocks; 17 lines of the wanted thread, one that spells it with an escape, one in console form, and three
    that only mention it."""
    one = block(54_000_000)
    own = json.dumps({"event": "daraja.callback", "thread_id": WANTED, "level": "info", "timestamp": "2026-11-05T00:00:00Z"})
    about = json.dumps({"event": f"about {WANTED}", "thread_id": "other", "level": "info"})
    with path.open("wb") as file:
        for number in range(20):
            file.write(one)
            more = [own] if number < 17 else []
            more += [about] * 3 if number == 3 else []
            more += [own.replace("01JDW", "0\\u0031JDW")] if number == 5 else []
            more += [f"2026-11-05T00:00:00Z [info     ] daraja.callback                thread_id={WANTED}"] if number == 9 else []
            file.write("".join(line + "\n" for line in more).encode())


def measured(argv: list, hits: int | None, env=None) -> tuple[float, int]:
    """Milliseconds, and the largest resident size in KiB, of a whole process whose lines are counted.

    GNU time stands between: a child's largest size begins with that of whoever forks it, and this one is large."""
    with tempfile.NamedTemporaryFile("r") as size:
        began = time.perf_counter()
        wrapped = ["/usr/bin/time", "-q", "-f", "%M", "-o", size.name, *(str(a) for a in argv)]
        child = subprocess.Popen(wrapped, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
        lines = sum(1 for _ in child.stdout)
        status = child.wait()
        took = (time.perf_counter() - began) * 1000
        if hits is not None and lines != hits:
            sys.exit(f"bench: {argv[0]} found {lines} lines, not {hits} (it ended with {status})")
        return took, int(size.read().split()[-1])


def angle_grinder(target: Path, say) -> Path | None:
    program = target / "bench" / "cargo" / "bin" / "agrind"
    if not program.exists():
        say("building angle-grinder (cargo install ag)")
        done = subprocess.run(["cargo", "install", "-q", "--locked", "--root", program.parent.parent, "ag"], capture_output=True)
        if done.returncode:
            say("angle-grinder can't be built here and is not measured")
            return None
    return program


def pairs(rounds: int, ours: list, peer: list, peer_hits: int | None, hits: int = 19) -> tuple[list, list, int]:
    mine, theirs, resident = [], [], 0
    for number in range(rounds):
        for who in ((0, 1) if number % 2 else (1, 0)):
            if who == 0:
                took, size = measured(ours, hits)
                mine.append(took)
                resident = max(resident, size)
            else:
                theirs.append(measured(peer, peer_hits)[0])
    return mine, theirs, resident


def file_rows(ctl: Path, target: Path, rounds: int, home: Path, package, say, resident) -> list[dict]:
    for program, its in (("rg", "ripgrep"), ("lnav", "lnav"), ("jq", "jq")):
        if not shutil.which(program):
            package(its)
    log = target / "bench" / "1g.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists():
        say("making 1 GB of structlog JSON")
        part = log.with_suffix(".part")
        gigabyte(part)
        part.rename(log)
    with log.open("rb") as file:
        while file.read(1 << 24):
            pass
    ask = [ctl, "logs", "--file", log, "--thread", WANTED, "--raw"]
    say(f"one thread in {log.stat().st_size >> 20} MiB, {rounds} pairs with ripgrep; the slow ones once or twice")
    rows = []
    rg = ["rg", "--no-config", WANTED, log]
    mine, theirs, size = pairs(rounds, ask, rg, 21)
    rows.append({"what": "a thread in 1 GB", "peer": "ripgrep (bare id)", "ours_ms": mine, "peer_ms": theirs, "goal": round(1 / 1.5, 3)})
    is_small = size <= 64 << 10
    rows.append({"what": f"  the same, {size >> 10} MiB resident", "peer": "ripgrep", "ours_ms": mine, "peer_ms": theirs, "goal": 0.4 if is_small else 10**9})
    mine, theirs, _ = pairs(1, ask, ["jq", "-cR", f'fromjson? | select(.thread_id? == "{WANTED}")', log], None)
    rows.append({"what": "  the same", "peer": "jq", "ours_ms": mine, "peer_ms": theirs, "goal": 50})
    lnav = ["lnav", "-n", "-q", "-N", "-c", f":filter-in {WANTED}", "-c", ":write-raw-to -", log]
    mine, theirs, _ = pairs(2, ask, lnav, None)
    rows.append({"what": "  the same", "peer": "lnav", "ours_ms": mine, "peer_ms": theirs, "goal": 10})
    if agrind := angle_grinder(target, say):
        mine, theirs, _ = pairs(2, ask, [agrind, "-f", log, f'* | json | where thread_id == "{WANTED}"'], None)
        rows.append({"what": "  the same", "peer": "angle-grinder", "ours_ms": mine, "peer_ms": theirs, "goal": 20})
    began = time.perf_counter()
    measured([*ask, "--index"], 19)
    say(f"made its index in {time.perf_counter() - began:.1f} s")
    mine, theirs, _ = pairs(rounds, ask, rg, 21)
    rows.append({"what": "  the same, indexed, ratibactl", "peer": "ripgrep", "ours_ms": mine, "peer_ms": theirs, "goal": 50})
    with resident() as console:
        # Open for a while: what a console does when it opens is over.
        console.ask("triage")
        console.ask(f"thread {log} {WANTED}")
        mine = [console.ask(f"thread {log} {WANTED}") for _ in theirs]
    if any(one["lines"] != 19 for one in mine):
        sys.exit(f"bench: the open console found {mine}")
    rows.append({"what": "  the same, console open", "peer": "ripgrep", "ours_ms": [one["ms"] for one in mine], "peer_ms": theirs, "goal": 50})
    return rows


def engine_rows(ctl: Path, rounds: int, home: Path, image: str, profile_text: str, say) -> list[dict]:
    """A container of a project of its own, which wrote 64 MB and ended."""
    if not shutil.which("curl") or not Path("/var/run/docker.sock").exists():
        say("no curl, or the engine is not at /var/run/docker.sock: loading a container's log is not measured")
        return []
    project = f"ratiba-bench-logs-{os.getpid()}"
    text = home / "64m.log"
    text.write_bytes(block(64_000_000))
    lines = text.read_bytes().count(b"\n")
    labels = [f"project={project}", "service=big", "container-number=1", "oneoff=False"]
    labels = [part for label in labels for part in ("--label", f"com.docker.compose.{label}")]
    profile = home / "bench-logs.toml"
    profile.write_text("\n".join(f'project = "{project}"' if line.startswith("project =") else line for line in profile_text.splitlines()) + "\n")
    kept = home / "cache/ratiba-console/logs"
    say("a container writes 64 MB")
    try:
        subprocess.run(["docker", "run", "--name", project, "-v", f"{text}:/text:ro", "--entrypoint", "cat", *labels, image, "/text"], check=True, stdout=subprocess.DEVNULL)
        ask = [ctl, "--profile", profile, "logs", "-s", "big", "--thread", "nobody", "--raw"]
        url = f"http://localhost/containers/{project}/logs?stdout=1&stderr=1&timestamps=1"
        curl = ["curl", "-sN", "-o", home / "curl.out", "--unix-socket", "/var/run/docker.sock", url]
        mine, theirs, again = [], [], []
        for number in range(rounds):
            for who in ((0, 1) if number % 2 else (1, 0)):
                if who:
                    theirs.append(measured(curl, None)[0])
                else:
                    shutil.rmtree(kept, ignore_errors=True)
                    mine.append(measured(ask, 0)[0])
            again.append(measured(ask, 0)[0])
        everything = measured([ctl, "--profile", profile, "logs", "-s", "big", "--raw"], lines)
        say(f"all {lines} lines of it told in {everything[0]:.0f} ms")
    finally:
        subprocess.run(["docker", "rm", "-f", project], capture_output=True)
    return [
        {"what": "a container's log, 64 MB", "peer": "curl", "ours_ms": mine, "peer_ms": theirs, "goal": round(1 / 1.10, 3)},
        {"what": "  asked a second time", "peer": "curl", "ours_ms": again, "peer_ms": theirs, "goal": None},
    ]
