"""Kits of a version, its parent and picture, what parts were read from, and where copies lie on a plate.

Every version that is there already becomes one kit of all its parts and components.
"""

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ADDED = {
    "design_version": (("picture_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), ""),),
    "part": (
        ("original_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), ""),
        ("original_name", sqlmodel.sql.sqltypes.AutoString(length=200), ""),
        ("analysis", sa.JSON(), "{}"),
    ),
    "plate_slice": (("placements", sa.JSON(), "[]"),),
}


def upgrade() -> None:
    """Apply this revision."""
    for table, columns in _ADDED.items():
        with op.batch_alter_table(table) as batch_op:
            for name, kind, default in columns:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        with op.batch_alter_table(table) as batch_op:
            for name, _, _ in columns:
                batch_op.alter_column(name, server_default=None)
    with op.batch_alter_table("design_version") as batch_op:
        batch_op.add_column(sa.Column("parent_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("published_by", sa.Uuid(), nullable=True))
        for column, table in (("parent_id", "design_version"), ("published_by", "person")):
            batch_op.create_foreign_key(batch_op.f(f"fk_design_version_{column}_{table}"), table, [column], ["id"])
    _create_tables()
    _make_kits()


def _create_tables() -> None:
    op.create_table(
        "kit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("fits", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["design_version.id"], name=op.f("fk_kit_version_id_design_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit")),
        sa.UniqueConstraint("version_id", "name", name=op.f("uq_kit_version_id_name")),
    )
    op.create_index(op.f("ix_kit_version_id"), "kit", ["version_id"])
    for thing in ("part", "component"):
        table = f"kit_{thing}"
        op.create_table(
            table,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column("kit_id", sa.Uuid(), nullable=False),
            sa.Column(f"{thing}_id", sa.Uuid(), nullable=False),
            sa.Column("quantity", sa.Integer(), nullable=False),
            sa.CheckConstraint("quantity > 0", name=op.f(f"ck_{table}_quantity_positive")),
            sa.ForeignKeyConstraint(["kit_id"], ["kit.id"], name=op.f(f"fk_{table}_kit_id_kit")),
            sa.ForeignKeyConstraint([f"{thing}_id"], [f"{thing}.id"], name=op.f(f"fk_{table}_{thing}_id_{thing}")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("kit_id", f"{thing}_id", name=op.f(f"uq_{table}_kit_id_{thing}_id")),
        )
        op.create_index(op.f(f"ix_{table}_{thing}_id"), table, [f"{thing}_id"])


def _make_kits() -> None:
    connection = op.get_bind()
    ids = {"id": sa.Uuid(), "version_id": sa.Uuid(), "kit_id": sa.Uuid()}
    version = sa.table("design_version", sa.column("id", sa.Uuid()), sa.column("name"))
    kit = sa.table(
        "kit", *(sa.column(name, ids.get(name)) for name in ("id", "version_id", "position", "name", "fits"))
    )
    for version_id, name in connection.execute(sa.select(version.c.id, version.c.name)).all():
        kit_id = uuid4()
        connection.execute(kit.insert().values(id=kit_id, version_id=version_id, position=0, name=name[:100], fits=""))
        for thing in ("part", "component"):
            whole = sa.table(
                thing, sa.column("id", sa.Uuid()), sa.column("version_id", sa.Uuid()), sa.column("quantity")
            )
            member = sa.table(
                f"kit_{thing}",
                *(sa.column(name, sa.Uuid()) for name in ("id", "kit_id", f"{thing}_id")),
                sa.column("quantity"),
            )
            mine = sa.select(whole.c.id, whole.c.quantity).where(whole.c.version_id == version_id)
            for thing_id, quantity in connection.execute(mine).all():
                row = {"id": uuid4(), "kit_id": kit_id, f"{thing}_id": thing_id, "quantity": quantity}
                connection.execute(member.insert().values(row))


def downgrade() -> None:
    """Take this revision back; kits other than the whole are forgotten."""
    for table in ("kit_component", "kit_part", "kit"):
        op.drop_table(table)
    with op.batch_alter_table("design_version") as batch_op:
        for column, table in (("parent_id", "design_version"), ("published_by", "person")):
            batch_op.drop_constraint(batch_op.f(f"fk_design_version_{column}_{table}"), type_="foreignkey")
            batch_op.drop_column(column)
    for table, columns in _ADDED.items():
        with op.batch_alter_table(table) as batch_op:
            for name, _, _ in columns:
                batch_op.drop_column(name)
