"""What is typed about a hub: the same for one that is proposed and one that is described."""

from flask import request

from makerhub.hubs.models import HubProfile
from makerhub.hubs.service import Told
from makerhub.people.models import Organisation


def told() -> Told:
    """What the form says."""
    typed = request.form
    return Told(
        name=typed.get("name", ""),
        area=typed.get("area", ""),
        about=typed.get("about", ""),
        languages=typed.get("languages", ""),
        place=typed.get("place", ""),
        postcode=typed.get("postcode", ""),
        entrance=typed.get("entrance", ""),
        opening_hours=typed.get("opening_hours", ""),
        chat_links=typed.get("chat_links", "").splitlines(),
        joins_freely="joins_freely" in typed,
        shows_address="shows_address" in typed,
    )


def said(place: Organisation, profile: HubProfile) -> dict[str, str]:
    """What the form begins with: what the hub says now."""
    texts = {
        "name": place.name,
        "area": profile.area,
        "about": profile.about,
        "languages": profile.languages,
        "place": place.place,
        "postcode": place.postcode,
        "entrance": place.entrance,
        "opening_hours": place.opening_hours,
        "chat_links": "\n".join(profile.chat_links),
    }
    boxes = {"joins_freely": profile.joins_freely, "shows_address": profile.shows_address}
    return texts | {name: "yes" for name, is_ticked in boxes.items() if is_ticked}
