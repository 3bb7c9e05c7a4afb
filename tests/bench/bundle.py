"""The bundle row: the same stack and the same 20 MB of logs, by the console with all its rules, beside sh, sed and tar.

sed has the rules of redact.sed and the stack's own secrets as they are: no encoded forms, no pseudonyms, no second
look at what was packed, no manifest. Ours has all of that, and every other collector too."""

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import logs

RULES = Path(__file__).resolve().parent / "redact.sed"
SCRIPT = """
set -eu
mkdir -p "$OUT/bundle"; cd "$OUT/bundle"
(cd "$CHECKOUT" && $COMPOSE -p "$PROJECT" -f docker-compose.yml ps -a) > compose-ps.txt
for id in $(docker ps -aq --filter "label=com.docker.compose.project=$PROJECT"); do
    docker logs --tail 200 -t "$id" > "$id.log" 2>&1
done
git -C "$CHECKOUT" log --oneline -10 > git-log.txt
git -C "$CHECKOUT" diff --stat > git-diff-stat.txt
cp "$LOG" app.log
sed -E -i -f "$SED" *
tar czf ../bundle.tar.gz .
"""


def rows(ctl: Path, target: Path, rounds: int, home: Path, hand, profile_text: str, say) -> list[dict]:
    log = target / "bench" / "20m.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(logs.block(20_000_000))
    profile = home / "bundle.toml"
    lines = profile_text.splitlines()
    kept = [line for line in lines if not line.startswith("files =")]
    at = kept.index("[logs]") if "[logs]" in kept else len(kept)
    kept[at:at + 1] = ["[logs]", f'files = ["{log}"]']
    profile.write_text("\n".join(kept) + "\n")
    secrets = {value for name, value in hand.dotenv.items() if len(value) > 7 and any(word in name for word in ("PASS", "SECRET", "TOKEN", "KEY"))}
    escaped = ["".join("\\" + c if c in r"\.[]*^$+?(){}|#/" else c for c in value) for value in sorted(secrets)]
    sed = home / "all.sed"
    sed.write_text("".join(f"s#{value}#***#g\n" for value in escaped) + RULES.read_text())
    say(f"a bundle of {log.stat().st_size >> 20} MiB of logs, {rounds} pairs with sh, sed ({sum(1 for line in sed.read_text().splitlines() if line.startswith('s#'))} rules) and tar")
    mine, theirs, resident, size = [], [], 0, 0
    for number in range(rounds):
        for who in ((0, 1) if number % 2 else (1, 0)):
            out = home / "bundle-out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            if who == 0:
                argv = [ctl, "--profile", profile, "--json", "bundle", "export", "-o", out / "b.zip", "--since", "2026-11-01T00:00:00Z"]
                took, peak = logs.measured(argv, 1)
                mine.append(took)
                resident, size = max(resident, peak), (out / "b.zip").stat().st_size
            else:
                env = hand.env | {"OUT": str(out), "LOG": str(log), "SED": str(sed), "CHECKOUT": str(hand.checkout), "PROJECT": hand.project, "COMPOSE": " ".join(hand.compose[:-4])}
                began = time.perf_counter()
                subprocess.run(["sh", "-c", SCRIPT], check=True, env=env)
                theirs.append((time.perf_counter() - began) * 1000)
    say(f"the bundle has {size >> 10} KiB, {resident >> 10} MiB resident while it is made, median {statistics.median(mine):.0f} ms")
    return [{"what": "a bundle of 20 MB of logs", "peer": "sh, sed, tar", "ours_ms": mine, "peer_ms": theirs, "goal": round(1 / 0.6, 3)}]
