"""The first page: for a visitor what makerhub is, for somebody who is signed in what there is to do."""

from flask import Blueprint, render_template

from makerhub.people.access import has_role
from makerhub.people.blocks import suspensions_of
from makerhub.people.models import Person, Role
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import public
from makerhub.web.recalls import open_notices
from makerhub.web.viewer import viewer_or_none

pages = Blueprint("home", __name__)
audience = Audience(pages)


@pages.get("/")
@public
def start() -> str:
    """The first page."""
    person = viewer_or_none()
    if person is None:
        return render_template("welcome.html")
    with hub().database.reading() as session:
        return render_template(
            "home.html",
            recalls=open_notices(session, person),
            suspensions=suspensions_of(session, person.id),
            lacks_factors=_lacks_factors(person),
        )


def _lacks_factors(person: Person) -> bool:
    """Whether to tell those who would need a second factor that this hub asks nobody for one, as the demo does not."""
    return not hub().settings.second_factor_roles and has_role(person, Role.DISPATCHER, Role.ADMIN)
