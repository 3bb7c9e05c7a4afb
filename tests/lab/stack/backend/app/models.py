"""The shared schema's tables, as the migrations leave them."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, MetaData, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

tenants = Table(
    "tenants",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("name", Text),
    Column("vertical", Text),
    Column("daraja_callback_url", Text),
    Column("daraja_shortcode", Text),
    Column("is_active", Boolean, server_default=text("true")),
    Column("created_at", DateTime(timezone=True), server_default=func.now()),
)

payment_routing = Table(
    "payment_routing",
    metadata,
    Column("checkout_request_id", Text, primary_key=True),
    Column("tenant_slug", Text),
    Column("payment_id", Uuid),
    Column("thread_id", Text),
    Column("created_at", DateTime(timezone=True), server_default=func.now()),
)

payment_callbacks_unrouted = Table(
    "payment_callbacks_unrouted",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("checkout_request_id", Text),
    Column("payload", JSONB),
    Column("reason", Text),
    Column("received_at", DateTime(timezone=True), server_default=func.now()),
)
Index("payment_callbacks_unrouted_checkout", payment_callbacks_unrouted.c.checkout_request_id)
