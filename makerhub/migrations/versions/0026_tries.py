"""Counts of guesses, by what was guessed at."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0026"
down_revision: str | Sequence[str] | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_moment = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "tries",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", _moment(), nullable=False),
        sa.Column("ends_at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tries")),
    )
    op.create_index(op.f("ix_tries_ends_at"), "tries", ["ends_at"])
    with op.batch_alter_table("second_factor") as table:
        table.drop_column("tries")
        table.drop_column("tries_since")


def downgrade() -> None:
    """Take this revision back: who guessed at second factors begins anew."""
    with op.batch_alter_table("second_factor") as table:
        table.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(
            sa.Column("tries_since", _moment(), nullable=False, server_default="1970-01-01 00:00:00+00:00")
        )
    with op.batch_alter_table("second_factor") as table:
        table.alter_column("tries", server_default=None)
        table.alter_column("tries_since", server_default=None)
    op.drop_table("tries")
