"""Somebody at a plain browser, without JavaScript: reads pages, follows links, fills forms in and sends them."""

import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

COOKIE = re.compile(r"makerhub=([^;]*)")
SECONDS = 30


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, and what stands in its fields."""

    action: str
    method: str = "get"
    fields: Mapping[str, str] = field(default_factory=dict)

    def filled_in(self, **fields: str) -> "Form":
        """The form with other values in some of its fields; dashes in a name are written as underscores here."""
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True)
class Page:
    """An answer: its status, where it leads to, and what a visitor can do on it."""

    address: str
    status: int
    location: str
    text: str
    links: list[str]
    forms: list[Form]

    @property
    def is_confirmed(self) -> bool:
        """Whether the server said that what was sent is done."""
        return 200 <= self.status < 400

    def form(self, action: str) -> Form | None:
        """The first form whose address matches."""
        return next((form for form in self.forms if re.search(action, form.action)), None)

    def forms_to(self, action: str) -> list[Form]:
        """Every form whose address matches."""
        return [form for form in self.forms if re.search(action, form.action)]

    def links_to(self, address: str) -> list[str]:
        """Every link that matches, each once."""
        return list(dict.fromkeys(link for link in self.links if re.fullmatch(address, link)))


class Visitor:
    """One browser with its cookie; `server` tells where the pages are served now, as host and port.

    Raises `OSError` or `http.client.HTTPException` when nobody answers, or only half.
    """

    def __init__(self, server: Callable[[], str]) -> None:
        self._server = server
        self._cookie = ""

    def get(self, address: str) -> Page:
        """Read a page."""
        return self._ask("GET", address)

    def send(self, form: Form) -> Page:
        """Send a form and see the answer, which may be a redirection."""
        if form.method == "get":
            return self.get(f"{form.action}?{urlencode(form.fields)}")
        return self._ask("POST", form.action, urlencode(form.fields))

    def follow(self, page: Page) -> Page:
        """The page to which an answer leads."""
        return self.get(page.location) if page.location else page

    def sign_in(self, email: str, password: str) -> None:
        """Sign in by the form."""
        form = self.get("/sign-in/password").form("/sign-in/password")
        assert form is not None
        answer = self.send(form.filled_in(email=email, password=password))
        assert answer.status == 302, f"{email} could not sign in: {answer.status}"

    def _ask(self, method: str, address: str, body: str | None = None) -> Page:
        server = self._server()
        connection = http.client.HTTPConnection(server, timeout=SECONDS)
        try:
            connection.request(method, address, body, self._headers(server, body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if found := COOKIE.search(answer.headers.get("Set-Cookie", "")):
            self._cookie = found[1]
        return _page(address, answer.status, _path(answer.headers.get("Location", "")), text)

    def _headers(self, server: str, body: str | None) -> dict[str, str]:
        headers = {"Cookie": f"makerhub={self._cookie}"} if self._cookie else {}
        if body is None:
            return headers
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return {**headers, **form, "Origin": f"http://{server}"}


class _Reader(HTMLParser):
    """Collects links and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "form":
            self.forms.append((has.get("action", ""), has.get("method", "get").lower(), {}))
        elif tag in ("input", "textarea") and self.forms and "name" in has and _is_sent(has, attrs):
            self.forms[-1][2][has["name"]] = has.get("value", "")


def _is_sent(has: Mapping[str, str], attrs: list[tuple[str, str | None]]) -> bool:
    return has.get("type") not in ("checkbox", "radio") or ("checked", None) in attrs


def _page(address: str, status: int, location: str, text: str) -> Page:
    reader = _Reader()
    reader.feed(text)
    return Page(address, status, location, text, reader.links, [Form(*form) for form in reader.forms])


def _path(location: str) -> str:
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")
