"""LiveKit's SIP service: answers OPTIONS, takes INVITE only for a known trunk, and never registers anybody."""

import asyncio
import json
import logging
import os
import signal
import sys

from redis.asyncio import Redis
from redis.exceptions import RedisError

from standins.control import lab_redis, log_to_stdout

log = logging.getLogger("sip")
PORT = 5060
COPIED = ("via", "from", "to", "call-id", "cseq")


def parse(text: str) -> tuple[str, list[str]]:
    head = text.split("\r\n\r\n", 1)[0].split("\r\n")
    method = head[0].split(" ", 1)[0].upper()
    return method, [line for line in head[1:] if line.split(":", 1)[0].strip().lower() in COPIED]


class Sip(asyncio.DatagramProtocol):
    def __init__(self, redis: Redis):
        self.redis = redis
        self.tasks: set[asyncio.Task] = set()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        task = asyncio.get_running_loop().create_task(self.answer(data.decode("utf-8", "replace"), addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def answer(self, text: str, addr) -> None:
        method, copied = parse(text)
        if method == "OPTIONS":
            self.send("200 OK", [*copied, "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, OPTIONS"], addr)
        elif method == "INVITE":
            self.send(await self.invited(), copied, addr)
        elif method not in ("ACK", "BYE", ""):
            self.send("405 Method Not Allowed", copied, addr)

    async def invited(self) -> str:
        try:
            trunks = await self.redis.hkeys("sip_inbound_trunk")
            rules = [json.loads(rule) for rule in await self.redis.hvals("sip_dispatch_rule")]
        except (RedisError, OSError):
            return "503 Service Unavailable"
        if not trunks:
            log.warning("Rejecting inbound, doesn't match any Trunks")
            return "403 Forbidden"
        # A rule that names no trunk is for every trunk.
        if not any(not rule.get("trunk_ids") or set(rule["trunk_ids"]) & set(trunks) for rule in rules):
            log.warning("Rejecting inbound, doesn't match any Dispatch Rules")
            return "404 Not Found"
        return "180 Ringing"

    def send(self, status: str, headers: list[str], addr) -> None:
        lines = [f"SIP/2.0 {status}", *headers, "Server: LiveKit", "Content-Length: 0", "", ""]
        self.transport.sendto("\r\n".join(lines).encode(), addr)


async def main() -> None:
    log_to_stdout()
    if not os.environ.get("REDIS_HOST"):
        sys.exit("redis configuration is required")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await loop.create_datagram_endpoint(lambda: Sip(lab_redis()), ("0.0.0.0", PORT))
    log.info("sip signaling listening on local=0.0.0.0:%s", PORT)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
