"""Settings from the environment. A value that can't be read stops the process at boot."""

import os
from dataclasses import dataclass


def _int(name: str, default: int) -> int:
    raw = os.environ.get(name, str(default))
    try:
        return int(raw)
    except ValueError:
        raise SystemExit(f"config: {name} must be a whole number, not {raw!r}") from None


def _flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name, str(default)).strip().lower()
    if raw not in ("true", "false"):
        raise SystemExit(f"config: {name} must be true or false, not {raw!r}")
    return raw == "true"


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


@dataclass(frozen=True)
class Settings:
    database_url: str = _text("DATABASE_URL")
    database_pool_size: int = _int("DATABASE_POOL_SIZE", 5)
    redis_host: str = _text("REDIS_HOST", "redis")
    redis_password: str = _text("REDIS_PASSWORD")
    log_level: str = _text("LOG_LEVEL", "INFO")
    log_renderer: str = _text("LOG_RENDERER", "json")
    arq_queue: str = _text("ARQ_QUEUE", "arq:queue")
    arq_health_check_interval: int = _int("ARQ_HEALTH_CHECK_INTERVAL", 5)
    stk_reconcile_after_s: int = _int("STK_RECONCILE_AFTER_S", 60)
    nudge_window_s: int = _int("NUDGE_WINDOW_S", 480)
    daraja_base_url: str = _text("DARAJA_BASE_URL")
    daraja_consumer_key: str = _text("DARAJA_CONSUMER_KEY")
    daraja_consumer_secret: str = _text("DARAJA_CONSUMER_SECRET")
    daraja_passkey: str = _text("DARAJA_PASSKEY")
    daraja_shortcode: str = _text("DARAJA_SHORTCODE", "174379")
    elevenlabs_base_url: str = _text("ELEVENLABS_BASE_URL")
    elevenlabs_api_key: str = _text("ELEVENLABS_API_KEY")
    meta_graph_url: str = _text("META_GRAPH_URL")
    public_url: str = _text("PUBLIC_URL")
    whatsapp_app_secret: str = _text("WHATSAPP_APP_SECRET")
    whatsapp_access_token: str = _text("WHATSAPP_ACCESS_TOKEN")
    whatsapp_verify_token: str = _text("WHATSAPP_VERIFY_TOKEN")
    whatsapp_verify_signature: bool = _flag("WHATSAPP_VERIFY_SIGNATURE", True)


settings = Settings()
