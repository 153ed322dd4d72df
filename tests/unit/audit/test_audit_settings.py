"""What somebody changes of a printer, a facility, a hub or their own settings is in the log, by whom and when."""

from builders import ADDRESS, MK3S, NOW, World

from makerhub.audit.models import Deed
from makerhub.facilities import service as facilities
from makerhub.hubs import service as hubs
from makerhub.people import homes
from makerhub.people import service as people
from makerhub.people.home_models import HandingOver
from makerhub.people.models import Organisation
from makerhub.people.quiet_hours import QuietHours
from makerhub.printers import power
from makerhub.printers import service as printers
from makerhub.printers.models import Printer


def logged(world: World) -> list[tuple[str, str, object]]:
    deeds = sorted(world.all(Deed), key=lambda deed: deed.number or 0)
    return [(deed.what, deed.entity, deed.by) for deed in deeds if deed.what != "role given"]


def test_changes_of_settings_are_logged(world: World) -> None:
    mona, dan, ruth = world.maker.id, world.dispatcher.id, world.requester.id
    where = {"name": "Rosewood", "place": "", "postcode": "", "entrance": "At the back", "opening_hours": ""}
    before = len(logged(world))
    with world.database.changing() as session:
        printer = session.get_one(Printer, world.printer.id)
        printers.change(session, printer, world.new_printer(name="Hers", key=""), world.key_box, now=NOW)
        printers.bring(session, printer, {}, {MK3S.key: MK3S}, now=NOW)
        power.set_limit(session, mona, 2000, now=NOW)
        homes.set_quiet_hours(session, mona, QuietHours(0, 60), now=NOW)
        homes.choose_handing_over(session, mona, HandingOver.PICKUP, now=NOW)
        homes.enter_address(session, mona, ADDRESS, world.key_box, now=NOW)
        homes.set_hidden(session, mona, NOW, now=NOW)
        care_home = session.get_one(Organisation, world.care_home.id)
        facilities.describe(session, care_home, **where, by=ruth, now=NOW)
        hub = session.get_one(Organisation, world.hub.id)
        people.offer_pickup(session, hub, True, by=dan, now=NOW)
        profile = hubs.profile_for(session, hub, now=NOW)
        hubs.describe(session, profile, hubs.Told("Kingston Hub", "Kingston"), by=dan, now=NOW)
    assert logged(world)[before:] == [
        ("changed", "printer", mona),
        ("own settings brought", "printer", mona),
        ("most watts set", "person", mona),
        ("quiet hours set", "person", mona),
        ("handing over chosen", "person", mona),
        ("address entered", "person", mona),
        ("hidden", "person", mona),
        ("described", "organisation", ruth),
        ("pickups offered", "organisation", dan),
        ("described", "hub_profile", dan),
    ]
    assert not [deed.why for deed in world.all(Deed) if "Larch" in deed.why]
