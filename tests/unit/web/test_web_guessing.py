"""An attacker at each door for a day, on a clock that is told: how many guesses are looked at, whatever is tried.

The attacker comes from another network for each guess, or stays at one address and guesses at everybody; and each
quarter of an hour in which nothing is looked at the hub starts anew, which must give no new run. The figures stand in
docs/security.md.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from builders import World
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from unit.web.browsers import Browser, hashed_password
from unit.web.houses import House
from unit.web.permissions import FROM_OUR_OWN_PAGE

from makerhub.delivery.models import Shipment
from makerhub.people import mailed, second_factor
from makerhub.people.models import Person, SignInRequest
from makerhub.people.tries import (
    ADDRESS,
    FIGURES,
    HAND_OVER,
    HAND_OVER_COURIER,
    MAILED_CODE,
    PASSWORD,
    Door,
    TooManyTries,
)
from makerhub.web.entering import HALF_WAY

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Attacker:
    """Somebody who guesses as fast as is answered."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tokens: dict[tuple[Browser, datetime], str] = {}
        self.networks = (f"2001:db8:{number // 65536:x}:{number % 65536:x}::1" for number in count())

    def post(self, browser: Browser, address: str, fields: dict[str, str], *, at: str = "") -> int:
        """Send a form from a new network, or from one address: the answer's status."""
        place = {"REMOTE_ADDR": at or next(self.networks)}
        data = {"csrf_token": self._token(browser), **fields}
        return browser.client.post(address, data=data, headers=FROM_OUR_OWN_PAGE, environ_base=place).status_code

    def _token(self, browser: Browser) -> str:
        """The token of the browser's forms, read anew where time has passed."""
        key = (browser, self.house.time.now)
        if key not in self.tokens:
            found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/called").text)
            assert found
            self.tokens[key] = found[1]
        return self.tokens[key]

    def looked_at(self, guess: Callable[[], int], time: timedelta = DAY) -> list[datetime]:
        """When guesses were looked at, within a day."""
        clock, found = self.house.time, []
        ends = clock.now + time
        while clock.now < ends:
            status = guess()
            if status == 429:
                clock.now += timedelta(minutes=15)
                self.house.app.extensions["makerhub.limits"] = MovingWindowRateLimiter(MemoryStorage())
            else:
                assert status in (200, 400), "a guess that was right, or no guess at all"
                found.append(clock.now)
                assert len(found) < 1000, "there is no limit"
        return found


@pytest.fixture
def attacker(house: House) -> Attacker:
    if not house.database.is_sqlite:
        pytest.skip("a day's guesses on one database are enough; tries are counted at once in tests/unit/people")
    return Attacker(house)


