"""Signing in by mail, sign-ins that can be told apart, and sealed letters."""

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "sign_in_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", text(length=254), nullable=False),
        sa.Column("language", text(length=16), nullable=False),
        sa.Column("next_page", text(length=500), nullable=False),
        sa.Column("asked_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("answered_at", moment(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("link_sha256", text(length=64), nullable=True),
        sa.Column("sealed_code", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sign_in_request_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_request")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_sign_in_request_link_sha256")),
    )
    for column in ("email", "expires_at", "person_id"):
        op.create_index(op.f(f"ix_sign_in_request_{column}"), "sign_in_request", [column])
    op.execute("DELETE FROM browser_session WHERE person_id IS NULL")
    with op.batch_alter_table("browser_session") as batch_op:
        batch_op.add_column(sa.Column("key", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("agent", text(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("address", text(length=45), nullable=False, server_default=""))
    _give_keys()
    with op.batch_alter_table("browser_session") as batch_op:
        batch_op.alter_column("key", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("agent", server_default=None)
        batch_op.alter_column("address", server_default=None)
        batch_op.create_unique_constraint(op.f("uq_browser_session_key"), ["key"])
    with op.batch_alter_table("mail") as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table("mail") as batch_op:
        batch_op.alter_column("sealed", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("mail") as batch_op:
        batch_op.drop_column("sealed")
    with op.batch_alter_table("browser_session") as batch_op:
        batch_op.drop_constraint(op.f("uq_browser_session_key"), type_="unique")
        for column in ("address", "agent", "key"):
            batch_op.drop_column(column)
    op.drop_table("sign_in_request")


def _give_keys() -> None:
    rows = sa.table("browser_session", sa.column("id", sa.String()), sa.column("key", sa.Uuid()))
    connection = op.get_bind()
    for (row_id,) in connection.execute(sa.select(rows.c.id)).all():
        connection.execute(rows.update().where(rows.c.id == row_id).values(key=uuid4()))
