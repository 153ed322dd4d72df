"""How the hub reaches each printer; all so far are reached directly."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LINK = sa.Enum("direct", "agent", "by_hand", name="link", native_enum=False, length=32)


def upgrade() -> None:
    """Apply this revision."""
    with op.batch_alter_table("printer") as batch_op:
        batch_op.add_column(sa.Column("link", LINK, nullable=False, server_default="direct"))
    with op.batch_alter_table("printer") as batch_op:
        batch_op.alter_column("link", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("printer") as batch_op:
        batch_op.drop_column("link")
