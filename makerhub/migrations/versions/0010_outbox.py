"""The outbox of mails."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = ("waiting", "sending", "sent", "failed")


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("letter", text(length=64), nullable=False),
        sa.Column("address", text(length=254), nullable=False),
        sa.Column("language", text(length=16), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.Enum(*_STATES, name="mailstate", native_enum=False, length=32), nullable=False),
        sa.Column("written_at", moment(), nullable=False),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("useful_until", moment(), nullable=True),
        sa.Column("claimed_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", text(length=500), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index(op.f("ix_mail_address"), "mail", ["address"])
    op.create_index(op.f("ix_mail_state"), "mail", ["state"])
    op.create_table(
        "mail_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mail_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail.id"], name=op.f("fk_mail_reading_mail_id_mail"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_reading")),
    )
    op.create_index(op.f("ix_mail_reading_mail_id"), "mail_reading", ["mail_id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("mail_reading")
    op.drop_table("mail")
