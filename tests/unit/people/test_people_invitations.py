"""Invitations: only to what one may give, by a link that works once, can be taken back and runs out."""

import pytest
from builders import NOW, World, at_once, failures, later, organisation, person

from makerhub.errors import IllegalMove, Invalid
from makerhub.notices.models import Mail
from makerhub.notices.service import values_of
from makerhub.people import invitations, service
from makerhub.people.access import visible
from makerhub.people.entry_models import Invitation, InvitationState
from makerhub.people.invitations import InvitationOver, roles_to_give
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.people.service import disable
from makerhub.people.tasks import expire_invitations

NEW = "nina@example.org"


def invite(world: World, role: Role = Role.MAKER, place: Organisation | None = None, email: str = NEW) -> str:
    """Dan invites; gives the token of the link."""
    with world.database.changing() as session:
        invitations.invite(
            session, email, role, place or world.hub, by=world.dispatcher, language="en", key_box=world.key_box,
            pages="https://hub.example", now=NOW,
        )  # fmt: skip
    with world.database.reading() as session:
        letters = [values_of(mail, world.key_box) for mail in session.exec(visible(admin(world), Mail))]
    return str((letters[-1] or {})["link"]).removeprefix("https://hub.example/join/")


def admin(world: World) -> Person:
    found = [somebody for somebody in world.all(Person) if somebody.name == "Ada"]
    if found:
        return found[0]
    with world.database.changing() as session:
        return person(session, "Ada", (world.hub, Role.ADMIN))


def join(world: World, token: str, name: str = "Nina", minutes: float = 0) -> Person:
    with world.database.changing() as session:
        return invitations.join(session, token, name, language="en", now=later(minutes=minutes))


def roles_of(world: World, key: Person) -> set[tuple[Role, object]]:
    return {(membership.role, membership.organisation_id) for membership in world.get(Person, key.id).roles}


def test_somebody_new_joins_under_a_name(world: World) -> None:
    nina = join(world, invite(world))
    assert (nina.email, nina.name, nina.password) == (NEW, "Nina", None)
    assert roles_of(world, nina) == {(Role.MAKER, world.hub.id)}
    [invitation] = world.all(Invitation)
    assert (invitation.state, invitation.joined_by) == (InvitationState.JOINED, nina.id)


def test_somebody_who_is_here_gets_a_further_role_and_keeps_the_name(world: World) -> None:
    mona = join(world, invite(world, Role.COURIER, email="Mona@example.org"), name="Somebody else")
    assert (mona.id, mona.name) == (world.maker.id, "Mona")
    assert roles_of(world, mona) == {(Role.MAKER, world.hub.id), (Role.COURIER, world.hub.id)}


def test_whoever_is_here_is_invited_in_their_own_language(world: World) -> None:
    with world.database.changing() as session:
        service.set_language(session, session.get_one(Person, world.maker.id), "es")
    invite(world, Role.COURIER, email="mona@example.org")
    invite(world)
    assert {mail.address: mail.language for mail in world.all(Mail)} == {"mona@example.org": "es", NEW: "en"}


def test_a_link_lets_in_once_even_where_many_use_it_at_once(world: World) -> None:
    token = invite(world)
    results = at_once(*[lambda: join(world, token)] * 8)
    assert len(failures(results)) == 7
    assert len([somebody for somebody in world.all(Person) if somebody.email == NEW]) == 1
    with pytest.raises(InvitationOver):
        join(world, token)


def test_a_nameless_one_is_asked_again_and_the_link_still_works(world: World) -> None:
    token = invite(world)
    with pytest.raises(Invalid) as refused:
        join(world, token, name=" ")
    assert list(refused.value.fields) == ["name"]
    assert join(world, token).name == "Nina"


def test_it_runs_out_and_is_listed_as_such(world: World) -> None:
    token = invite(world)
    with pytest.raises(InvitationOver):
        join(world, token, minutes=14 * 24 * 60)
    expire_invitations.function(world.database, lambda: later(days=14))
    assert [row.state for row in world.all(Invitation)] == [InvitationState.EXPIRED]


def test_what_is_taken_back_opens_nothing_and_what_was_taken_up_is_not_taken_back(world: World) -> None:
    token = invite(world)
    with world.database.changing() as session:
        row = session.get_one(Invitation, world.all(Invitation)[0].id)
        invitations.revoke(session, row, by=world.dispatcher, now=NOW)
    with pytest.raises(InvitationOver):
        join(world, token)
    join(world, invite(world))
    [taken_up] = [row for row in world.all(Invitation) if row.state is InvitationState.JOINED]
    with world.database.changing() as session, pytest.raises(IllegalMove):
        invitations.revoke(session, session.get_one(Invitation, taken_up.id), by=world.dispatcher, now=NOW)


def test_inviting_again_takes_the_earlier_link_back(world: World) -> None:
    earlier, other, again = invite(world), invite(world, Role.COURIER), invite(world)
    with pytest.raises(InvitationOver):
        join(world, earlier)
    nina = join(world, other)
    assert join(world, again).id == nina.id


def test_somebody_who_is_shut_out_does_not_come_in_by_an_invitation(world: World) -> None:
    token = invite(world, Role.COURIER, email="mona@example.org")
    with world.database.changing() as session:
        disable(session, session.get_one(Person, world.maker.id), now=NOW)
    with pytest.raises(InvitationOver):
        join(world, token)


def test_the_database_does_not_hold_the_link(world: World) -> None:
    token = invite(world)
    assert token not in repr([*world.all(Invitation), *world.all(Mail)])


def test_who_may_give_which_role_where(world: World) -> None:
    with world.database.changing() as session:
        elsewhere = organisation(session, OrganisationKind.HUB, "Elsewhere Hub")
    dan, ada = world.dispatcher, admin(world)
    assert roles_to_give(dan, world.hub) == {Role.MAKER, Role.COURIER, Role.HELPER}
    assert roles_to_give(dan, elsewhere) == frozenset()
    assert roles_to_give(dan, world.care_home) == {Role.REQUESTER}
    assert roles_to_give(ada, elsewhere) == set(Role) - {Role.REQUESTER}
    assert roles_to_give(ada, world.care_home) == {Role.REQUESTER, Role.ADMIN}
    for nobody in (world.maker, world.courier, world.requester):
        assert roles_to_give(nobody, world.hub) | roles_to_give(nobody, world.care_home) == frozenset()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DISPATCHER, Role.REVIEWER, Role.REQUESTER])
def test_a_dispatcher_does_not_invite_to_more(world: World, role: Role) -> None:
    with pytest.raises(Invalid):
        invite(world, role)
    assert world.all(Invitation) == []
    assert world.all(Mail) == []
