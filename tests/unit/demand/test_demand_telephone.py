"""A request on the telephone: what the caller gets, what the secret opens, and what is forgotten."""

import pytest
from builders import LARGEST, NOW, POLICY, World, at_once, later, person
from sqlmodel import select

from makerhub.db import Session
from makerhub.delivery import access as delivery_access
from makerhub.delivery.models import Shipment
from makerhub.demand import access, service, telephone
from makerhub.demand.models import CallState, RequestState, SupplyRequest, TelephoneCall
from makerhub.demand.telephone import Caller, find_call
from makerhub.errors import Invalid, NotFound
from makerhub.lifecycle import history
from makerhub.notices import service as notices
from makerhub.notices.models import Mail
from makerhub.people.access import can, visible
from makerhub.people.models import Person, Role
from makerhub.privacy.erasure import erase

assert delivery_access


def opened(world: World, secret: str) -> tuple[TelephoneCall, SupplyRequest]:
    with world.database.reading() as session:
        return find_call(session, secret)


def test_without_an_address_there_is_a_code_that_opens_the_request_however_it_is_typed(world: World) -> None:
    noted, code = world.called()
    assert len(code) == 12
    assert world.all(Mail) == []
    for typed in (code, code.lower(), f" {code[:4]}-{code[4:8]} {code[8:]}"):
        assert opened(world, typed)[0].id == noted.id
    with pytest.raises(NotFound):
        opened(world, "ABCD-EFGH-JKLM")
    assert code not in str(world.all(TelephoneCall))


def test_with_an_address_a_mail_has_the_link_and_names_what_was_asked_for(world: World) -> None:
    noted, secret = world.called("Carla@Example.org")
    [mail] = world.all(Mail)
    values = notices.values_of(mail, world.key_box)
    assert values is not None
    assert (mail.address, noted.email) == ("carla@example.org", "carla@example.org")
    assert values["link"] == f"https://hub.example/called/{secret}"
    assert values["items"] == "10 × Headband (1 Apr 2020)"
    assert opened(world, secret)[0].id == noted.id


def test_the_log_says_by_telephone_and_by_whom(world: World) -> None:
    noted, _ = world.called()
    with world.database.reading() as session:
        [begun] = history(session, session.get_one(SupplyRequest, noted.request_id))
    assert (begun.by, begun.why) == (world.dispatcher.id, telephone.BY_TELEPHONE)


@pytest.mark.parametrize(
    ("caller", "fields"),
    [
        (Caller("", "020 7946 0123"), {"caller"}),
        (Caller("C" * 101, "020 7946 0123"), {"caller"}),
        (Caller("Carla", "ask Dan"), {"number"}),
        (Caller("Carla", "0" * 41), {"number"}),
        (Caller("Carla", "020 7946 0123", "carla@"), {"email"}),
        (Caller(" ", "1", "nowhere"), {"caller", "number", "email"}),
    ],
)
def test_what_is_wrong_with_the_caller_is_told_with_what_is_wrong_with_the_request(
    world: World, caller: Caller, fields: set[str]
) -> None:
    new = world.new_request(world.new_line(quantity=0))
    with pytest.raises(Invalid) as refused, world.database.changing() as session:
        telephone.write_down(session, new, caller, world.post, largest=LARGEST, policy=POLICY, now=NOW)
    assert refused.value.fields.keys() == {*fields, "0-quantity"}
    assert not world.all(SupplyRequest)
    assert not world.all(TelephoneCall)


def test_a_form_that_is_sent_twice_is_one_request_and_the_later_secret_holds(world: World) -> None:
    form_key = world.new_request().form_key
    first, earlier = world.called(form_key=form_key)
    second, code = world.called(form_key=form_key)
    assert first.id == second.id
    assert opened(world, code)[0].id == first.id
    with pytest.raises(NotFound):
        opened(world, earlier)


def test_of_many_confirmations_at_once_one_is_logged(world: World) -> None:
    noted, secret = world.called()

    def confirm() -> None:
        with world.database.changing() as session:
            telephone.confirm(session, find_call(session, secret)[0], now=NOW)

    at_once(*[confirm] * 8)
    assert world.get(TelephoneCall, noted.id).state is CallState.CONFIRMED
    with world.database.reading() as session:
        states = [change.after for change in history(session, session.get_one(TelephoneCall, noted.id))]
    assert states == ["noted", "confirmed"]


def test_the_caller_cancels_and_cancelling_again_changes_nothing(world: World) -> None:
    _, secret = world.called()
    for _ in range(2):
        with world.database.changing() as session:
            telephone.cancel(session, find_call(session, secret)[1], now=NOW)
    [request] = world.all(SupplyRequest)
    assert request.state is RequestState.CANCELLED
    with world.database.reading() as session:
        changes = history(session, request)
    assert [(change.after, change.by, change.why) for change in changes[1:]] == [
        ("cancelled", None, telephone.BY_THE_CALLER)
    ]


def test_a_new_secret_makes_the_old_one_void(world: World) -> None:
    noted, earlier = world.called()
    with world.database.changing() as session:
        secret = telephone.give_secret(session, session.get_one(TelephoneCall, noted.id), world.post, now=NOW)
    assert opened(world, secret)[0].id == noted.id
    with pytest.raises(NotFound):
        opened(world, earlier)


def test_a_caller_with_an_account_has_the_request_and_its_deliveries_among_the_own(world: World) -> None:
    noted, _ = world.called("carla@example.org")
    world.request()
    with world.database.changing() as session:
        carla = person(session, "Carla", (world.hub, Role.MAKER))
        stranger = person(session, "Stella", (world.hub, Role.MAKER))
        request = session.get_one(SupplyRequest, noted.request_id)
        service.accept(session, request, by=world.dispatcher.id, now=NOW)
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    with world.database.reading() as session:
        assert [one.id for one in session.exec(visible(carla, SupplyRequest))] == [request.id]
        assert can(session, carla, access.CANCEL, request)
        assert can(session, carla, delivery_access.CONFIRM, shipment)
        for model in (SupplyRequest, TelephoneCall):
            assert session.exec(visible(stranger, model)).all() == []
        assert shipment.id not in {one.id for one in session.exec(visible(stranger, Shipment))}


def test_the_hub_s_dispatchers_see_who_called_and_the_facility_s_people_do_not(world: World) -> None:
    noted, _ = world.called()

    def sees(session: Session, who: Person) -> bool:
        return session.exec(visible(who, TelephoneCall).where(TelephoneCall.id == noted.id)).first() is not None

    with world.database.reading() as session:
        assert sees(session, world.dispatcher)
        assert not sees(session, world.requester)
        assert not sees(session, world.courier)


def test_a_caller_is_forgotten_when_they_ask_and_when_they_are_erased(world: World) -> None:
    noted, secret = world.called()
    with world.database.changing() as session:
        telephone.forget_caller(session, session.get_one(TelephoneCall, noted.id), now=NOW)
    with pytest.raises(NotFound):
        opened(world, secret)
    world.called("carla@example.org")
    with world.database.changing() as session:
        carla = person(session, "Carla")
        erase(session, carla, by=None, now=later(days=1))
        assert session.exec(select(TelephoneCall)).all() == []
    assert len(world.all(SupplyRequest)) == 2
