"""Approvals, and whose rules hold at a hub."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = ("prototype", "community_reviewed", "clinically_approved", "withdrawn")


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("material", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("hub_id", sa.Uuid(), nullable=True),
        sa.Column("jurisdiction", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("state", sa.Enum(*_STATES, name="approvalstate", native_enum=False, length=32), nullable=False),
        sa.Column("evidence", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("valid_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_approval_decided_by_person")),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_approval_hub_id_organisation")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["design_version.id"], name=op.f("fk_approval_version_id_design_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_version_id"), "approval", ["version_id"])
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.add_column(
            sa.Column("jurisdiction", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False, server_default="")
        )
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.alter_column("jurisdiction", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.drop_column("jurisdiction")
    op.drop_table("approval")
