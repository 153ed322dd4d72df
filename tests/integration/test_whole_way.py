"""A printer's whole way into the hub: page, command, agent, key, test print, by everybody's real parts, in a minute."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import MATERIAL, MODEL, Place, quick_settings, running_hub, wait_until
from integration.installed_agent import environment, install
from visitor import Page, Visitor

from makerhub.production.models import Attempt
from makerhub.production.trial_models import TrialPrint, TrialState
from makerhub.simulation.network import PASSWORD
from makerhub.simulation.real_octoprint import RealOctoPrint, find_octoprint
from makerhub.web.server import serving

USUAL_PORT = 5000
MOST_SECONDS = 60


@pytest.fixture
def octoprint(tmp_path: Path) -> Iterator[RealOctoPrint]:
    """One at the port at which OctoPrint usually listens, so that it has to be found; elsewhere if that is taken."""
    executable = find_octoprint()
    assert executable is not None, "there is no OctoPrint to test against; `make test` installs one"
    with socket.socket() as probe:
        is_free = probe.connect_ex(("127.0.0.1", USUAL_PORT)) != 0
    with RealOctoPrint(executable, tmp_path / "octoprint", port=USUAL_PORT if is_free else 0) as octoprint:
        yield octoprint


class Stopwatch:
    """How long each step took."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._at = time.monotonic()

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step], self._at = now - self._at, now


def is_asked(octoprint: RealOctoPrint) -> bool:
    pending = octoprint.call("GET", "/api/plugin/appkeys", key=octoprint.maker.key)["pending"]
    return any(request["app_id"] == "makerhub" for request in pending.values())


def registered(maker: Visitor) -> Page:
    """The page of the printer's agent, with the command on it."""
    form = maker.get("/printers/new?link=agent").form("/printers/new")
    assert form is not None
    page = maker.get(maker.send(form.filled_in(name="Cellar", profile=MODEL, material=MATERIAL)).location)
    show = page.form("/agent/code$")
    assert show is not None
    return maker.send(show)


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as stream:
        agent = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield agent
    finally:
        agent.terminate()
        agent.wait(10)


def test_a_printer_is_connected_in_under_a_minute(tmp_path: Path, octoprint: RealOctoPrint) -> None:
    python = environment(tmp_path / "installed")  # what pipx downloads beside the wheel is not counted
    with running_hub(quick_settings(tmp_path)) as place, serving(place.hub.web, "127.0.0.1") as address:
        maker = Visitor(lambda: address.removeprefix("http://"))
        maker.sign_in(place.network.makers[0].email, PASSWORD)
        watch = Stopwatch()
        page = registered(maker)
        watch.lap("register and show the command")
        found = re.search(r"pipx install --force (\S+) &amp;&amp; makerhub-agent (pair \S+ [0-9A-Z-]{14})", page.text)
        assert found is not None, page.text
        install(python, found[1])
        watch.lap("install the wheel")
        command = [str(python), "-I", "-m", "makerhub.agent", "--home", str(tmp_path / "home"), *found[2].split()]
        if octoprint.port != USUAL_PORT:
            command += ["--url", octoprint.url]
        log = tmp_path / "agent.log"
        with running(command, log):
            _follow(place, maker, octoprint, log, watch)
    seconds = sum(watch.steps.values())
    print(*(f"{step}: {seconds:.1f} s" for step, seconds in watch.steps.items()), f"in all {seconds:.1f} s", sep="\n")
    assert seconds < MOST_SECONDS


def _follow(place: Place, maker: Visitor, octoprint: RealOctoPrint, log: Path, watch: Stopwatch) -> None:
    (address,) = maker.get("/printers").links_to(r"/printers/[0-9a-f-]{36}$")

    def shown(words: str) -> bool:
        return words in maker.get(f"{address}/agent/now").text

    wait_until(lambda: is_asked(octoprint), f"the agent to find OctoPrint and ask for a key: {log.read_text()}")
    watch.lap("start the agent, pair, find OctoPrint, ask for a key")
    octoprint.decide("makerhub", allow=True)
    wait_until(lambda: shown("Ready. You can close this page."), "the page to say that the printer is ready")
    watch.lap("from the click on “Allow” to “Ready” on the page")
    assert "OctoPrint says the same" not in maker.get(f"{address}/agent").text, "the limited key can not read it"
    form = maker.get(f"{address}/agent").form("/test-print$")
    assert form is not None
    assert maker.send(form).is_confirmed
    wait_until(lambda: shown("The test print went well"), "the test print to be done")
    watch.lap("a test print of 10 seconds")
    (trial,) = place.all(TrialPrint)
    assert trial.state is TrialState.FINISHED
    assert trial.agent_id is not None
    history = octoprint.call("GET", f"/api/files/local/makerhub/{trial.file_name}")["prints"]
    assert (history["success"], history["failure"]) == (1, 0)
    assert place.all(Attempt) == []
