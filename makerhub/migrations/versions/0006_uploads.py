"""Designs that people hand in."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = ("received", "checked", "accepted", "refused", "published", "discarded")


def upgrade() -> None:
    """Apply this revision."""
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hub_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("file_name", text(length=200), nullable=False),
        sa.Column("manifest", text(length=20_000), nullable=False),
        sa.Column("mends", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Enum(*_STATES, name="uploadstate", native_enum=False, length=32), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("problem", text(length=1000), nullable=False),
        sa.Column("problem_values", sa.JSON(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_upload_hub_id_organisation")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["person.id"], name=op.f("fk_upload_uploaded_by_person")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["design_version.id"], name=op.f("fk_upload_version_id_design_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_hub_id"), "upload", ["hub_id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("upload")
