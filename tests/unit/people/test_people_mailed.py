"""Links and codes by mail: each works once, for an hour, and a few wrong codes end it."""

import re
from uuid import UUID

import pytest
from builders import NOW, World, at_once, failures, later

from makerhub.config import Settings
from makerhub.errors import MakerhubError
from makerhub.notices.models import Mail
from makerhub.notices.service import values_of
from makerhub.people import mailed
from makerhub.people.mailed import OutOfUse, WrongCode
from makerhub.people.models import Person, SignInRequest
from makerhub.people.service import disable
from makerhub.people.tasks import answer_sign_in_requests, forget_sign_ins

RUTH = "ruth@example.org"


def ask(world: World, email: str = RUTH) -> UUID:
    with world.database.changing() as session:
        return mailed.ask(session, email, language="en", next_page="/requests", now=NOW)


def answer(world: World) -> list[str]:
    nudged: list[str] = []
    answer_sign_in_requests.function(
        world.database, world.key_box, Settings(public_address="https://hub.example/"), lambda: NOW, nudged.append
    )
    return nudged


def last_mail(world: World) -> tuple[str, str]:
    """The token of the link and the code, as the mail has them."""
    mail = max(world.all(Mail), key=lambda mail: world.all(Mail).index(mail))
    values = values_of(mail, world.key_box)
    assert values is not None
    link, code = str(values["link"]), str(values["code"])
    assert link.startswith("https://hub.example/sign-in/link/")
    return link.rpartition("/")[2], code


def mailed_to(world: World, email: str = RUTH) -> tuple[UUID, str, str]:
    request_id = ask(world, email)
    answer(world)
    return request_id, *last_mail(world)


def use_link(world: World, token: str, minutes: float = 0) -> tuple[Person, str]:
    with world.database.changing() as session:
        return mailed.use_link(session, token, now=later(minutes=minutes))


def use_code(world: World, request_id: UUID, code: str, minutes: float = 0) -> tuple[Person, str] | MakerhubError:
    with world.database.changing() as session:
        try:
            return mailed.use_code(session, request_id, code, key_box=world.key_box, now=later(minutes=minutes))
        except (OutOfUse, WrongCode) as error:
            return error


def test_the_link_lets_in_once(world: World) -> None:
    _, token, _ = mailed_to(world)
    person, next_page = use_link(world, token, minutes=59)
    assert (person.id, next_page) == (world.requester.id, "/requests")
    with pytest.raises(OutOfUse):
        use_link(world, token)


def test_looking_at_a_link_uses_nothing_up(world: World) -> None:
    _, token, _ = mailed_to(world)
    with world.database.reading() as session:
        assert [mailed.is_open(session, token, NOW) for _ in range(3)] == [True] * 3
        assert not mailed.is_open(session, "another", NOW)
        assert not mailed.is_open(session, token, later(hours=1))


def test_of_many_who_use_a_link_at_once_one_gets_in(world: World) -> None:
    _, token, _ = mailed_to(world)
    results = at_once(*[lambda: use_link(world, token)] * 16)
    assert failures(results) == [OutOfUse] * 15


def test_the_code_lets_in_once_however_it_is_typed(world: World) -> None:
    request_id, token, code = mailed_to(world)
    found = use_code(world, request_id, f" {code} ")
    assert isinstance(found, tuple)
    assert found[0].id == world.requester.id
    assert isinstance(use_code(world, request_id, code), OutOfUse)
    with pytest.raises(OutOfUse):
        use_link(world, token)


def test_five_wrong_codes_end_it_even_for_the_right_one(world: World) -> None:
    request_id, _, code = mailed_to(world)
    wrong = f"{(int(code.replace(' ', '')) + 1) % 1_000_000:06}"
    kinds = [type(use_code(world, request_id, wrong)) for _ in range(mailed.MOST_TRIES)]
    assert kinds == [WrongCode] * (mailed.MOST_TRIES - 1) + [OutOfUse]
    assert isinstance(use_code(world, request_id, code), OutOfUse)


def test_many_guesses_at_once_are_five_guesses(world: World) -> None:
    request_id, _, _ = mailed_to(world)
    at_once(*[lambda: use_code(world, request_id, "none")] * 16)
    assert world.get(SignInRequest, request_id).tries == mailed.MOST_TRIES


@pytest.mark.parametrize("typed", ["", "abc", "000 000 000", "٠٠٠٠٠٠", "\x00"])
def test_what_is_no_code_opens_nothing(world: World, typed: str) -> None:
    request_id, _, _ = mailed_to(world)
    assert isinstance(use_code(world, request_id, typed), WrongCode)


def test_link_and_code_run_out_after_an_hour(world: World) -> None:
    request_id, token, code = mailed_to(world)
    assert isinstance(use_code(world, request_id, code, minutes=60), OutOfUse)
    with pytest.raises(OutOfUse):
        use_link(world, token, minutes=60)
    forget_sign_ins.function(world.database, lambda: later(hours=1))
    assert world.all(SignInRequest) == []


def test_the_code_is_bound_to_whoever_asked(world: World) -> None:
    first, _, code = mailed_to(world)
    second = ask(world, "mona@example.org")
    answer(world)
    assert isinstance(use_code(world, second, code), WrongCode)
    assert isinstance(use_code(world, first, code), tuple)


def test_signing_in_kills_the_other_mails_of_the_person_and_of_nobody_else(world: World) -> None:
    _, earlier, _ = mailed_to(world)
    _, other, _ = mailed_to(world, "mona@example.org")
    _, token, _ = mailed_to(world)
    use_link(world, token)
    with pytest.raises(OutOfUse):
        use_link(world, earlier)
    assert use_link(world, other)[0].id == world.maker.id


def test_an_unknown_address_is_written_down_alike_and_gets_no_mail(world: World) -> None:
    request_id = ask(world, "nobody@example.org")
    assert answer(world)
    assert world.all(Mail) == []
    kinds = [type(use_code(world, request_id, "123456")) for _ in range(mailed.MOST_TRIES)]
    assert kinds == [WrongCode] * (mailed.MOST_TRIES - 1) + [OutOfUse]


def test_somebody_who_may_not_sign_in_gets_no_mail_and_a_mail_of_before_opens_nothing(world: World) -> None:
    _, token, _ = mailed_to(world)
    with world.database.changing() as session:
        disable(session, session.get_one(Person, world.requester.id), now=NOW)
    ask(world)
    answer(world)
    assert len(world.all(Mail)) == 1
    with pytest.raises(OutOfUse):
        use_link(world, token)


def test_a_mailbox_gets_a_few_mails_an_hour_and_the_earlier_ones_still_work(world: World) -> None:
    _, token, _ = mailed_to(world)
    for _ in range(9):
        ask(world)
    answer(world)
    assert len(world.all(Mail)) == mailed.MOST_REQUESTS
    assert use_link(world, token)[0].id == world.requester.id


def test_the_database_holds_neither_link_nor_code(world: World) -> None:
    _, token, code = mailed_to(world)
    held = " ".join(repr(row) for model in (SignInRequest, Mail) for row in world.all(model))
    assert token not in held
    assert not re.search(rf"\b{code[:3]} ?{code[4:]}\b", held)


def test_a_request_is_answered_once(world: World) -> None:
    ask(world)
    assert len(answer(world)) == 1
    assert answer(world) == []
    assert len(world.all(Mail)) == 1
