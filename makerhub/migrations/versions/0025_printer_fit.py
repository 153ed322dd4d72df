"""Whether printers have the bed and nozzle of their model."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0025"
down_revision: str | Sequence[str] | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    told_by = sa.Enum("octoprint", "maker", name="toldby", native_enum=False, length=32)
    op.create_table(
        "printer_fit",
        sa.Column("printer_id", sa.Uuid(), nullable=False),
        sa.Column("profile", text(length=64), nullable=False),
        sa.Column("told_by", told_by, nullable=False),
        sa.Column("fits", sa.Boolean(), nullable=False),
        sa.Column("bed_width_mm", sa.Float(), nullable=True),
        sa.Column("bed_depth_mm", sa.Float(), nullable=True),
        sa.Column("nozzle_mm", sa.Float(), nullable=True),
        sa.Column("told_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["printer_id"], ["printer.id"], name=op.f("fk_printer_fit_printer_id_printer")),
        sa.PrimaryKeyConstraint("printer_id", name=op.f("pk_printer_fit")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("printer_fit")
