"""What the agent knows of a tenant goes into the prompt; beyond the cap it is cut off."""

from app import logs

log = logs.get("knowledge")

MAX_SNIPPETS = 20
MAX_TOKENS = 1500
CHARS_PER_TOKEN = 4


async def check(conn, tenant: str, thread_id: str) -> None:
    found = await conn.execute(
        "SELECT count(*) AS snippets, coalesce(sum(length(title) + length(body)), 0) AS chars"
        " FROM knowledge_snippets WHERE is_active"
    )
    row = await found.fetchone()
    tokens = int(row["chars"]) // CHARS_PER_TOKEN
    if row["snippets"] > MAX_SNIPPETS or tokens > MAX_TOKENS:
        log.warning(
            "knowledge_overflow", tenant=tenant, thread_id=thread_id, snippets=row["snippets"], tokens=tokens
        )
