"""Migrations of the shared schema. A tenant's own schema is made by `app.tenancy`."""

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

from app.models import metadata

fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def shared_only(name, type_, parent_names):
    return type_ != "schema" or name in (None, "public")


def run() -> None:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, include_name=shared_only)
        with context.begin_transaction():
            context.run_migrations()


run()
