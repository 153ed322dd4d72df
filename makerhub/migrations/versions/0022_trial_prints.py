"""Test prints of nothing."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATES = ("waiting", "sending", "printing", "finished", "failed", "not_started")
STATE = sa.Enum(*STATES, name="trialstate", native_enum=False, length=32)
_LIVE = sa.text("state IN ('printing', 'sending', 'waiting')")


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "trial_print",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("printer_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", text(length=100), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", moment(), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("file_seen", sa.Boolean(), nullable=False),
        sa.Column("quiet_since", moment(), nullable=True),
        sa.Column("started_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("reason", text(length=32), nullable=False),
        sa.Column("trouble", text(length=32), nullable=False),
        sa.Column("tidied", sa.Boolean(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_trial_print_agent_id_agent")),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_trial_print_printer_id_printer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_print")),
        sa.UniqueConstraint("file_name", name=op.f("uq_trial_print_file_name")),
    )
    op.create_index(op.f("ix_trial_print_printer_id"), "trial_print", ["printer_id"])
    op.create_index(op.f("ix_trial_print_state"), "trial_print", ["state"])
    op.create_index(
        "uq_trial_print_live", "trial_print", ["printer_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("trial_print")
