"""The web application, put together from a hub's parts; the only module that knows all audiences."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel  # type: ignore[import-untyped]

from makerhub.delivery import access as delivery_access
from makerhub.demand import access as demand_access
from makerhub.designs import access as designs_access
from makerhub.facilities import access as facilities_access
from makerhub.hubs import access as hubs_access
from makerhub.key_file import secret_key
from makerhub.moderation import access as moderation_access
from makerhub.people.second_factor import required_roles
from makerhub.printers import access as printers_access
from makerhub.production import access as production_access
from makerhub.stock import access as stock_access
from makerhub.trace import access as trace_access
from makerhub.web import (
    admin,
    agent_page,
    agents,
    api,
    asking,
    by_hand,
    called,
    colleagues,
    courier,
    dispatcher,
    exports,
    facility,
    facility_merges,
    find_hub,
    fit_page,
    home,
    hub_people,
    invitations,
    jobs,
    joining,
    language,
    mails,
    maker,
    moderation,
    my_data,
    my_home,
    own_hub,
    own_printer,
    person_page,
    pickup_pages,
    proposing,
    public,
    recalls,
    registration,
    reporting,
    requester,
    reviewer,
    stop_page,
    taking_part,
    telephone,
    tracing,
    trial_page,
    uploads,
    verification,
    workshop,
)
from makerhub.web.compression import compress_static_files
from makerhub.web.filters import add_filters
from makerhub.web.hub import Hub
from makerhub.web.limits import limit_requests
from makerhub.web.mistakes import explain_mistakes
from makerhub.web.navigation import Audience
from makerhub.web.policy import PUBLIC, guard
from makerhub.web.safety import refuse_other_sites, refuse_zero_bytes, send_headers, want_form_tokens
from makerhub.web.sessions import ServerSessions
from makerhub.web.sign_in import POLICIES, add_sign_in
from makerhub.web.viewer import viewer_language

AUDIENCES: tuple[Audience, ...] = (
    home.audience,
    language.audience,
    asking.audience,
    requester.audience,
    facility.audience,
    colleagues.audience,
    called.audience,
    maker.audience,
    registration.audience,
    own_printer.audience,
    by_hand.audience,
    stop_page.audience,
    workshop.audience,
    agents.audience,
    my_home.audience,
    agent_page.audience,
    trial_page.audience,
    fit_page.audience,
    my_data.audience,
    reporting.audience,
    dispatcher.audience,
    telephone.audience,
    moderation.audience,
    exports.audience,
    verification.audience,
    facility_merges.audience,
    joining.audience,
    own_hub.audience,
    hub_people.audience,
    taking_part.audience,
    proposing.audience,
    jobs.audience,
    courier.audience,
    pickup_pages.audience,
    find_hub.audience,
    public.audience,
    uploads.audience,
    tracing.audience,
    reviewer.audience,
    recalls.audience,
    invitations.audience,
    admin.audience,
    person_page.audience,
    api.audience,
    mails.audience,
)
ACCESS = (
    delivery_access,
    demand_access,
    designs_access,
    facilities_access,
    hubs_access,
    moderation_access,
    printers_access,
    production_access,
    stock_access,
    trace_access,
)
"""Importing them states who may see which rows; without its rule a model shows nothing."""

LARGEST_FORM_BYTES = 1024 * 1024
"""A page that takes files says so in its policy."""


def create_web(hub: Hub, audiences: Sequence[Audience] = AUDIENCES) -> Flask:
    """The application of `hub`, with the pages of `audiences`; starts nothing in the background.

    The order matters: another site is refused before the policy is asked, and the policy before any form is read.
    """
    required_roles(hub.settings)  # said now, not at the first sign-in
    app = Flask("makerhub.web")
    app.extensions["makerhub"] = hub
    app.extensions["makerhub.audiences"] = tuple(audiences)
    app.config.update(
        SECRET_KEY=secret_key(hub.settings.data_directory / "web.key"),
        MAX_CONTENT_LENGTH=LARGEST_FORM_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        BABEL_DEFAULT_LOCALE=hub.settings.languages[0],
    )
    app.session_interface = ServerSessions(
        hub.database, hub.clock, hub.settings.sign_in_hours, secure=hub.settings.secure_cookies
    )
    Babel(app, locale_selector=viewer_language)
    refuse_other_sites(app)
    guard(app, {"static": PUBLIC, **POLICIES})
    limit_requests(app)
    refuse_zero_bytes(app)
    want_form_tokens(app)
    add_sign_in(app, hub.database)
    add_filters(app)
    explain_mistakes(app)
    send_headers(app)
    compress_static_files(app)
    _name_static_files_by_content(app)
    app.extensions["csrf"].exempt(agents.pages)  # programs with a token of their own, and without a session
    for audience in audiences:
        app.register_blueprint(audience.blueprint)
    return app


def _name_static_files_by_content(app: Flask) -> None:
    """Give each static file's address its hash, so that browsers keep it for a year and still see every change."""
    versions: dict[str, str] = {}

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            name = values["filename"]
            if name not in versions:
                versions[name] = _hash(Path(app.static_folder or "", name))
            values["v"] = versions[name]


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
