"""Callbacks that could not be routed

Revision ID: c47d15e90a83
Revises: 8be2047fc6d1
Create Date: 2026-06-11 11:05:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c47d15e90a83"
down_revision = "8be2047fc6d1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_callbacks_unrouted",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("checkout_request_id", sa.Text),
        sa.Column("payload", JSONB),
        sa.Column("reason", sa.Text),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
    op.create_index("payment_callbacks_unrouted_checkout", "payment_callbacks_unrouted", ["checkout_request_id"])


def downgrade() -> None:
    op.drop_table("payment_callbacks_unrouted")
