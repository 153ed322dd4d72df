"""What a facility is offered to ask a hub for, and why not for all of it: the same in a form and on the telephone."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlmodel import Session

from makerhub.demand import service as demand
from makerhub.demand.models import Urgency
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.designs.models import ApprovalState
from makerhub.errors import translatable
from makerhub.people.models import Organisation
from makerhub.web.catalogue import Choice
from makerhub.web.catalogue import choices as kits_to_choose
from makerhub.web.hub import hub
from makerhub.web.request_form import Answers, Choices, Draft

NOT_YET = {
    ApprovalState.PROTOTYPE: translatable("This hub makes it no more: it was withdrawn here."),
    ApprovalState.COMMUNITY_REVIEWED: translatable("You may not ask for it yet: no review of it holds at this hub."),
    ApprovalState.CLINICALLY_APPROVED: translatable("You may not ask for it yet: it is not clinically approved here."),
}
"""Why a design is shown and can't be chosen, by what it lacks."""

URGENCIES = (
    (Urgency.CRITICAL, translatable("Critical"), translatable("We run out within two days, or have none left.")),
    (Urgency.SOON, translatable("Soon"), translatable("We run out within two weeks.")),
    (Urgency.ROUTINE, translatable("Routine"), translatable("For our store cupboard.")),
)


def kits_offered(session: Session, draft: Draft, choices: Choices) -> Sequence[Choice]:
    """What is offered: versions that the facility may ask for go before newer ones that it may not."""
    facility = next((one for one in choices.facilities if str(one.id) == draft.facility), None)
    asked = next((one for one in choices.hubs if str(one.id) == draft.hub), None)
    if facility is None or asked is None:
        return kits_to_choose(session, frozenset)
    return kits_to_choose(session, partial(_askable, session, facility, asked, hub().policy))


def why_barred(session: Session, choices: Choices, given: Answers) -> dict[str, str]:
    """Why the facility may not ask this hub for some kits, in English, by the kit's key."""
    facility, asked = (session.get(Organisation, key) for key in (given.request.facility_id, given.request.hub_id))
    if facility is None or asked is None:
        return {}
    policy, kits = hub().policy, [choice.kit.id for choice in choices.kits.values()]
    may = _askable(session, facility, asked, policy, kits)
    made = _askable(session, facility, asked, ApprovalPolicy(policy.jurisdiction), kits)
    needed = policy.needs(facility.kind)
    return {
        choice.key: NOT_YET[needed if choice.kit.id in made else ApprovalState.PROTOTYPE]
        for choice in choices.kits.values()
        if choice.kit.id not in may
    }


def _askable(
    session: Session, facility: Organisation, asked: Organisation, policy: ApprovalPolicy, kits: Sequence[UUID]
) -> frozenset[UUID]:
    return demand.askable(session, policy, kits, facility.kind, asked.id, hub().clock())
