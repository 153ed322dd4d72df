"""The outbox as an administrator sees it."""

from datetime import timedelta

import pytest
from builders import NOW, World, later
from unit.notices.sample_letters import LINK, NEWS
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.audit.models import Deed
from makerhub.notices import service
from makerhub.notices.channel import AddressRefused, Written
from makerhub.notices.models import Mail, MailReading, MailState
from makerhub.people.models import Role


@pytest.fixture
def ada(house: House, world: World) -> Browser:
    """The administrator."""
    house.add_person("Ada", (world.hub, Role.ADMIN))
    return house.signed_in("ada")


def told(house: House, state: MailState = MailState.WAITING) -> Mail:
    with house.database.changing() as session:
        values = {"link": "https://hub.example/1"}
        mail = service.tell(
            session, LINK, to="ruth@example.org", values=values, language="en", now=NOW, key_box=house.world.key_box
        )
        if state is not MailState.WAITING:
            service.claim(session, mail, now=NOW)
        if state is MailState.FAILED:
            service.not_sent(session, mail, AddressRefused(), now=later(minutes=1))
        if state is MailState.SENT:
            service.sent(session, mail, now=later(minutes=1))
        return mail


def test_without_a_mail_it_says_what_will_come(ada: Browser) -> None:
    assert "No mail yet" in ada.get("/admin/mails").text


def test_mails_are_listed_with_what_became_of_them(house: House, ada: Browser) -> None:
    told(house, MailState.FAILED)
    told(house)
    told(house, MailState.SENT)
    text = ada.get("/admin/mails").text
    assert text.index("Failed") < text.index(AddressRefused.template) < text.index("Waiting") < text.index("Sent")
    assert "hub.example/1" not in text


@pytest.mark.parametrize("state", [MailState.WAITING, MailState.FAILED])
def test_a_mail_is_read_at_a_click_that_is_kept(house: House, ada: Browser, state: MailState) -> None:
    mail = told(house, state)
    address = f"/admin/mails/{mail.id}"
    assert "hub.example/1" not in ada.get(address).text
    assert "https://hub.example/1" in ada.post(f"{address}/read", form="/").text
    [reading] = house.world.all(MailReading)
    assert (reading.mail_id, reading.person_id, reading.at) == (mail.id, house.people["ada"].id, house.time.now)
    assert "Ada" in ada.get(address).text.split("Who has read it here")[1]


def test_reading_a_mail_wants_a_fresh_proof_and_stays_in_the_log(house: House, ada: Browser) -> None:
    mail = told(house)
    house.time.now += timedelta(minutes=16)
    refused = ada.post(f"/admin/mails/{mail.id}/read", form="/")
    assert refused.headers["Location"].startswith("/confirm")
    assert house.world.all(MailReading) == []
    again = house.signed_in("ada").post(f"/admin/mails/{mail.id}/read", form="/")
    assert "https://hub.example/1" in again.text
    [deed] = [deed for deed in house.world.all(Deed) if deed.entity == "mail"]
    assert (deed.what, deed.entity_id, deed.by) == ("mail read", mail.id, house.people["ada"].id)


def test_a_mail_that_went_into_the_folder_is_handed_over(house: House, ada: Browser) -> None:
    mail = told(house, MailState.SENT)
    assert "is not kept" in ada.get(f"/admin/mails/{mail.id}").text
    assert ada.post(f"/admin/mails/{mail.id}/read", form="/").status_code == 404
    house.channel.send(Written(mail.id, mail.address, "A link", "Open https://hub.example/1"))
    assert "https://hub.example/1" in ada.post(f"/admin/mails/{mail.id}/read", form="/").text


def test_a_mail_that_was_given_up_is_tried_again(house: House, ada: Browser) -> None:
    mail = told(house, MailState.FAILED)
    assert ada.post(f"/admin/mails/{mail.id}/retry", form="/").status_code == 302
    row = house.world.get(Mail, mail.id)
    assert (row.state, row.due_at) == (MailState.WAITING, house.time.now)
    assert house.nudged == ["send_mails"]


def test_a_mail_that_was_sent_is_not_tried_again(house: House, ada: Browser) -> None:
    mail = told(house, MailState.SENT)
    assert ada.post(f"/admin/mails/{mail.id}/retry", form="/").status_code == 409


def test_what_it_says_is_for_the_eyes_of_administrators_only(house: House) -> None:
    mail = told(house)
    for name in ("dan", "mona", "ruth"):
        browser = house.signed_in(name)
        assert browser.get("/admin/mails").status_code == 404
        assert browser.post(f"/admin/mails/{mail.id}/read", form="/").status_code == 404
    assert house.world.all(MailReading) == []


def test_markup_in_a_mail_is_text(house: House, ada: Browser) -> None:
    with house.database.changing() as session:
        values = {"what": "<script>alert(1)</script>"}
        mail = service.tell(session, NEWS, to="a@example.org", values=values, language="en", now=NOW)
    assert "<script>alert" not in ada.post(f"/admin/mails/{mail.id}/read", form="/").text
