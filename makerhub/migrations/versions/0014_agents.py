"""Agents at makers' homes, the printers that they look after, and the codes that pair them."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATE = sa.Enum("paired", "revoked", name="agentstate", native_enum=False, length=32)


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "agent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("host", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("system", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("version", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("token_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("paired_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_agent_owner_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_agent_token_sha256")),
    )
    op.create_index(op.f("ix_agent_owner_id"), "agent", ["owner_id"])
    op.create_table(
        "agent_link",
        sa.Column("printer_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("willing", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("unwilling", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("longest_seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_agent_link_agent_id_agent")),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_agent_link_printer_id_printer")),
        sa.PrimaryKeyConstraint("printer_id", name=op.f("pk_agent_link")),
    )
    op.create_index(op.f("ix_agent_link_agent_id"), "agent_link", ["agent_id"])
    op.create_table(
        "pairing_code",
        sa.Column("code_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("printer_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("used_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_pairing_code_printer_id_printer")),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_pairing_code")),
    )
    op.create_index(op.f("ix_pairing_code_printer_id"), "pairing_code", ["printer_id"])
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.add_column(sa.Column("agent_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_attempt_agent_id_agent"), "agent", ["agent_id"], ["id"])


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.drop_constraint(op.f("fk_attempt_agent_id_agent"), type_="foreignkey")
        batch_op.drop_column("agent_id")
    op.drop_table("pairing_code")
    op.drop_table("agent_link")
    op.drop_table("agent")
