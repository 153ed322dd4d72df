"""Requests ask for kits, and kits say how many of each part and component they hold.

Every line that is there already asks for the first kit of its version, which revision 0002 made of all parts.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ID = sa.Uuid()


def upgrade() -> None:
    """Apply this revision."""
    with op.batch_alter_table("request_line") as batch_op:
        batch_op.add_column(sa.Column("kit_id", _ID, nullable=True))
    line = sa.table("request_line", sa.column("version_id", _ID), sa.column("kit_id", _ID))
    kit = sa.table("kit", sa.column("id", _ID), sa.column("version_id", _ID), sa.column("position"))
    first = sa.select(kit.c.id).where(kit.c.version_id == line.c.version_id, kit.c.position == 0).scalar_subquery()
    op.execute(line.update().values(kit_id=first))
    with op.batch_alter_table("request_line") as batch_op:
        batch_op.alter_column("kit_id", nullable=False)
        batch_op.create_foreign_key(batch_op.f("fk_request_line_kit_id_kit"), "kit", ["kit_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_request_line_kit_id"), ["kit_id"])
        batch_op.drop_index(batch_op.f("ix_request_line_version_id"))
        batch_op.drop_constraint(batch_op.f("fk_request_line_version_id_design_version"), type_="foreignkey")
        batch_op.drop_column("version_id")
    with op.batch_alter_table("part") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_part_quantity_positive"), type_="check")
        batch_op.drop_column("quantity")
    with op.batch_alter_table("component") as batch_op:
        batch_op.drop_column("quantity")


def downgrade() -> None:
    """Take this revision back; of several kits the first one is kept."""
    for thing in ("part", "component"):
        with op.batch_alter_table(thing) as batch_op:
            batch_op.add_column(sa.Column("quantity", sa.Integer(), nullable=False, server_default="1"))
        whole = sa.table(thing, sa.column("id", _ID), sa.column("quantity"))
        member = sa.table(f"kit_{thing}", sa.column(f"{thing}_id", _ID), sa.column("quantity"))
        most = sa.select(sa.func.max(member.c.quantity)).where(member.c[f"{thing}_id"] == whole.c.id)
        op.execute(whole.update().values(quantity=sa.func.coalesce(most.scalar_subquery(), 1)))
        with op.batch_alter_table(thing) as batch_op:
            batch_op.alter_column("quantity", server_default=None)
            if thing == "part":
                batch_op.create_check_constraint(batch_op.f("ck_part_quantity_positive"), "quantity > 0")
    with op.batch_alter_table("request_line") as batch_op:
        batch_op.add_column(sa.Column("version_id", _ID, nullable=True))
    line = sa.table("request_line", sa.column("version_id", _ID), sa.column("kit_id", _ID))
    kit = sa.table("kit", sa.column("id", _ID), sa.column("version_id", _ID))
    version = sa.select(kit.c.version_id).where(kit.c.id == line.c.kit_id).scalar_subquery()
    op.execute(line.update().values(version_id=version))
    with op.batch_alter_table("request_line") as batch_op:
        batch_op.alter_column("version_id", nullable=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_request_line_version_id_design_version"), "design_version", ["version_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_request_line_version_id"), ["version_id"])
        batch_op.drop_index(batch_op.f("ix_request_line_kit_id"))
        batch_op.drop_constraint(batch_op.f("fk_request_line_kit_id_kit"), type_="foreignkey")
        batch_op.drop_column("kit_id")
