"""Who may do what on a simulated OctoPrint: users, their keys, and the Application Keys flow."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MINIMAL_PERMISSIONS = ("STATUS", "FILES_LIST", "FILES_UPLOAD", "FILES_SELECT", "PRINT")
"""What a hub needs of a printer, and no more: watch, list, upload, select, start and cancel."""

GRANT = "PLUGIN_APPKEYS_GRANT"
ALL_PERMISSIONS = (
    "ADMIN",
    "STATUS",
    "CONNECTION",
    "WEBCAM",
    "SYSTEM",
    "FILES_LIST",
    "FILES_UPLOAD",
    "FILES_DOWNLOAD",
    "FILES_DELETE",
    "FILES_SELECT",
    "PRINT",
    "GCODE_VIEWER",
    "MONITOR_TERMINAL",
    "CONTROL",
    "SLICE",
    "SETTINGS_READ",
    "SETTINGS",
    GRANT,
)
# Asked (wall-clock seconds, requests in them): three a minute, five in ten minutes, ten an hour.
_REQUEST_LIMITS = ((60, 3), (600, 5), (3600, 10))
_POLL_WITHIN = 5.0
_DECIDE_WITHIN = 600.0


@dataclass(frozen=True)
class Account:
    """A user: name None is a visitor without a valid key."""

    name: str | None
    permissions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


VISITOR = Account(None, groups=("guests",))
MINIMAL = Account("minimal", MINIMAL_PERMISSIONS)
MAKER = Account("maker", (*MINIMAL_PERMISSIONS, GRANT))
ADMIN = Account("admin", ALL_PERMISSIONS, groups=("admins", "users"))


@dataclass
class KeyRequest:
    """A request for an application key: `app_token` is the asker's, `user_token` the one who decides."""

    app: str
    user: str | None
    asked_at: float
    polled_at: float
    app_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    user_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    granted_by: str | None = None


class Accounts:
    """The users of one printer and their keys, known in advance or granted through Application Keys.

    The times of that flow are the wall's, not the simulation's: it is people and programs out here who wait.
    """

    def __init__(self, keys: dict[str, Account], wall: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._wall = wall
        self._granted: dict[tuple[str, str], str] = {}
        self._requests: list[KeyRequest] = []
        self._asked: deque[float] = deque(maxlen=10)

    def account(self, key: str | None) -> Account:
        """Whose key it is; a visitor's if nobody's."""
        return self._keys.get(key or "", VISITOR)

    def forget_requests(self) -> None:
        """What a restart does: open requests and the count for the limits are kept in memory only."""
        self._requests.clear()
        self._asked.clear()

    def ask(self, app: str, user: str | None) -> KeyRequest | None:
        """Open a request; None if there were too many."""
        now = self._wall()
        if any(sum(now - asked < seconds for asked in self._asked) >= most for seconds, most in _REQUEST_LIMITS):
            return None
        self._asked.append(now)
        self._requests.append(KeyRequest(app, user, now, now))
        return self._requests[-1]

    def poll(self, app_token: str) -> KeyRequest | None:
        """The request if it is still open or just granted; None once denied, expired or collected."""
        request = next((request for request in self._open() if request.app_token == app_token), None)
        if request is not None:
            request.polled_at = self._wall()
        return request

    def collect(self, request: KeyRequest) -> str:
        """Hand out the key of a granted request, once; the same user and app get the same key again."""
        self._requests.remove(request)
        user = request.granted_by or ""
        key = self._granted.setdefault((user, request.app.lower()), secrets.token_urlsafe(32))
        self._keys[key] = self._named(user)
        return key

    def pending(self, user: str | None) -> list[KeyRequest]:
        """The undecided requests that `user` may decide."""
        return [request for request in self._open() if not request.granted_by and request.user in (None, user)]

    def decide(self, user_token: str, user: str, *, allow: bool) -> bool:
        """Grant or deny; False if there is no such request for `user`."""
        request = next((request for request in self.pending(user) if request.user_token == user_token), None)
        if request is None:
            return False
        if allow:
            request.granted_by = user
        else:
            self._requests.remove(request)
        return True

    def _open(self) -> list[KeyRequest]:
        now = self._wall()
        self._requests = [request for request in self._requests if _alive(request, now)]
        return self._requests

    def _named(self, name: str) -> Account:
        return next(account for account in self._keys.values() if account.name == name)


def _alive(request: KeyRequest, now: float) -> bool:
    polled = request.granted_by is not None or now - request.polled_at < _POLL_WITHIN
    return polled and now - request.asked_at < _DECIDE_WITHIN
