"""The second factor: figures that open once, codes on paper, and few guesses."""

from datetime import datetime

import pytest
from builders import NOW, World, at_once, later
from passlib.totp import TOTP  # type: ignore[import-untyped]
from sqlmodel import select

from makerhub.config import BadConfiguration, Settings
from makerhub.errors import MakerhubError
from makerhub.people import second_factor
from makerhub.people.entry_models import RecoveryCode, SecondFactor, Tries
from makerhub.people.models import Role
from makerhub.people.second_factor import WrongFigures
from makerhub.people.tries import FIGURES, TooManyTries

MOST_TRIES = FIGURES.windows[0].most


class Phone:
    """An app that has read the picture of Dan, the dispatcher."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.database.changing() as session:
            factor = second_factor.begin(session, world.dispatcher, key_box=world.key_box, now=NOW)
            self.address = second_factor.app_address(factor, world.dispatcher, world.key_box)
        self._totp = TOTP.from_uri(self.address)

    def figures(self, at: datetime = NOW) -> str:
        return str(self._totp.generate(at).token)

    def finish(self, figures: str | None = None) -> list[str]:
        with self.world.database.changing() as session:
            return second_factor.finish(
                session, self._factor(session), figures or self.figures(), key_box=self.world.key_box, now=NOW
            )

    def check(self, typed: str, at: datetime = NOW) -> type[MakerhubError] | None:
        with self.world.database.changing() as session:
            try:
                second_factor.check(session, self._factor(session), typed, key_box=self.world.key_box, now=at)
            except MakerhubError as error:
                return type(error)
        return None

    def _factor(self, session) -> SecondFactor:  # type: ignore[no-untyped-def]
        return session.exec(select(SecondFactor)).one()  # type: ignore[no-any-return]


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world)


def is_in_use(world: World) -> bool:
    with world.database.reading() as session:
        return second_factor.is_in_use(session, world.dispatcher)


def test_it_is_in_use_once_the_figures_were_right(world: World, phone: Phone) -> None:
    assert phone.address.startswith("otpauth://totp/makerhub:dan@example.org?secret=")
    with pytest.raises(WrongFigures):
        phone.finish("000000" if phone.figures() != "000000" else "111111")
    assert not is_in_use(world)
    assert len(phone.finish()) == second_factor.RECOVERY_CODES
    assert is_in_use(world)


def test_figures_open_once_and_earlier_ones_never(phone: Phone) -> None:
    phone.finish()
    assert phone.check(phone.figures()) is WrongFigures
    then = later(seconds=90)
    assert phone.check(phone.figures(then), then) is None
    assert phone.check(phone.figures(then), then) is WrongFigures
    assert phone.check(phone.figures(later(seconds=60)), then) is WrongFigures


def test_of_many_who_use_the_same_figures_at_once_one_gets_in(phone: Phone) -> None:
    phone.finish()
    then = later(seconds=90)
    results = at_once(*[lambda: phone.check(phone.figures(then), then)] * 8)
    assert results.count(None) == 1


def test_clocks_may_differ_by_half_a_minute(phone: Phone) -> None:
    phone.finish()
    then = later(minutes=5)
    assert phone.check(phone.figures(later(minutes=5, seconds=-61)), then) is WrongFigures
    assert phone.check(phone.figures(later(minutes=5, seconds=-30)), then) is None
    assert phone.check(phone.figures(later(minutes=5, seconds=30)), then) is None


def test_a_code_on_paper_opens_once_however_it_is_typed(phone: Phone) -> None:
    first, second, *_ = phone.finish()
    assert phone.check(first.lower().replace("-", " ")) is None
    assert phone.check(first) is WrongFigures
    assert phone.check(second) is None


def test_new_codes_on_paper_end_the_old_ones(world: World, phone: Phone) -> None:
    [old, *_] = phone.finish()
    with world.database.changing() as session:
        new, *_ = second_factor.renew_recovery_codes(session, session.exec(select(SecondFactor)).one())
    assert phone.check(old) is WrongFigures
    assert phone.check(new) is None


def test_ten_wrong_ones_shut_it_for_a_quarter_of_an_hour_even_for_right_ones(phone: Phone) -> None:
    phone.finish()
    assert [phone.check("wrong") for _ in range(MOST_TRIES)] == [WrongFigures] * MOST_TRIES
    assert phone.check(phone.figures(later(minutes=14)), later(minutes=14)) is TooManyTries
    assert phone.check(phone.figures(later(minutes=16)), later(minutes=16)) is None


def test_many_guesses_at_once_are_ten_guesses(world: World, phone: Phone) -> None:
    phone.finish()
    results = at_once(*[lambda: phone.check("wrong")] * (2 * MOST_TRIES))
    assert results.count(WrongFigures) == MOST_TRIES
    assert {row.count for row in world.all(Tries)} == {MOST_TRIES}


def test_the_database_holds_neither_secret_nor_codes(world: World, phone: Phone) -> None:
    codes = phone.finish()
    held = repr([*world.all(SecondFactor), *world.all(RecoveryCode)])
    secret = TOTP.from_uri(phone.address).base32_key
    assert secret not in held
    assert all(code not in held and code.replace("-", "") not in held for code in codes)
    with world.database.reading() as session:
        factor = session.exec(select(SecondFactor)).one()
        assert second_factor.key_to_type(factor, world.key_box).replace(" ", "") == secret


def test_what_is_in_use_is_not_set_up_over(world: World, phone: Phone) -> None:
    phone.finish()
    assert Phone(world).address == phone.address


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "٠١٢٣٤٥", "-1", "\x00" * 6])
def test_what_is_no_figures_opens_nothing(phone: Phone, typed: str) -> None:
    phone.finish()
    assert phone.check(typed) is WrongFigures


def test_who_needs_one(world: World) -> None:
    settings = Settings()
    assert second_factor.required_roles(settings) == {Role.DISPATCHER, Role.ADMIN}
    assert second_factor.is_required(world.dispatcher, settings)
    assert not second_factor.is_required(world.maker, settings)
    assert not second_factor.is_required(world.dispatcher, Settings(second_factor_roles=()))
    with pytest.raises(BadConfiguration):
        second_factor.required_roles(Settings(second_factor_roles=("boss",)))
