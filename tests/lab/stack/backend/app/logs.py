"""Structured logs: one JSON object a line, or structlog's console form for a developer's eyes."""

import logging
import logging.config

import structlog

from app.config import settings

_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _renderer():
    if settings.log_renderer == "console":
        return structlog.dev.ConsoleRenderer(colors=True)
    return structlog.processors.JSONRenderer()


def _tail():
    tail = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_renderer != "console":
        tail.append(structlog.processors.dict_tracebacks)
    return [*tail, _renderer()]


def _formatter():
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=_tail(),
    )


# For arq's command line, which configures logging by itself. `()` names the factory.
ARQ = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"structlog": {"()": _formatter}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "structlog"}},
    "root": {"level": settings.log_level, "handlers": ["stdout"]},
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}


def configure() -> None:
    try:
        logging.config.dictConfig(ARQ)
    except ValueError:
        raise SystemExit(f"config: LOG_LEVEL is not a level: {settings.log_level!r}") from None
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    bind()


def bind() -> None:
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get(name: str):
    return structlog.get_logger(name)
