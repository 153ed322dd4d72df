"""Pairing an agent from its printer's page, and what its page shows of it."""

import re
import zipfile
from io import BytesIO

import msgspec
import pytest
from builders import NOW, later
from unit.web.browsers import Browser
from unit.web.houses import House
from werkzeug.test import TestResponse

from makerhub.designs.models import PlateSlice
from makerhub.fleet.gateway import NEEDED, KeyReport, Permission
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import (
    Key,
    Paired,
    Pairing,
    PrinterNews,
    Reply,
    Report,
    Seen,
    Stage,
    Unwilling,
    Willing,
    decode,
    encode,
)
from makerhub.printers.agent_models import Agent, AgentState, PairingCode
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production import service as production
from makerhub.production.models import Attempt

TOKEN = re.compile(r"mha_[A-Za-z0-9_-]{43}")


@pytest.fixture
def mona(house: House) -> Browser:
    return house.signed_in("mona")


def page_of(house: House) -> str:
    return f"/printers/{house.world.printer.id}/agent"


def code_on(page: TestResponse) -> str:
    found = re.search(r"makerhub-agent pair http://localhost ([0-9A-Z-]{14})", page.text)
    assert found, page.text
    return found[1]


def show_code(house: House, mona: Browser) -> str:
    return code_on(mona.post(f"{page_of(house)}/code", form="/printers"))


def pair(house: House, code: str, token: str = "") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    message = encode(Pairing(code, "octopi", "Linux aarch64", "0.1.0"))
    return house.app.test_client().post("/agents/pair", data=message, headers=headers)


def paired(house: House, mona: Browser) -> Paired:
    answer = pair(house, show_code(house, mona))
    assert answer.status_code == 200
    return decode(answer.data, Paired)


def report(house: House, token: str, sequence: int = 1, **news: object) -> TestResponse:
    told = PrinterNews(printer_id=house.world.printer.id, **news)  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {token}"}
    return house.app.test_client().post("/agents/report", data=encode(Report(1, sequence, [told])), headers=headers)


def test_a_maker_who_registers_a_printer_with_an_agent_is_led_to_its_command(house: House, mona: Browser) -> None:
    page = mona.get("/printers/new?link=agent")
    assert 'name="url"' not in page.text
    typed = {"link": "agent", "name": "Cellar", "material": "PETG", "automatic": "yes"}
    sent = mona.post("/printers/new", {**typed, "profile": house.world.printer.profile}, form="/printers/new")
    assert re.fullmatch(r"/printers/[0-9a-f-]{36}/agent", sent.headers["Location"])
    shown = mona.get(sent.headers["Location"])
    assert "Show the command" in shown.text
    assert "250 × 210 mm" in shown.text
    (made,) = (printer for printer in house.world.all(Printer) if printer.name == "Cellar")
    assert (made.link, made.state, made.consent.value) == (Link.AGENT, PrinterState.UNCHECKED, "automatic")


def test_the_page_shows_one_command_and_its_code_is_kept_as_a_hash_only(house: House, mona: Browser) -> None:
    page = mona.post(f"{page_of(house)}/code", form="/printers")
    code = code_on(page)
    assert "pipx install --force http://localhost/agents/makerhub_agent-" in page.text
    assert code not in mona.get(page_of(house)).text
    (kept,) = house.world.all(PairingCode)
    assert code not in repr(kept)
    assert kept.expires_at == later(minutes=15)


def test_a_code_pairs_once_whatever_its_spelling(house: House, mona: Browser) -> None:
    code = show_code(house, mona)
    answer = pair(house, f" {code.lower().replace('-', ' ')} ")
    told = decode(answer.data, Paired)
    assert TOKEN.fullmatch(told.token)
    assert (told.printer_id, told.printer_name) == (house.world.printer.id, "Mona's")
    assert told.limits.nozzle_max_celsius > 200
    (agent,) = house.world.all(Agent)
    assert agent.owner_id == house.world.maker.id
    assert told.token not in repr(agent)
    assert pair(house, code).status_code == 400


def test_a_code_holds_for_a_quarter_of_an_hour_and_until_the_next_one(house: House, mona: Browser) -> None:
    first, second = show_code(house, mona), show_code(house, mona)
    assert pair(house, first).status_code == 400
    house.time.pass_by(minutes=15)
    refused = pair(house, second)
    assert refused.status_code == 400
    assert "expired" in msgspec.json.decode(refused.data)["problem"]
    assert house.world.get(Printer, house.world.printer.id).link is Link.DIRECT


def test_wrong_codes_are_bounded(house: House) -> None:
    assert [pair(house, "AAAA-BBBB-CCCC").status_code for _ in range(31)][-2:] == [400, 429]


