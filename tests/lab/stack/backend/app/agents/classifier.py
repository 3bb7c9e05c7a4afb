"""Stands where Ratiba asks a language model: words decide the intent."""

import re

_GREETINGS = re.compile(r"\b(habari|hello|hi|sasa|mambo|niaje|jambo)\b", re.IGNORECASE)
_TIME = re.compile(r"\b([01]?\d|2[0-3])[:.]([0-5]\d)\b")


def classify(text: str, services: list[dict]) -> tuple[str, dict | None]:
    """The intent, and the service that the text names."""
    lowered = text.lower()
    if "cancel" in lowered or "ghairi" in lowered:
        return "cancel", None
    if _TIME.search(text):
        return "choose_slot", None
    for service in services:
        if service["name"].lower() in lowered:
            return f"book_{service['category']}", service
    for service in services:
        if service["category"] in lowered:
            return f"book_{service['category']}", None
    if _GREETINGS.search(text):
        return "greet", None
    return f"unknown_{re.sub(r'[^a-z]+', '_', lowered).strip('_')[:24] or 'text'}", None


def time_of_day(text: str) -> tuple[int, int]:
    found = _TIME.search(text)
    return (int(found[1]), int(found[2])) if found else (10, 0)
