"""The conversation's memory: one LangGraph checkpoint a turn, in the tenant's schema."""

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

KEPT_MESSAGES = 20


async def remember(conn, thread_id: str, state: str, said: str, answered: str) -> None:
    saver = AsyncPostgresSaver(conn)
    config = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    before = await saver.aget_tuple(config)
    old = before.checkpoint if before else empty_checkpoint()
    step = (before.metadata.get("step", -1) if before else -1) + 1
    messages = list(old["channel_values"].get("messages", []))[-KEPT_MESSAGES:]
    messages += [{"role": "user", "content": said}, {"role": "assistant", "content": answered}]
    version = f"{step + 1:032d}.0"
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"messages": messages, "state": state}
    checkpoint["channel_versions"] = {"messages": version, "state": version}
    await saver.aput(
        before.config if before else config,
        checkpoint,
        {"source": "loop", "step": step, "parents": {}},
        {"messages": version, "state": version},
    )
