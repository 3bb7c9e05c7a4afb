"""Everybody else's services in one process: Daraja, ElevenLabs, Meta, the ngrok agent, the customers."""

import asyncio
import logging
import signal

from standins import customers, daraja, elevenlabs, meta, ngrok
from standins.control import log_to_stdout
from standins.server import Server

PORTS = {8020: daraja.app, 8021: elevenlabs.app, 8022: meta.app, 4040: ngrok.app}


async def main() -> None:
    log_to_stdout()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    for port, app in PORTS.items():
        asyncio.create_task(Server(app, port).serve())
    asyncio.create_task(daraja.resume())
    asyncio.create_task(customers.run())
    logging.getLogger("outside").info("listening on %s", ", ".join(map(str, PORTS)))
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
