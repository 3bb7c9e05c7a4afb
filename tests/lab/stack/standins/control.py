"""How a stand-in is told to misbehave: `GET /_control`, `POST /_control`, `DELETE /_control`."""

import copy
import json
import logging
import os
import sys
from datetime import datetime, timezone

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        return json.dumps(line)


def log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)


def lab_redis() -> Redis:
    host, password = os.environ.get("REDIS_HOST", "redis"), os.environ.get("REDIS_PASSWORD")
    return Redis(host=host, password=password, decode_responses=True, socket_timeout=3)


class Control:
    """Settings by group; a POST changes the given ones, a DELETE puts all back."""

    def __init__(self, **groups: dict):
        self._defaults = groups
        self.now = copy.deepcopy(groups)

    def __getitem__(self, group: str) -> dict:
        return self.now[group]

    def reset(self) -> None:
        self.now = copy.deepcopy(self._defaults)

    def change(self, wanted: dict) -> None:
        for group, values in wanted.items():
            if group not in self.now or not isinstance(values, dict):
                raise ValueError(f"no such group: {group}; known: {', '.join(self.now)}")
            unknown = set(values) - set(self.now[group])
            if unknown:
                raise ValueError(f"{group} has no {', '.join(sorted(unknown))}; known: {', '.join(self.now[group])}")
        for group, values in wanted.items():
            self.now[group].update(values)

    def once(self, group: str) -> dict:
        """The group's settings; `times` of them are used up one by one (null: for ever)."""
        values = self.now[group]
        if values.get("times") is None:
            return values
        if values["times"] <= 0:
            return self._defaults[group]
        values["times"] -= 1
        return values

    def router(self, show=lambda: {}, forget=None) -> APIRouter:
        """`forget` makes the stand-in forget what it was asked, on DELETE."""
        router = APIRouter()

        @router.get("/_control")
        async def read():
            return {**self.now, **show()}

        @router.post("/_control")
        async def write(request: Request):
            try:
                self.change(await request.json())
            except (ValueError, AttributeError) as problem:
                return JSONResponse({"error": str(problem)}, status_code=422)
            return self.now

        @router.delete("/_control")
        async def clear():
            self.reset()
            if forget:
                await forget()
            return self.now

        return router