def test_an_agent_keeps_its_token_for_a_second_printer_of_its_owner_alone(house: House, mona: Browser) -> None:
    token = paired(house, mona).token
    second = house.world.add_printer("Second")
    code = code_on(mona.post(f"/printers/{second.id}/agent/code", form="/printers"))
    again = decode(pair(house, code, token).data, Paired)
    assert (again.token, len(house.world.all(Agent))) == ("", 1)
    other = house.add_person("Olga", *[(house.world.hub, role.role) for role in house.world.maker.roles])
    theirs = house.world.add_printer("Olga's", owner=other)
    olga = house.signed_in("olga")
    code = code_on(olga.post(f"/printers/{theirs.id}/agent/code", form="/printers"))
    assert TOKEN.fullmatch(decode(pair(house, code, token).data, Paired).token)


def test_the_page_follows_the_connection_to_its_end(house: House, mona: Browser) -> None:
    def now() -> str:
        return mona.get(f"{page_of(house)}/now").text

    assert "No agent is paired" in now()
    token = paired(house, mona).token
    assert "octopi" in now()
    assert now().count('class="done"') == 1
    report(house, token, 1, stage=Stage.ASKING_KEY)
    assert "click “Allow”" in now()
    reply = decode(report(house, token, 2, stage=Stage.CONNECTED).data, Reply)
    assert reply.check == [house.world.printer.id]
    seen = Seen(0.0, Doing.OPERATIONAL)
    report(house, token, 3, key=Key.of(KeyReport(NEEDED)), seen=seen, willing=Willing.ACCEPTED)
    assert "Ready. You can close this page." in now()
    report(house, token, 4, willing=Willing.NOTHING, unwilling=Unwilling.QUIET_HOURS)
    assert "quiet hours" in now()
    assert "quiet hours" in mona.get(f"/printers/{house.world.printer.id}").text


def test_the_page_says_what_a_key_can_not_do_and_what_it_can_too_much(house: House, mona: Browser) -> None:
    token = paired(house, mona).token
    report(house, token, 1, stage=Stage.CONNECTED, key=Key.of(KeyReport(NEEDED - {Permission.PRINT})))
    assert "start, pause and cancel prints" in mona.get(f"{page_of(house)}/now").text
    assert (
        mona.post(f"/printers/{house.world.printer.id}/state", {"change": "check"}, form="/printers").status_code == 302
    )
    report(house, token, 2, key=Key.of(KeyReport(NEEDED | {Permission.ADMIN})))
    assert "can do more than is needed" in mona.get(f"{page_of(house)}/now").text


def test_a_revoked_agent_is_refused_and_another_can_be_paired(house: House, mona: Browser) -> None:
    token = paired(house, mona).token
    assert mona.post(f"{page_of(house)}/revoke", form="/printers").status_code == 302
    assert report(house, token).status_code == 401
    (agent,) = house.world.all(Agent)
    assert agent.state is AgentState.REVOKED
    assert "listens to no agent" in mona.get(f"{page_of(house)}/now").text
    assert TOKEN.fullmatch(decode(pair(house, show_code(house, mona), token).data, Paired).token)


def test_pages_of_an_agent_are_its_owners_alone(house: House, mona: Browser) -> None:
    paired(house, mona)
    for who in ("dan", "kim", "ruth"):
        assert house.signed_in(who).get(page_of(house)).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"boot": -1, "sequence": 1}', b"{" * 100_000])
def test_nonsense_is_refused(house: House, mona: Browser, body: bytes) -> None:
    token = paired(house, mona).token
    answer = house.app.test_client().post("/agents/report", data=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (400, 413)


def test_gcode_is_for_the_agent_that_prints_it_and_can_be_gone_on_with(house: House, mona: Browser) -> None:
    world = house.world
    token = paired(house, mona).token
    sha256 = house.files.put(b"G28\nM84\n")
    headers = {"Authorization": f"Bearer {token}"}
    assert house.app.test_client().get(f"/agents/gcode/{sha256}", headers=headers).status_code == 404
    attempt = world.attempt()
    with world.database.changing() as session:
        session.get_one(PlateSlice, attempt.plate_slice_id).gcode_sha256 = sha256
        production.claim_start(session, session.get_one(Attempt, attempt.id), now=NOW)
    rest = house.app.test_client().get(f"/agents/gcode/{sha256}", headers={**headers, "Range": "bytes=4-"})
    assert (rest.status_code, rest.data) == (206, b"M84\n")
    assert house.app.test_client().get(f"/agents/gcode/{sha256}").status_code == 401


def test_the_hub_serves_the_agent_of_its_own_version(house: House, mona: Browser) -> None:
    shown = re.search(
        r"http://localhost(/agents/[a-z0-9_.-]+\.whl)", mona.post(f"{page_of(house)}/code", form="/printers").text
    )
    assert shown
    answer = house.browser().get(shown[1])
    with zipfile.ZipFile(BytesIO(answer.data)) as wheel:
        assert wheel.testzip() is None
        assert "makerhub/agent/cli.py" in wheel.namelist()
    assert house.browser().get("/agents/makerhub_agent-9.9.9-py3-none-any.whl").status_code == 404
