"""The first page: for a visitor what makerhub is, for somebody who is signed in what there is to do."""

from flask import Blueprint, render_template

from makerhub.web.navigation import Audience
from makerhub.web.policy import public
from makerhub.web.viewer import viewer_or_none

pages = Blueprint("home", __name__)
audience = Audience(pages)


@pages.get("/")
@public
def start() -> str:
    """The first page."""
    return render_template("home.html" if viewer_or_none() else "welcome.html")
