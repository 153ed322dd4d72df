"""Alembic's entry: runs the revisions on the engine that `alembic_config` hands over."""

from alembic import context
from sqlmodel import SQLModel

from makerhub.migrations import tables  # noqa: F401 (importing it is what fills the metadata)

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
