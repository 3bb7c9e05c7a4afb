"""Each tenant has its own Daraja settings

Revision ID: e91a6b3358d4
Revises: c47d15e90a83
Create Date: 2026-09-30 08:22:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e91a6b3358d4"
down_revision = "c47d15e90a83"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("daraja_callback_url", sa.Text))
    op.add_column("tenants", sa.Column("daraja_shortcode", sa.Text))


def downgrade() -> None:
    op.drop_column("tenants", "daraja_shortcode")
    op.drop_column("tenants", "daraja_callback_url")
