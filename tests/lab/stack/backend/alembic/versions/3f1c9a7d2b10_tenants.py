"""Tenants

Revision ID: 3f1c9a7d2b10
Revises:
Create Date: 2026-03-02 09:14:00
"""

import sqlalchemy as sa
from alembic import op

revision = "3f1c9a7d2b10"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("vertical", sa.Text),
        sa.Column("is_active", sa.Boolean, server_default=sa.text("true")),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("tenants")
