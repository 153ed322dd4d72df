"""The name of somebody new who asks to be let in by mail."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0027"
down_revision: str | Sequence[str] | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    text = sqlmodel.sql.sqltypes.AutoString
    with op.batch_alter_table("sign_in_request") as table:
        table.add_column(sa.Column("name", text(length=200), nullable=False, server_default=""))
    with op.batch_alter_table("sign_in_request") as table:
        table.alter_column("name", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("sign_in_request") as table:
        table.drop_column("name")
