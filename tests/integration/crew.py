"""Everybody of the main job, acting through the pages alone, whatever becomes of the hub meanwhile.

Nobody remembers anything: each looks at a page and does what it asks for. An answer that never came is no answer, and
the page tells the next time; an answer that did come is a promise, and is kept as one to be checked.
"""

import http.client
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from hubs import KIT, MATERIAL, MODEL, prints
from integration import promises
from integration.promises import Promise
from visitor import Form, Page, Visitor

from makerhub.people.models import Person
from makerhub.production.models import AttemptState
from makerhub.simulation.network import PASSWORD, Network
from makerhub.simulation.real_octoprint import RealOctoPrint

NO_ANSWER = (OSError, http.client.HTTPException)
ID = r"[0-9a-f-]{36}"


@dataclass
class Crew:
    """The people of a network at their browsers.

    `watch` is told of each form when it is sent and when it was confirmed: `posting` or `confirmed`, and what it does.
    """

    network: Network
    octoprints: Mapping[UUID, RealOctoPrint]
    server: Callable[[], str]
    watch: Callable[[str, str], None] = lambda _moment, _form: None
    promises: list[Promise] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    _visitors: dict[UUID, Visitor] = field(default_factory=dict)
    _draft: Form | None = None

    def register_printer(self, maker: Person, *, automatic: bool) -> None:
        """The maker registers the printer at home by the form."""
        octoprint = self.octoprints[maker.id]
        form = self._page(maker, "/printers/new?link=direct").form("/printers/new")
        assert form is not None
        fields = {"name": f"{maker.name}'s", "profile": MODEL, "material": MATERIAL, "clear": "yes"}
        consent = {"automatic": "yes"} if automatic else {}
        sent = form.filled_in(**fields, **consent, url=octoprint.url, key=octoprint.key)
        assert self._visitor(maker).send(sent).status == 302

    def pairing_command(self, maker: Person, *, automatic: bool) -> list[str]:
        """The maker registers a printer with an agent, and reads the command on its page; gives its words."""
        form = self._page(maker, "/printers/new?link=agent").form("/printers/new")
        assert form is not None
        fields = {"name": f"{maker.name}'s", "profile": MODEL, "material": MATERIAL, "clear": "yes"}
        consent = {"automatic": "yes"} if automatic else {}
        page = self._page(maker, self._visitor(maker).send(form.filled_in(**fields, **consent)).location)
        show = page.form("/agent/code$")
        assert show is not None
        command = re.search(
            r"(makerhub-agent pair http://[0-9.:]+ [0-9A-Z-]{14})", self._visitor(maker).send(show).text
        )
        assert command is not None
        return command[1].split()

    def act(self) -> None:
        """Everybody looks once and does what there is to do."""
        for maker in self.network.makers:
            if maker.id in self.octoprints:
                self._undisturbed(partial(self._make, maker))
        self._undisturbed(self._dispatch)
        self._undisturbed(self._deliver)

    def ask(self, quantity: int) -> bool:
        """The nurse sends a request; False if nobody confirmed it, and then the same form is sent the next time."""
        return self._undisturbed(partial(self._ask, quantity))

    def _undisturbed(self, act: Callable[[], object]) -> bool:
        """Whether it went through, or the hub went away in the middle of it."""
        try:
            return act() is not False
        except NO_ANSWER:
            return False

    def _ask(self, quantity: int) -> bool:
        nurse = self.network.nurse
        self._draft = self._draft or self._fill_in(quantity)
        fields = self._draft.fields
        answer = self._send(nurse, self._draft, promises.asked(UUID(fields["form_key"]), quantity))
        if answer.is_confirmed:
            self._draft = None
        return answer.is_confirmed

    def _fill_in(self, quantity: int) -> Form:
        """Through the screens of the form, up to the one that is sent."""
        nurse, visitor = self.network.nurse, self._visitor(self.network.nurse)
        page = self._page(nurse, self._page(nurse, "/").links_to("/ask|/requests/new")[0])
        page = visitor.send(_form_with(page, f"quantity-{KIT}").filled_in(**{f"quantity-{KIT}": str(quantity)}))
        day = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
        page = visitor.send(_form_with(page, "needed_by").filled_in(needed_by=day, urgency="critical"))
        return _form_with(page, "note")

    def _make(self, maker: Person) -> None:
        for address in self._page(maker, "/printers").links_to(f"/printers/{ID}"):
            page = self._page(maker, address)
            if form := page.form("/offer$"):
                self._send(maker, form.filled_in(answer="accept"), promises.moved("attempt", _id(form), "preparing"))
            elif form := page.form("/question$"):
                self._answer(maker, form)
            elif form := page.form("/count$"):
                self._send(maker, form.filled_in(clear="yes"), promises.counted(_id(form), int(form.fields["good"])))
            elif form := page.form("/plate$"):
                self._send(maker, form, self._cleared(_id(form), maker))

    def _answer(self, maker: Person, form: Form) -> None:
        """The truth about a print in doubt, which is what OctoPrint's own history says."""
        attempt_id = _id(form)
        state, said = self._truth(maker, attempt_id)
        self.answered.append(said)
        self._send(maker, form.filled_in(answer=said), promises.moved("attempt", attempt_id, state))

    def _truth(self, maker: Person, attempt_id: UUID) -> tuple[str, str]:
        name = next(name for name in self._names(maker, attempt_id))
        counts = prints(self.octoprints[maker.id]).get(name)
        if counts is None:
            return AttemptState.NOT_STARTED, "never"
        return (AttemptState.FINISHED, "finished") if counts[0] else (AttemptState.FAILED, "failed")

    def _names(self, maker: Person, attempt_id: UUID) -> Iterable[str]:
        """The file that the maker is asked about, as the printer's page shows it."""
        for address in self._page(maker, "/printers").links_to(f"/printers/{ID}"):
            page = self._page(maker, address)
            if page.form(f"{attempt_id}/question"):
                yield from re.findall(r"[0-9a-f]{32}-[0-9]+\.gcode", page.text)

    def _dispatch(self) -> None:
        dispatcher = self.network.dispatcher
        board = self._page(dispatcher, "/dispatch")
        for address in board.links_to(f"/dispatch/requests/{ID}"):
            if form := self._page(dispatcher, address).form("/accept$"):
                self._send(dispatcher, form, promises.moved("supply_request", _id(form), "accepted"))
        for address in board.links_to(f"/dispatch/lots/{ID}"):
            if form := self._page(dispatcher, address).form("/inspect$"):
                self._send(dispatcher, form, promises.passed(_id(form), int(form.fields["passed"])))
        for form in self._page(dispatcher, "/dispatch").forms_to("/pack$"):
            self._send(dispatcher, form, self._packed(_id(form)))

    def _deliver(self) -> None:
        courier = self.network.courier
        for address in self._page(courier, "/deliveries").links_to(f"/deliveries/{ID}"):
            page = self._page(courier, address)
            if form := page.form("/taken$"):
                self._send(courier, form, promises.moved("shipment", _id(form), "in_transit"))
            elif form := page.form("/hand-over$"):
                code = self._code_told_at_the_door(_id(form))
                self._send(courier, form.filled_in(code=code), promises.received(_id(form)))

    def _code_told_at_the_door(self, shipment_id: UUID) -> str:
        """As the nurse reads it on the page of her request."""
        nurse = self.network.nurse
        for address in self._page(nurse, "/requests").links_to(f"/requests/{ID}"):
            page = self._page(nurse, address)
            if str(shipment_id) in page.text:
                parts = re.split(r'class="card handover"', page.text)
                mine = next(part for part in parts if str(shipment_id) in part)
                code = re.search(r'class="hand-over-code"[^>]*>([0-9 ]+)<', mine)
                assert code is not None
                return code[1].replace(" ", "")
        raise AssertionError(f"no request shows the code of shipment {shipment_id}")

    def _page(self, person: Person, address: str) -> Page:
        page = self._visitor(person).get(address)
        assert page.status == 200, f"{person.name} at {address}: {page.status} {page.location}"
        return page

    def _send(self, person: Person, form: Form, promise: Promise) -> Page:
        """Send a form; what is confirmed is promised. Somebody else may have been first, nothing may break."""
        what = form.action.rpartition("/")[2]
        self.watch("posting", what)
        answer = self._visitor(person).send(form)
        assert answer.status < 500, f"{person.name} at {form.action}: {answer.status}"
        if answer.is_confirmed:
            self.promises.append(promise)
            self.watch("confirmed", what)
        return answer

    def _visitor(self, person: Person) -> Visitor:
        """The person's browser; a sign-in that was confirmed lasts, whatever happens to the hub."""
        if person.id not in self._visitors:
            visitor = Visitor(self.server)
            visitor.sign_in(person.email, PASSWORD)
            self._visitors[person.id] = visitor
        return self._visitors[person.id]

    def _cleared(self, printer_id: UUID, maker: Person) -> Promise:
        what = f"plate of {printer_id} cleared"
        return promises.cleared(what, printer_id, maker.id, times=1 + self._times(what))

    def _packed(self, request_id: UUID) -> Promise:
        what = f"request {request_id} packed"
        return promises.packed(what, request_id, times=1 + self._times(what))

    def _times(self, what: str) -> int:
        return sum(promise.what == what for promise in self.promises)


def _form_with(page: Page, name: str) -> Form:
    return next(form for form in page.forms if name in form.fields)


def _id(form: Form) -> UUID:
    """What the form is about, as its address says."""
    found = re.search(ID, form.action)
    assert found is not None
    return UUID(found[0])
