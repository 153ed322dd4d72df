"""Reports, blocks at hubs and between people, and roles that rest."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0024"
down_revision: str | Sequence[str] | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    with op.batch_alter_table("membership") as table:
        table.add_column(sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("membership") as table:
        table.alter_column("suspended", server_default=None)
    _suspensions()
    _personal_blocks()
    _reports()


def _suspensions() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "suspension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("hub_id", sa.Uuid(), nullable=False),
        sa.Column("why", text(length=300), nullable=False),
        sa.Column("until", moment(), nullable=True),
        sa.Column("begun_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column(
            "state", sa.Enum("holds", "lifted", name="suspensionstate", native_enum=False, length=32), nullable=False
        ),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_suspension_hub_id_organisation")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_suspension_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    op.create_index(op.f("ix_suspension_hub_id"), "suspension", ["hub_id"])
    op.create_index(op.f("ix_suspension_person_id"), "suspension", ["person_id"])
    holds = sa.text("state = 'holds'")
    op.create_index(
        "uq_suspension_holds",
        "suspension",
        ["person_id", "hub_id"],
        unique=True,
        sqlite_where=holds,
        postgresql_where=holds,
    )


def _personal_blocks() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "personal_block",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("blocker_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_id", sa.Uuid(), nullable=False),
        sa.Column("met_in", text(length=32), nullable=False),
        sa.Column("met_id", sa.Uuid(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["blocked_id"], ["person.id"], name=op.f("fk_personal_block_blocked_id_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["blocker_id"], ["person.id"], name=op.f("fk_personal_block_blocker_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_block")),
        sa.UniqueConstraint("blocker_id", "blocked_id", name=op.f("uq_personal_block_blocker_id_blocked_id")),
    )
    op.create_index(op.f("ix_personal_block_blocked_id"), "personal_block", ["blocked_id"])


def _reports() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    kinds = ("supply_request", "facility", "shipment", "pickup", "upload", "hub_description")
    reasons = ("unsafe", "harassment", "contact", "private", "other")
    states = ("open", "withdrawn", "dismissed", "hidden", "blocked")
    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum(*kinds, name="kind", native_enum=False, length=32), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("title", text(length=200), nullable=False),
        sa.Column("said", text(length=2000), nullable=False),
        sa.Column("reason", sa.Enum(*reasons, name="reason", native_enum=False, length=32), nullable=False),
        sa.Column("words", text(length=1000), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("hub_id", sa.Uuid(), nullable=True),
        sa.Column("for_administrators", sa.Boolean(), nullable=False),
        sa.Column("reported_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("state", sa.Enum(*states, name="reportstate", native_enum=False, length=32), nullable=False),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_report_hub_id_organisation")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_report_person_id_person")),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name=op.f("fk_report_reporter_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    for column in ("hub_id", "person_id", "reporter_id", "state", "thing_id"):
        op.create_index(op.f(f"ix_report_{column}"), "report", [column])
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_report_open",
        "report",
        ["reporter_id", "kind", "thing_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("report")
    op.drop_table("personal_block")
    op.drop_table("suspension")
    with op.batch_alter_table("membership") as table:
        table.drop_column("suspended")
