"""Makers' homes: addresses under seal, quiet hours, pickups, and who was shown an address."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "maker_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_maker_address_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maker_address")),
        sa.UniqueConstraint("person_id", name=op.f("uq_maker_address_person_id")),
    )
    op.create_table(
        "maker_settings",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "handing_over",
            sa.Enum("drop_off", "pickup", name="handingover", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("hidden_since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_maker_settings_quiet_both_or_none")
        ),
        sa.CheckConstraint("quiet_from <> quiet_until", name=op.f("ck_maker_settings_quiet_not_empty")),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439", name=op.f("ck_maker_settings_quiet_from_in_day")),
        sa.CheckConstraint("quiet_until BETWEEN 0 AND 1439", name=op.f("ck_maker_settings_quiet_until_in_day")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_maker_settings_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_maker_settings")),
    )
    op.create_table(
        "pickup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("hub_id", sa.Uuid(), nullable=False),
        sa.Column("courier_id", sa.Uuid(), nullable=True),
        sa.Column("begins", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ends", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "given",
                "under_way",
                "collected",
                "cancelled",
                name="pickupstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("begins < ends", name=op.f("ck_pickup_begins_before_its_end")),
        sa.ForeignKeyConstraint(["courier_id"], ["person.id"], name=op.f("fk_pickup_courier_id_person")),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_pickup_hub_id_organisation")),
        sa.ForeignKeyConstraint(["maker_id"], ["person.id"], name=op.f("fk_pickup_maker_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup")),
    )
    with op.batch_alter_table("pickup") as batch_op:
        batch_op.create_index(batch_op.f("ix_pickup_courier_id"), ["courier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pickup_hub_id"), ["hub_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pickup_maker_id"), ["maker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pickup_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_pickup_open_maker",
            ["maker_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('asked', 'given', 'under_way')"),
            postgresql_where=sa.text("state IN ('asked', 'given', 'under_way')"),
        )

    op.create_table(
        "address_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "requester",
                "maker",
                "dispatcher",
                "courier",
                "reviewer",
                "admin",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("hub_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_id", sa.Uuid(), nullable=True),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["hub_id"], ["organisation.id"], name=op.f("fk_address_view_hub_id_organisation")),
        sa.ForeignKeyConstraint(
            ["maker_id"], ["person.id"], name=op.f("fk_address_view_maker_id_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pickup_id"], ["pickup.id"], name=op.f("fk_address_view_pickup_id_pickup"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["viewer_id"], ["person.id"], name=op.f("fk_address_view_viewer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_view")),
    )
    with op.batch_alter_table("address_view") as batch_op:
        batch_op.create_index(batch_op.f("ix_address_view_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_view_maker_id"), ["maker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_view_pickup_id"), ["pickup_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_view_viewer_id"), ["viewer_id"], unique=False)

    op.create_table(
        "pickup_lot",
        sa.Column("pickup_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_pickup_lot_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["pickup_id"], ["pickup.id"], name=op.f("fk_pickup_lot_pickup_id_pickup"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pickup_id", "lot_id", name=op.f("pk_pickup_lot")),
    )
    with op.batch_alter_table("pickup_lot") as batch_op:
        batch_op.create_index(batch_op.f("ix_pickup_lot_lot_id"), ["lot_id"], unique=False)

    with op.batch_alter_table("organisation") as batch_op:
        batch_op.add_column(sa.Column("offers_pickup", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.alter_column("offers_pickup", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.drop_column("offers_pickup")

    with op.batch_alter_table("pickup_lot") as batch_op:
        batch_op.drop_index(batch_op.f("ix_pickup_lot_lot_id"))

    op.drop_table("pickup_lot")
    with op.batch_alter_table("address_view") as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_view_viewer_id"))
        batch_op.drop_index(batch_op.f("ix_address_view_pickup_id"))
        batch_op.drop_index(batch_op.f("ix_address_view_maker_id"))
        batch_op.drop_index(batch_op.f("ix_address_view_at"))

    op.drop_table("address_view")
    with op.batch_alter_table("pickup") as batch_op:
        batch_op.drop_index(
            "uq_pickup_open_maker",
            sqlite_where=sa.text("state IN ('asked', 'given', 'under_way')"),
            postgresql_where=sa.text("state IN ('asked', 'given', 'under_way')"),
        )
        batch_op.drop_index(batch_op.f("ix_pickup_state"))
        batch_op.drop_index(batch_op.f("ix_pickup_maker_id"))
        batch_op.drop_index(batch_op.f("ix_pickup_hub_id"))
        batch_op.drop_index(batch_op.f("ix_pickup_courier_id"))

    op.drop_table("pickup")
    op.drop_table("maker_settings")
    op.drop_table("maker_address")
