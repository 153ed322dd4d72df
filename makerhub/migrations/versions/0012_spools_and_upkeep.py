"""Spools, what prints took from them, the maintenance log, and a household's limit of power."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = ("at_hand", "used_up")
_KINDS = ("cleaned", "levelled", "nozzle", "belts", "greased", "repaired", "other")


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "power_limit",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("watts", sa.Integer(), nullable=False),
        sa.CheckConstraint("watts > 0", name=op.f("ck_power_limit_watts_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_power_limit_owner_id_person")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_power_limit")),
    )
    op.create_table(
        "spool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("printer_id", sa.Uuid(), nullable=True),
        sa.Column("material", text(length=32), nullable=False),
        sa.Column("colour", text(length=32), nullable=False),
        sa.Column("brand", text(length=64), nullable=False),
        sa.Column("lot", text(length=64), nullable=False),
        sa.Column("milligrams", sa.Integer(), nullable=False),
        sa.Column(
            "state", sa.Enum("at_hand", "used_up", name="spoolstate", native_enum=False, length=32), nullable=False
        ),
        sa.Column("added_at", moment(), nullable=False),
        sa.CheckConstraint("milligrams > 0", name=op.f("ck_spool_milligrams_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_spool_owner_id_person")),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_spool_printer_id_printer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spool")),
        sa.UniqueConstraint("printer_id", name=op.f("uq_spool_printer_id")),
    )
    op.create_index(op.f("ix_spool_owner_id"), "spool", ["owner_id"])
    op.create_table(
        "spool_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("spool_id", sa.Uuid(), nullable=False),
        sa.Column("milligrams", sa.Integer(), nullable=False),
        sa.Column("print_id", sa.Uuid(), nullable=True),
        sa.Column("at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["spool_id"], ["spool.id"], name=op.f("fk_spool_entry_spool_id_spool")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spool_entry")),
        sa.UniqueConstraint("print_id", name=op.f("uq_spool_entry_print_id")),
    )
    op.create_index(op.f("ix_spool_entry_spool_id"), "spool_entry", ["spool_id"])
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("printer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum(*_KINDS, name="upkeepkind", native_enum=False, length=32), nullable=False),
        sa.Column("note", text(length=200), nullable=False),
        sa.Column("print_seconds", sa.Integer(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_upkeep_printer_id_printer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upkeep")),
    )
    op.create_index(op.f("ix_upkeep_printer_id"), "upkeep", ["printer_id"])
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.add_column(sa.Column("spool_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("spool_confirmed", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_foreign_key(op.f("fk_attempt_spool_id_spool"), "spool", ["spool_id"], ["id"])
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.alter_column("spool_confirmed", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.drop_constraint(op.f("fk_attempt_spool_id_spool"), type_="foreignkey")
        batch_op.drop_column("spool_confirmed")
        batch_op.drop_column("spool_id")
    for table in ("upkeep", "spool_entry", "spool", "power_limit"):
        op.drop_table(table)
