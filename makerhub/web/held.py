"""Why a facility is promised nothing, or not everything, yet."""

from sqlmodel import Session

from makerhub.errors import translatable
from makerhub.facilities.service import limits_of, standing_of
from makerhub.people.models import Organisation
from makerhub.web.hub import hub

NOTHING_YET = translatable("Nothing is made for %(facility)s yet: nobody has proved that it is what it says.")
NOT_ALL_YET = translatable("%(facility)s is not verified yet: it may be promised %(most)s items in all until then.")


def why_held(session: Session, facility: Organisation) -> tuple[str, dict[str, object]] | None:
    """A sentence to be translated, and its values; None where the facility may have all that it asks for."""
    most = limits_of(hub().settings).most(standing_of(session, facility.id, hub().clock()))
    if most is None:
        return None
    return (NOT_ALL_YET if most else NOTHING_YET), {"facility": facility.name, "most": most}
