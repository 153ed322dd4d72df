"""What agents at makers' homes ask of the hub: no pages, but a few small answers to programs that dial out.

A request is let in by the token that it carries, or by a pairing code; nothing here looks at a browser's sign-in.
"""

import io
from typing import Final, TypeVar

import msgspec
from flask import Blueprint, abort, request, send_file
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from makerhub.errors import Invalid, MakerhubError, NotFound
from makerhub.fleet import trial
from makerhub.fleet.messages import LARGEST_REPORT, Paired, Pairing, Report, decode, encode
from makerhub.people.models import Organisation
from makerhub.people.tries import TooManyTries
from makerhub.printers import agents
from makerhub.printers.agent_models import Agent
from makerhub.printers.own import ModelUnknown, base_of
from makerhub.production.agents import Received, gcode_for, trial_for
from makerhub.web.agent_wheel import agent_wheel
from makerhub.web.guessing import guess
from makerhub.web.hub import hub
from makerhub.web.limits import at_most, at_will
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience
from makerhub.web.policy import public

pages = Blueprint("agents", __name__, url_prefix="/agents")
audience = Audience(pages)

_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
Message = TypeVar("Message", bound=msgspec.Struct)


@pages.post("/pair")
@public
@at_most("30 per 15 minutes", per_address="30 per 15 minutes")
def pair() -> ResponseReturnValue:
    """Take an agent that shows a code which waits on a printer's page; it gets its token here, once."""
    pairing = _read(Pairing)
    try:
        with guess() as guessed, hub().database.changing() as session:
            agent, printer, token = agents.pair(session, pairing, _token(), now=hub().clock())
            guessed.was_right = True
            profile = base_of(printer, hub().profiles)
            if profile is None:
                raise ModelUnknown(model=printer.profile)
            place = session.get_one(Organisation, printer.hub_id)
            answer = Paired(agent.id, printer.id, printer.name, place.name, profile.limits(), token)
    except MakerhubError as error:
        return {"problem": message_of(error)}, 429 if isinstance(error, TooManyTries) else 400, _JSON
    return encode(answer), 200, _JSON


@pages.post("/report")
@public
@at_will
def report() -> ResponseReturnValue:
    """Take what is new at an agent, and answer with what the hub wants, once it is committed.

    Most reports never get here: `web.agent_reports` takes them, many at once. The answers are the same.
    """
    token = _token() or abort(401)
    (reply,) = hub().agents.apply([Received(agents.token_hash(token), _read(Report))])
    return (encode(reply), 200, _JSON) if reply is not None else abort(401)


@pages.get("/gcode/<string(length=64):sha256>")
@public
def gcode(sha256: str) -> ResponseReturnValue:
    """The G-code of something that is to be printed at the agent; a part of it, if it asks for the rest."""
    with hub().database.reading() as session:
        agent = _agent(session)
        is_trial = sha256 == trial.SHA256 and trial_for(session, agent)
        if not is_trial and not gcode_for(session, agent, sha256):
            raise NotFound
    content = io.BytesIO(trial.GCODE if is_trial else hub().files.get(sha256))
    return send_file(content, mimetype="application/octet-stream", etag=sha256, conditional=True)


@pages.get("/<string:filename>")
@public
def wheel(filename: str) -> ResponseReturnValue:
    """The agent to install: the same version as the hub, so that both speak one language."""
    made = agent_wheel()
    if filename != made.filename:
        raise NotFound
    return send_file(io.BytesIO(made.content), mimetype="application/zip", etag=made.sha256, download_name=filename)


def _token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _agent(session: Session) -> Agent:
    token = _token()
    agent = agents.by_token(session, token) if token else None
    return agent or abort(401)


def _read(kind: type[Message]) -> Message:
    """The message in the body; one that is not what it should be is refused as a whole."""
    body = request.get_data(cache=False)  # forms are looked for before, with the limit of all forms
    if len(body) > LARGEST_REPORT:
        abort(413)
    try:
        return decode(body, kind)
    except ValueError as error:
        raise Invalid from error
