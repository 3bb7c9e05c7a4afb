"""From a classified intent to the step of the booking graph that handles it.

A new vertical needs its categories here, as `book_<category>`.
"""

from app import logs

log = logs.get("intent_router")

INTENT_ROUTES = {
    "greet": "greet",
    "cancel": "cancel",
    "choose_slot": "choose_slot",
    "book_hair": "collect_service",
    "book_nails": "collect_service",
    "book_checkup": "collect_service",
    "book_orthodontics": "collect_service",
    "book_servicing": "collect_service",
    "book_detailing": "collect_service",
    "book_massage": "collect_service",
    "book_facial": "collect_service",
    "book_class": "collect_service",
    "book_coaching": "collect_service",
}


def route(intent: str, state: str) -> str | None:
    step = INTENT_ROUTES.get(intent)
    if step is None:
        log.warning("intent_router no_route", intent=intent, state=state)
    return step
