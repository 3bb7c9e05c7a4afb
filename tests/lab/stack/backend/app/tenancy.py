"""A tenant is a schema of its own: `tenant_<slug>`."""

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import sql
from psycopg.rows import dict_row

from app.config import settings
from app.db import schema_of

TABLES = """
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    thread_id text,
    booking_id uuid,
    state text,
    amount_minor bigint,
    currency text,
    msisdn text,
    checkout_request_id text,
    merchant_request_id text,
    result_code int,
    result_desc text,
    receipt text,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE INDEX payments_state_created ON payments (state, created_at);
CREATE INDEX payments_checkout ON payments (checkout_request_id);
CREATE TABLE staff (id uuid PRIMARY KEY, name text, is_active bool DEFAULT true);
CREATE TABLE staff_schedules (
    id bigserial PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff (id),
    day_of_week int NOT NULL CHECK (day_of_week BETWEEN 0 AND 6),
    start_time time NOT NULL,
    end_time time NOT NULL
);
COMMENT ON COLUMN staff_schedules.day_of_week IS '0 is Monday';
CREATE TABLE staff_blocks (
    id bigserial PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff (id),
    starts_at timestamptz,
    ends_at timestamptz,
    reason text
);
CREATE TABLE services (id uuid PRIMARY KEY, name text, category text, duration_min int, is_active bool DEFAULT true);
CREATE TABLE bookings (
    id uuid PRIMARY KEY,
    thread_id text,
    staff_id uuid REFERENCES staff (id),
    service_id uuid,
    starts_at timestamptz,
    state text
);
CREATE TABLE knowledge_snippets (
    id bigserial PRIMARY KEY,
    category text,
    title text,
    body text,
    is_active bool DEFAULT true,
    priority int DEFAULT 0,
    created_at timestamptz DEFAULT now()
);
"""


def connect(**extra) -> psycopg.Connection:
    return psycopg.connect(settings.database_url, autocommit=True, row_factory=dict_row, connect_timeout=5, **extra)


def enter(conn: psycopg.Connection, slug: str) -> None:
    conn.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(schema_of(slug))))


def create(conn: psycopg.Connection, slug: str, name: str, vertical: str) -> None:
    conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema_of(slug))))
    enter(conn, slug)
    conn.execute(TABLES)
    # LangGraph makes its own tables; it needs autocommit for its concurrent indexes.
    PostgresSaver(conn).setup()
    conn.execute(
        "INSERT INTO public.tenants (slug, name, vertical, daraja_callback_url, daraja_shortcode)"
        " VALUES (%s, %s, %s, %s, %s)",
        (slug, name, vertical, f"{settings.public_url}/payments/callback/{slug}", settings.daraja_shortcode),
    )
