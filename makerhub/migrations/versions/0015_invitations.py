"""Invitations."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ROLES = ("requester", "maker", "dispatcher", "courier", "reviewer", "admin")
_STATES = ("invited", "joined", "revoked", "expired")


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", text(length=254), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Enum(*_ROLES, name="role", native_enum=False, length=32), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("invited_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("link_sha256", text(length=64), nullable=False),
        sa.Column("state", sa.Enum(*_STATES, name="invitationstate", native_enum=False, length=32), nullable=False),
        sa.Column("joined_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_invitation_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["invited_by"], ["person.id"], name=op.f("fk_invitation_invited_by_person")),
        sa.ForeignKeyConstraint(["joined_by"], ["person.id"], name=op.f("fk_invitation_joined_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_invitation_link_sha256")),
    )
    op.create_index(op.f("ix_invitation_email"), "invitation", ["email"])
    op.create_index(op.f("ix_invitation_organisation_id"), "invitation", ["organisation_id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("invitation")
