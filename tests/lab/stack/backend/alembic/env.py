"""Migrations of the shared schema; with `-x tenant=SLUG` those of a tenant's own schema, which has its own
`alembic_version`. What a new tenant gets is made by `app.tenancy`.
"""

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

from app.db import schema_of
from app.models import metadata

fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def shared_only(name, type_, parent_names):
    return type_ != "schema" or name in (None, "public")


def run() -> None:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    tenant = context.get_x_argument(as_dictionary=True).get("tenant")
    schema = schema_of(tenant) if tenant else None
    options = {"options": f"-c search_path={schema}"} if schema else {}
    with create_engine(url, poolclass=pool.NullPool, connect_args=options).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_name=shared_only,
            version_table_schema=schema,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
