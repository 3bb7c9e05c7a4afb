"""Postgres: one pool, and a connection that sees one tenant's schema."""

import re
from contextlib import asynccontextmanager

from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from app.config import settings

_SLUG = re.compile(r"^[a-z][a-z0-9_]{1,40}$")
_pool: AsyncConnectionPool | None = None


def schema_of(slug: str) -> str:
    if not _SLUG.match(slug):
        raise ValueError(f"not a tenant slug: {slug!r}")
    return f"tenant_{slug}"


async def open_pool(application_name: str) -> None:
    """Does not wait for Postgres: /health says whether it answers."""
    global _pool
    _pool = AsyncConnectionPool(
        settings.database_url,
        min_size=0,
        max_size=settings.database_pool_size,
        timeout=4,
        open=False,
        check=AsyncConnectionPool.check_connection,
        kwargs={"autocommit": True, "row_factory": dict_row, "application_name": application_name},
    )
    await _pool.open(wait=False)


async def close_pool() -> None:
    if _pool is not None:
        await _pool.close(timeout=1)


@asynccontextmanager
async def public():
    async with _pool.connection() as conn:
        yield conn


@asynccontextmanager
async def tenant(slug: str):
    """All or nothing: what is done inside is one transaction in the tenant's schema."""
    async with _pool.connection() as conn:
        async with conn.transaction():
            await conn.execute(sql.SQL("SET LOCAL search_path TO {}, public").format(sql.Identifier(schema_of(slug))))
            yield conn


async def active_tenants() -> list[dict]:
    async with public() as conn:
        found = await conn.execute("SELECT * FROM public.tenants WHERE is_active ORDER BY slug")
        return await found.fetchall()
