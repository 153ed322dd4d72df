"""An agent finds OctoPrint, asks its owner for a key, and looks at what the key can do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from builders import MK3S

from makerhub.agent.connecting import APP, Connector, network_urls, own_addresses
from makerhub.agent.home import Home, OwnPrinter, State
from makerhub.agent.journal import Journal
from makerhub.agent.nearby import octoprints_nearby, without_own
from makerhub.agent.program import address_policy
from makerhub.agent.situation import Situation
from makerhub.fleet.gateway import KeyReport, KeyVerdict
from makerhub.fleet.messages import Stage
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.transport import Transport
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.real_octoprint import RealOctoPrint, find_octoprint

PRINTER = OwnPrinter(UUID(int=1), "Mona's", MK3S.limits())
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def farm() -> AsyncIterator[SimulatedPrinters]:
    async with SimulatedPrinters(count=2) as farm:
        yield farm


async def answered(nearby: Sequence[str]) -> list[str]:
    """The answer of the home's network; others of this machine's network are nobody's here."""
    return list(nearby)


@pytest.fixture
async def connecting(tmp_path: Path) -> AsyncIterator[Callable[..., tuple[Connector, Situation]]]:
    home = Home(tmp_path)
    home.write(State("https://hub.invalid", printers=[PRINTER]))
    async with Transport(address_policy()) as transport:

        def made(*usual: str, nearby: Sequence[str] = ()) -> tuple[Connector, Situation]:
            situation = Situation(home, Journal(home.journal))
            finder = OctoPrint(transport)
            return Connector(situation, finder, usual=usual, nearby=lambda: answered(nearby), poll_s=0.05), situation

        yield made


def stages(situation: Situation) -> dict[str, Stage]:
    return {printer.url: printer.stage for printer in situation.state.printers}


async def until_asked(situation: Situation) -> None:
    for _ in range(500):
        if Stage.ASKING_KEY in stages(situation).values():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"nobody was asked for a key: {stages(situation)}")


async def test_it_finds_octoprint_and_keeps_the_key_that_its_owner_allows(
    farm: SimulatedPrinters, connecting: Callable[..., tuple[Connector, Situation]]
) -> None:
    octoprint = farm.printers[0]
    connector, situation = connecting(NOBODY, octoprint.url)
    asking = asyncio.create_task(connector.look_once())
    await until_asked(situation)
    assert situation.state.printers[0].key == ""
    octoprint.decide(APP, allow=True)
    await asking
    kept = situation.home.read().printers[0]
    assert (kept.stage, kept.url) == (Stage.CONNECTED, octoprint.url)
    assert kept.connection is not None
    await connector.look_once()
    report = situation.keys[PRINTER.id].report()
    assert isinstance(report, KeyReport)
    assert report.verdict is not KeyVerdict.TOO_WEAK


async def test_an_owner_who_says_no_is_asked_again_only_when_told_to(
    farm: SimulatedPrinters, connecting: Callable[..., tuple[Connector, Situation]]
) -> None:
    octoprint = farm.printers[0]
    connector, situation = connecting(octoprint.url)
    asking = asyncio.create_task(connector.look_once())
    await until_asked(situation)
    octoprint.decide(APP, allow=False)
    await asking
    assert stages(situation) == {octoprint.url: Stage.DENIED}
    await connector.look_once()
    assert stages(situation) == {octoprint.url: Stage.DENIED}


async def test_of_several_it_takes_none_but_one_that_is_not_another_printers(
    farm: SimulatedPrinters, connecting: Callable[..., tuple[Connector, Situation]]
) -> None:
    first, second = farm.printers
    connector, situation = connecting(first.url, second.url)
    await connector.look_once()
    assert situation.state.printers[0].stage is Stage.SEVERAL
    other = msgspec.structs.replace(PRINTER, id=UUID(int=2), url=first.url, key=first.key, stage=Stage.CONNECTED)
    situation.keep(other)
    situation.keep(PRINTER)
    asking = asyncio.create_task(connector.look_once())
    await until_asked(situation)
    assert stages(situation)[second.url] is Stage.ASKING_KEY
    asking.cancel()


async def test_where_nobody_answers_it_says_so_and_waits(
    connecting: Callable[..., tuple[Connector, Situation]],
) -> None:
    connector, situation = connecting(NOBODY)
    await connector.look_once()
    assert situation.state.printers[0].stage is Stage.NOT_FOUND


def test_only_private_neighbours_are_asked() -> None:
    urls = network_urls(["192.168.7.20", "203.0.113.5", "127.0.0.1"])
    assert len(urls) == 2 * 253
    assert "http://192.168.7.1" in urls
    assert "http://192.168.7.254:5000" in urls
    assert not [url for url in urls if "192.168.7.20:" in url or url.endswith("192.168.7.20") or "203.0" in url]


async def test_one_that_answers_in_the_network_is_found_where_none_is_at_a_usual_place(
    farm: SimulatedPrinters, connecting: Callable[..., tuple[Connector, Situation]]
) -> None:
    octoprint = farm.printers[0]
    connector, situation = connecting(NOBODY, nearby=["http://127.0.0.1:9", octoprint.url])
    asking = asyncio.create_task(connector.look_once())
    await until_asked(situation)
    assert situation.state.printers[0].url == octoprint.url
    octoprint.decide(APP, allow=True)
    await asking


@pytest.mark.skipif(not own_addresses(), reason="there is no network here to ask")
async def test_a_real_octoprint_answers_the_question(tmp_path: Path) -> None:
    executable = find_octoprint()
    assert executable is not None
    octoprint = await asyncio.to_thread(RealOctoPrint(executable, tmp_path, discoverable=True).__enter__)
    try:
        for _ in range(10):  # its plug-in makes itself known some seconds after the start
            found = without_own(await octoprints_nearby(1.0), own_addresses())
            if octoprint.url in found:
                return
        pytest.fail(f"it did not answer; these did: {found}")
    finally:
        await asyncio.to_thread(octoprint.stop)
