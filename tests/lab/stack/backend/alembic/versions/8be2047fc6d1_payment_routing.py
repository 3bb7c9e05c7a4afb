"""Payment routing

Revision ID: 8be2047fc6d1
Revises: 3f1c9a7d2b10
Create Date: 2026-04-20 16:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8be2047fc6d1"
down_revision = "3f1c9a7d2b10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_routing",
        sa.Column("checkout_request_id", sa.Text, primary_key=True),
        sa.Column("tenant_slug", sa.Text),
        sa.Column("payment_id", sa.Uuid),
        sa.Column("thread_id", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("payment_routing")
