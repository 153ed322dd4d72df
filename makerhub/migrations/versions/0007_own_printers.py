"""Models that makers describe, and what they bring for one printer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    for name in ("own_model", "own_code"):
        with op.batch_alter_table("printer") as batch_op:
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))
        with op.batch_alter_table("printer") as batch_op:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("printer") as batch_op:
        batch_op.drop_column("own_code")
        batch_op.drop_column("own_model")
