"""What protects every page: who may send forms to it, and what the browser may load and do on it.

Forms are guarded twice. The browser says where a request comes from (Sec-Fetch-Site, else Origin), and a request of
another site is refused; and each form carries a token that only our own pages know.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request, session
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


ONLY_HTTPS = "max-age=31536000"
"""From the first page that came by https on, browsers ask for no other way for a year."""


def refuse_other_sites(app: Flask) -> None:
    """Refuse forms that another site sends. Comes before anything else looks at the request."""
    app.before_request(_refuse_other_sites)


def refuse_zero_bytes(app: Flask) -> None:
    """Refuse text that no database keeps: PostgreSQL takes no NUL, and nobody types one."""
    app.before_request(_refuse_zero_bytes)


def want_form_tokens(app: Flask) -> None:
    """Refuse forms without the token of the session. It holds as long as the session: wards leave pages open."""
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)  # the other layer compares the origin
    CSRFProtect(app)


def send_headers(app: Flask) -> None:
    """Send the headers of safety with every response; no browser keeps a page of somebody who is signed in."""
    app.after_request(_add_headers)


def _refuse_other_sites() -> None:
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(400)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(400)


def _refuse_zero_bytes() -> None:
    typed = [*request.values.values(), *map(str, (request.view_args or {}).values())]
    if any("\0" in text for text in typed):
        abort(400)


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", ONLY_HTTPS)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store" if session else "no-cache")
    return response
