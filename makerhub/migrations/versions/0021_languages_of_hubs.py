"""The languages that the people of a hub speak."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    text = sqlmodel.sql.sqltypes.AutoString
    with op.batch_alter_table("hub_profile") as table:
        table.add_column(sa.Column("languages", text(length=200), nullable=False, server_default=""))
    with op.batch_alter_table("hub_profile") as table:
        table.alter_column("languages", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("hub_profile") as table:
        table.drop_column("languages")
