"""Evidence for facilities, profiles of hubs, who wants to join, merges, and where organisations are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_organisation = sa.table("organisation", sa.column("id", sa.Uuid()), sa.column("kind"))
_profile = sa.table(
    "hub_profile",
    sa.column("id", sa.Uuid()),
    sa.column("organisation_id", sa.Uuid()),
    sa.column("area"),
    sa.column("about"),
    sa.column("chat_links", sa.JSON()),
    sa.column("joins_freely", sa.Boolean()),
    sa.column("shows_address", sa.Boolean()),
    sa.column("since", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("state"),
)
_transition = sa.table(
    "transition",
    sa.column("entity"),
    sa.column("entity_id", sa.Uuid()),
    sa.column("after"),
    sa.column("at", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("why"),
)

_organisation = sa.table("organisation", sa.column("id", sa.Uuid()), sa.column("kind"))
_profile = sa.table(
    "hub_profile",
    sa.column("id", sa.Uuid()),
    sa.column("organisation_id", sa.Uuid()),
    sa.column("area"),
    sa.column("about"),
    sa.column("chat_links", sa.JSON()),
    sa.column("joins_freely", sa.Boolean()),
    sa.column("shows_address", sa.Boolean()),
    sa.column("since", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("state"),
)
_transition = sa.table(
    "transition",
    sa.column("entity"),
    sa.column("entity_id", sa.Uuid()),
    sa.column("after"),
    sa.column("at", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("why"),
)

_organisation = sa.table("organisation", sa.column("id", sa.Uuid()), sa.column("kind"))
_profile = sa.table(
    "hub_profile",
    sa.column("id", sa.Uuid()),
    sa.column("organisation_id", sa.Uuid()),
    sa.column("area"),
    sa.column("about"),
    sa.column("chat_links", sa.JSON()),
    sa.column("joins_freely", sa.Boolean()),
    sa.column("shows_address", sa.Boolean()),
    sa.column("since", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("state"),
)
_transition = sa.table(
    "transition",
    sa.column("entity"),
    sa.column("entity_id", sa.Uuid()),
    sa.column("after"),
    sa.column("at", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("why"),
)

_organisation = sa.table("organisation", sa.column("id", sa.Uuid()), sa.column("kind"))
_profile = sa.table(
    "hub_profile",
    sa.column("id", sa.Uuid()),
    sa.column("organisation_id", sa.Uuid()),
    sa.column("area"),
    sa.column("about"),
    sa.column("chat_links", sa.JSON()),
    sa.column("joins_freely", sa.Boolean()),
    sa.column("shows_address", sa.Boolean()),
    sa.column("since", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("state"),
)
_transition = sa.table(
    "transition",
    sa.column("entity"),
    sa.column("entity_id", sa.Uuid()),
    sa.column("after"),
    sa.column("at", sqlmodel.sql.sqltypes.UTCDateTime()),
    sa.column("why"),
)


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("name_key", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("postcode", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("postcode_key", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("hospital", "care_home", "hub", name="organisationkind", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("telephone", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("mail_domain", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("source", "code", name=op.f("uq_register_entry_source_code")),
    )
    with op.batch_alter_table("register_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_register_entry_name_key"), ["name_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_register_entry_postcode_key"), ["postcode_key"], unique=False)

    op.create_table(
        "call_back",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("confirmed", "nobody_reached", "not_known", name="calloutcome", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        sa.Column("called_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["called_by"], ["person.id"], name=op.f("fk_call_back_called_by_person")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["organisation.id"], name=op.f("fk_call_back_facility_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_back")),
    )
    with op.batch_alter_table("call_back", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_back_facility_id"), ["facility_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "mail_domain",
                "register_match",
                "call_back",
                "posted_code",
                name="evidencekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column(
            "state", sa.Enum("holds", "revoked", name="evidencestate", native_enum=False, length=32), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["organisation.id"], name=op.f("fk_evidence_facility_id_organisation")
        ),
        sa.ForeignKeyConstraint(["given_by"], ["person.id"], name=op.f("fk_evidence_given_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_facility_id"), ["facility_id"], unique=False)

    op.create_table(
        "facility_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state", sa.Enum("merged", "undone", name="mergestate", native_enum=False, length=32), nullable=False
        ),
        sa.ForeignKeyConstraint(["kept_id"], ["organisation.id"], name=op.f("fk_facility_merge_kept_id_organisation")),
        sa.ForeignKeyConstraint(["merged_by"], ["person.id"], name=op.f("fk_facility_merge_merged_by_person")),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["organisation.id"], name=op.f("fk_facility_merge_merged_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_merge")),
    )
    with op.batch_alter_table("facility_merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_facility_merge_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_facility_merge_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "hub_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("about", sqlmodel.sql.sqltypes.AutoString(length=600), nullable=False),
        sa.Column("chat_links", sa.JSON(), nullable=False),
        sa.Column("joins_freely", sa.Boolean(), nullable=False),
        sa.Column("shows_address", sa.Boolean(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed", "active", "sleeping", "closed", "declined", name="hubstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_hub_profile_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_hub_profile_proposed_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_profile")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_hub_profile_organisation_id")),
    )
    op.create_table(
        "join_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "requester",
                "maker",
                "dispatcher",
                "courier",
                "reviewer",
                "helper",
                "admin",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("message", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("asked", "accepted", "declined", "taken_back", name="joinstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_join_request_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_join_request_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
    )
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_join_request_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_join_request_person_id"), ["person_id"], unique=False)

    op.create_table(
        "maker_cell",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("cell", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_maker_cell_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_maker_cell")),
    )
    op.create_table(
        "proof_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Enum("mail", "post", name="way", native_enum=False, length=32), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("code_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("on_its_way", "confirmed", "locked", "replaced", name="codestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.CheckConstraint("tries_left >= 0", name=op.f("ck_proof_code_tries_left_not_negative")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["organisation.id"], name=op.f("fk_proof_code_facility_id_organisation")
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["person.id"], name=op.f("fk_proof_code_sent_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_code")),
    )
    with op.batch_alter_table("proof_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proof_code_facility_id"), ["facility_id"], unique=False)

    op.create_table(
        "telephone_call",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["supply_request.id"], name=op.f("fk_telephone_call_request_id_supply_request")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_telephone_call")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("postcode", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("latitude", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("longitude", sa.Float(), nullable=True))
        batch_op.add_column(
            sa.Column("opening_hours", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("merged_into", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_organisation_merged_into_organisation"), "organisation", ["merged_into"], ["id"]
        )
    with op.batch_alter_table("organisation") as batch_op:
        batch_op.alter_column("postcode", server_default=None)
        batch_op.alter_column("opening_hours", server_default=None)
    _describe_hubs()


def _describe_hubs() -> None:
    """Every hub that is there works: it gets a profile that says so, and its line in the log."""
    connection, now = op.get_bind(), datetime.now(UTC)
    hubs = connection.execute(sa.select(_organisation.c.id).where(_organisation.c.kind == "hub")).scalars().all()
    for hub in hubs:
        key = uuid4()
        said = {"area": "", "about": "", "chat_links": [], "joins_freely": False, "shows_address": False}
        connection.execute(_profile.insert().values(id=key, organisation_id=hub, since=now, state="active", **said))
        entry = {"entity": "hub_profile", "entity_id": key, "after": "active", "why": "was there before profiles"}
        connection.execute(_transition.insert().values(at=now, **entry))


def _describe_hubs() -> None:
    """Every hub that is there works: it gets a profile that says so, and its line in the log."""
    connection, now = op.get_bind(), datetime.now(UTC)
    hubs = connection.execute(sa.select(_organisation.c.id).where(_organisation.c.kind == "hub")).scalars().all()
    for hub in hubs:
        key = uuid4()
        said = {"area": "", "about": "", "chat_links": [], "joins_freely": False, "shows_address": False}
        connection.execute(_profile.insert().values(id=key, organisation_id=hub, since=now, state="active", **said))
        entry = {"entity": "hub_profile", "entity_id": key, "after": "active", "why": "was there before profiles"}
        connection.execute(_transition.insert().values(at=now, **entry))


def _describe_hubs() -> None:
    """Every hub that is there works: it gets a profile that says so, and its line in the log."""
    connection, now = op.get_bind(), datetime.now(UTC)
    hubs = connection.execute(sa.select(_organisation.c.id).where(_organisation.c.kind == "hub")).scalars().all()
    for hub in hubs:
        key = uuid4()
        said = {"area": "", "about": "", "chat_links": [], "joins_freely": False, "shows_address": False}
        connection.execute(_profile.insert().values(id=key, organisation_id=hub, since=now, state="active", **said))
        entry = {"entity": "hub_profile", "entity_id": key, "after": "active", "why": "was there before profiles"}
        connection.execute(_transition.insert().values(at=now, **entry))


def _describe_hubs() -> None:
    """Every hub that is there works: it gets a profile that says so, and its line in the log."""
    connection, now = op.get_bind(), datetime.now(UTC)
    hubs = connection.execute(sa.select(_organisation.c.id).where(_organisation.c.kind == "hub")).scalars().all()
    for hub in hubs:
        key = uuid4()
        said = {"area": "", "about": "", "chat_links": [], "joins_freely": False, "shows_address": False}
        connection.execute(_profile.insert().values(id=key, organisation_id=hub, since=now, state="active", **said))
        entry = {"entity": "hub_profile", "entity_id": key, "after": "active", "why": "was there before profiles"}
        connection.execute(_transition.insert().values(at=now, **entry))


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_organisation_merged_into_organisation"), type_="foreignkey")
        batch_op.drop_column("merged_into")
        batch_op.drop_column("opening_hours")
        batch_op.drop_column("longitude")
        batch_op.drop_column("latitude")
        batch_op.drop_column("postcode")

    op.drop_table("telephone_call")
    with op.batch_alter_table("proof_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proof_code_facility_id"))

    op.drop_table("proof_code")
    op.drop_table("maker_cell")
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_join_request_person_id"))
        batch_op.drop_index(batch_op.f("ix_join_request_organisation_id"))

    op.drop_table("join_request")
    op.drop_table("hub_profile")
    with op.batch_alter_table("facility_merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_facility_merge_merged_id"))
        batch_op.drop_index(batch_op.f("ix_facility_merge_kept_id"))

    op.drop_table("facility_merge")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_facility_id"))

    op.drop_table("evidence")
    with op.batch_alter_table("call_back", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_back_facility_id"))

    op.drop_table("call_back")
    with op.batch_alter_table("register_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_register_entry_postcode_key"))
        batch_op.drop_index(batch_op.f("ix_register_entry_name_key"))

    op.drop_table("register_entry")
