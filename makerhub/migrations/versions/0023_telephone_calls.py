"""Requests by telephone: who called sees, confirms and cancels by a secret. Nothing has written the table before."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0023"
down_revision: str | Sequence[str] | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    """Apply this revision."""
    op.drop_table("telephone_call")
    op.create_table(
        "telephone_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_the_caller(),
        sa.Column("language", text(length=16), nullable=False),
        sa.Column("secret_sha256", text(length=64), nullable=False),
        sa.Column("called_at", moment(), nullable=False),
        sa.Column(
            "state", sa.Enum("noted", "confirmed", name="callstate", native_enum=False, length=32), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telephone_call")),
        sa.UniqueConstraint("request_id", name=op.f("uq_telephone_call_request_id")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_telephone_call_secret_sha256")),
    )
    op.create_index(op.f("ix_telephone_call_email"), "telephone_call", ["email"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("telephone_call")
    op.create_table(
        "telephone_call",
        *_of_the_caller(),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_telephone_call")),
    )


def _of_the_caller() -> tuple[sa.Column[Any] | sa.ForeignKeyConstraint, ...]:
    return (
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("caller", text(length=100), nullable=False),
        sa.Column("number", text(length=40), nullable=False),
        sa.Column("email", text(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["supply_request.id"], name=op.f("fk_telephone_call_request_id_supply_request")
        ),
    )
