"""Recalls, and the notices to facilities."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "recall",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("material", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("hub_id", sa.Uuid(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_recall_hub_id_organisation")),
        sa.ForeignKeyConstraint(["started_by"], ["person.id"], name=op.f("fk_recall_started_by_person")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["design_version.id"], name=op.f("fk_recall_version_id_design_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(op.f("ix_recall_version_id"), "recall", ["version_id"])
    op.create_table(
        "recall_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=True),
        sa.Column(
            "state", sa.Enum("open", "answered", name="noticestate", native_enum=False, length=32), nullable=False
        ),
        sa.Column("told_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_recall_notice_pieces_positive")),
        sa.CheckConstraint("set_aside >= 0", name=op.f("ck_recall_notice_set_aside_not_negative")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["organisation.id"], name=op.f("fk_recall_notice_facility_id_organisation")
        ),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_notice_recall_id_recall")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_notice")),
        sa.UniqueConstraint("recall_id", "facility_id", name=op.f("uq_recall_notice_recall_id_facility_id")),
    )
    op.create_index(op.f("ix_recall_notice_facility_id"), "recall_notice", ["facility_id"])


def downgrade() -> None:
    """Take this revision back."""
    for table in ("recall_notice", "recall"):
        op.drop_table(table)