def bound(found: list[datetime], door: Door) -> tuple[int, int]:
    """The busiest hour and the whole day, which are as the door says."""
    busiest = max(sum(1 for one in found if begins <= one < begins + HOUR) for begins in found)
    soon, day = door.windows
    print(f"{door.name}: {busiest} in the busiest hour, {len(found)} a day")
    assert busiest <= min(day.most, soon.most * (HOUR // soon.within + 1))
    assert len(found) == day.most
    return busiest, len(found)


def test_passwords_of_one_account_from_everywhere(attacker: Attacker, house: House) -> None:
    with house.database.changing() as session:
        session.get_one(Person, house.people["ruth"].id).password = hashed_password()
    browser = house.browser()

    def guess() -> int:
        fields = {"email": "Ruth@example.org", "password": "wrong password"}
        return attacker.post(browser, "/sign-in/password", fields)

    assert bound(attacker.looked_at(guess), PASSWORD) == (40, 60)


def test_a_password_is_as_bounded_where_it_is_asked_for_again(attacker: Attacker, house: House) -> None:
    with house.database.changing() as session:
        session.get_one(Person, house.people["ruth"].id).password = hashed_password()
    stolen = house.signed_in("ruth")

    def guess() -> int:
        return attacker.post(stolen, "/confirm", {"password": "wrong password"})

    assert bound(attacker.looked_at(guess, HOUR * 4), PASSWORD) == (40, 60)


def test_mailed_codes_of_one_mailbox(attacker: Attacker, world: World) -> None:
    """Whoever asks for a mail may type codes; without a mail, or with its five codes spent, nothing is seen."""
    request_id, wrong = UUID(int=0), 0

    def guess() -> int:
        nonlocal request_id, wrong
        with world.database.changing() as session:
            now = attacker.house.time.now
            if wrong % mailed.MOST_TRIES == 0:
                request_id = mailed.ask(session, "ruth@example.org", language="en", next_page="/", now=now)
                session.flush()
            try:
                mailed.use_code(session, request_id, "abc", key_box=world.key_box, now=now)
            except TooManyTries:
                return 429
            except (mailed.WrongCode, mailed.OutOfUse):
                row = session.get(SignInRequest, request_id)
                was_looked_at = row is not None and row.tries > wrong % mailed.MOST_TRIES
                wrong += was_looked_at
                return 400 if was_looked_at else 429
        raise AssertionError

    assert bound(attacker.looked_at(guess), MAILED_CODE) == (25, 60)


def test_figures_of_somebody_whose_first_factor_is_known(attacker: Attacker, house: House, world: World) -> None:
    with house.database.changing() as session:
        second_factor.begin(session, world.dispatcher, key_box=world.key_box, now=house.time.now)
    browser = house.browser()

    def guess() -> int:
        half = {"person": world.dispatcher.fs_uniquifier, "how": "mail", "next": "/", "at": house.time.now.isoformat()}
        browser.get("/called")
        with browser.client.session_transaction() as session:
            session[HALF_WAY] = half
        return attacker.post(browser, "/sign-in/second", {"figures": "abcdef"})

    assert bound(attacker.looked_at(guess), FIGURES) == (30, 30)


def packed(world: World) -> Shipment:
    request = world.request(1)
    world.reserve(request, world.lot(1, request=request), 1)
    shipment = world.pack(request)
    world.depart(shipment)
    return shipment


def test_hand_over_codes_of_one_delivery(attacker: Attacker, house: House, world: World) -> None:
    shipment = packed(world)
    wrong = f"{(int(shipment.hand_over_code) + 1) % 10**6:06}"
    kim = house.signed_in("kim")

    def guess() -> int:
        return attacker.post(kim, f"/deliveries/{shipment.id}/hand-over", {"code": wrong})

    found = attacker.looked_at(guess)
    assert bound(found, HAND_OVER) == (15, 20)  # the courier's own limit comes first


def test_hand_over_codes_of_many_deliveries_of_one_courier(attacker: Attacker, house: House, world: World) -> None:
    shipments = [packed(world) for _ in range(4)]
    kim, turn = house.signed_in("kim"), count()

    def guess() -> int:
        shipment = shipments[next(turn) % len(shipments)]
        wrong = f"{(int(shipment.hand_over_code) + 1) % 10**6:06}"
        return attacker.post(kim, f"/deliveries/{shipment.id}/hand-over", {"code": wrong})

    assert bound(attacker.looked_at(guess), HAND_OVER_COURIER) == (15, 40)


def test_everything_from_one_address(attacker: Attacker, house: House) -> None:
    """Pairing codes, invitations and callers' codes in turn, from the addresses of one household."""
    browser, turn = house.browser(), count()

    def guess() -> int:
        number = next(turn)
        at = f"2001:db8:0:7::{number + 1:x}"
        if number % 2:
            return attacker.post(browser, "/called", {"code": "ABCDEFGHJKMN"}, at=at)
        place = {"REMOTE_ADDR": at}
        body = b'{"code":"AAAA-BBBB-CCCC","host":"octopi"}'
        return house.browser().client.post("/agents/pair", data=body, environ_base=place).status_code

    assert bound(attacker.looked_at(guess), ADDRESS) == (60, 300)
