"""Deeds and checkpoints, and logs that the database lets nobody change.

Whoever changes one of these tables in batches on SQLite makes it anew, without its triggers: `keep()` them again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEPT = ("transition", "deed", "checkpoint")

FUNCTION = """CREATE FUNCTION makerhub_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the log is only added to'; END$$"""


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "deed",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("entity", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_deed")),
    )
    op.create_index("ix_deed_entity_entity_id", "deed", ["entity", "entity_id"])
    op.create_table(
        "checkpoint",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("transitions", sa.Integer(), nullable=False),
        sa.Column("deeds", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_checkpoint")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FUNCTION)
    for table in KEPT:
        keep(table)


def keep(table: str) -> None:
    """Have the database refuse to change or delete a row of `table`."""
    if op.get_bind().dialect.name == "postgresql":
        for name, when, each in (("rows", "UPDATE OR DELETE", "ROW"), ("all", "TRUNCATE", "STATEMENT")):
            does = "EXECUTE FUNCTION makerhub_log_is_kept()"
            op.execute(f"CREATE TRIGGER {table}_{name}_kept BEFORE {when} ON {table} FOR EACH {each} {does}")
        return
    for what in ("UPDATE", "DELETE"):
        refuse = "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END"
        op.execute(f"CREATE TRIGGER {table}_{what.lower()}_kept BEFORE {what} ON {table} {refuse}")


def downgrade() -> None:
    """Take this revision back."""
    if op.get_bind().dialect.name == "postgresql":
        for table in KEPT:
            for name in ("rows", "all"):
                op.execute(f"DROP TRIGGER {table}_{name}_kept ON {table}")
        op.execute("DROP FUNCTION makerhub_log_is_kept()")
    else:
        for what in ("update", "delete"):
            op.execute(f"DROP TRIGGER transition_{what}_kept")
    op.drop_table("checkpoint")
    op.drop_index("ix_deed_entity_entity_id", table_name="deed")
    op.drop_table("deed")
