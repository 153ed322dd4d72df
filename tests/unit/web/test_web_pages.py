"""What pages say: errors with a way on, parts, menus, times in the viewer's zone and language."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from sqlmodel import SQLModel
from unit.web.browsers import Site
from unit.web.houses import House

from makerhub.errors import Invalid
from makerhub.people.models import Person
from makerhub.web import times
from makerhub.web.words import WORDS

BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH = Locale.parse("en_GB")


def shown(site: Site, template: str, who: str | None = None, **options: object) -> str:
    browser = site.signed_in(who) if who else site.browser()
    imports = '{% from "_parts.html" import ' + PARTS + " %}"
    response = browser.get("/template", query_string={"it": imports + template}, **options)
    assert response.status_code == 200, response.text
    return response.text


PARTS = (
    "alert, breadcrumbs, button_form, checkbox, checkboxes, empty, error_summary, facts, field, live, progress, "
    "radios, select, stepper, tag, task, tasks, textarea"
)


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("missing", 404, "could not find"),
        ("forbidden", 403, "not allowed"),
        ("invalid", 400, "At most 5."),
        ("illegal", 409, "it is “On its way”, and from there it can not become “Packed”"),
        ("moved", 409, "Somebody else changed this"),
        ("broken", 500, "It is our mistake"),
    ],
)
def test_each_error_has_a_page_with_a_way_on(site: Site, kind: str, status: int, words: str) -> None:
    response = site.browser().get(f"/error/{kind}")
    assert response.status_code == status
    assert words in response.text
    assert "To the first page" in response.text
    assert "secret detail" not in response.text


def test_the_wrong_method_says_which_is_right(site: Site) -> None:
    response = site.browser().get("/do")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_the_menu_shows_what_is_for_the_viewer(site: Site) -> None:
    assert "Share the work out" in site.signed_in("alice").get("/").text
    for page in (site.signed_in("bob").get("/").text, site.browser().get("/").text):
        assert "See the catalogue" in page
        assert "Share the work out" not in page


def test_names_are_escaped(site: Site) -> None:
    with site.database.changing() as database:
        database.get_one(Person, site.people["alice"].id).name = "<script>alert(1)</script>"
    assert "<script>alert" not in site.signed_in("alice").get("/").text


def test_every_state_of_every_machine_has_words() -> None:
    machines = [mapper.class_ for mapper in SQLModel._sa_registry.mappers if hasattr(mapper.class_, "MOVES")]
    states = {state for model in machines for state in type(next(iter(model.MOVES)))}
    assert states
    assert {state.value for state in states} - WORDS.keys() == set()


def test_a_tag_says_a_state_in_words_and_colour(site: Site) -> None:
    assert shown(site, "{{ tag('in_doubt') }}").strip() == '<span class="tag tag-warning">Needs a look</span>'


def test_a_field_tells_its_hint_and_its_error(site: Site) -> None:
    text = shown(
        site,
        "{{ field('count', 'How many', '<0>', hint='Pieces', errors={'count': '100% whole.'}, inputmode='numeric') }}",
    )
    assert '<label for="count">How many</label>' in text
    assert 'aria-describedby="count-hint count-error"' in text
    assert 'aria-invalid="true"' in text
    assert 'value="&lt;0&gt;"' in text
    assert 'inputmode="numeric"' in text
    assert "100% whole." in text


def test_a_field_without_error_is_plain(site: Site) -> None:
    text = shown(site, "{{ field('note', 'Note', required=false) }}")
    assert "(optional)" in text
    assert "aria-" not in text
    assert "required" not in text


def test_choices_keep_what_was_chosen_and_the_summary_leads_to_the_first(site: Site) -> None:
    text = shown(
        site,
        "{{ error_summary({'size': 'Choose one.'}) }}"
        "{{ radios('size', 'Size', [(1, 'One'), (2, 'Two', 'the larger')], 2, errors={'size': 'Choose one.'}) }}"
        "{{ checkboxes('days', 'Days', [('mo', 'Monday'), ('tu', 'Tuesday')], ['tu']) }}"
        "{{ select('kind', 'Kind', [('a', 'A'), ('b', 'B')], 'b', placeholder='Choose') }}",
    )
    assert '<a href="#size">' in text
    assert '<input id="size" name="size" type="radio" value="1" required>' in text
    assert 'value="2" checked' in text
    assert 'value="tu" checked' in text
    assert '<option value="b" selected>' in text


def test_all_parts_render(site: Site) -> None:
    text = shown(
        site,
        "{{ alert('Sent', 'success') }}{{ breadcrumbs([('Start', '/')]) }}{{ checkbox('ok', 'Fine', true) }}"
        "{{ empty('Nothing') }}{{ facts([('A', 1)]) }}{{ progress(3, 0, 'Printed') }}{{ stepper(['a', 'b'], 1) }}"
        "{% call tasks() %}{{ task('Do it', '/do', state='queued') }}{% endcall %}{{ textarea('t', 'T', 'x') }}"
        "{% call live('/part', 5) %}now{% endcall %}"
        "{{ button_form('/do', 'Stop', 'danger', {'id': 7}, confirm='Sure?') }}",
    )
    assert 'hx-get="/part" hx-trigger="every 5s"' in text
    assert "<details" in text
    assert 'name="id" value="7"' in text
    assert 'aria-current="step"' in text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "29 Mar 2026, 01:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "29 Mar 2026, 03:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 Oct 2026, 02:30 CEST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 Oct 2026, 02:30 CET"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "25 Oct 2026, 03:30"),
    ],
)
def test_times_are_right_across_a_change_to_and_from_summer_time(moment: datetime, text: str) -> None:
    iso = moment.isoformat(timespec="seconds")
    assert times.as_time(moment, BERLIN, ENGLISH) == f'<time datetime="{iso}">{text}</time>'


def test_a_day_is_the_viewers_day() -> None:
    late = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert "29 Mar 2026" in times.as_date(late, BERLIN, ENGLISH)
    assert times.as_date(date(2026, 3, 28), BERLIN, ENGLISH) == '<time datetime="2026-03-28">28 Mar 2026</time>'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-20, "just now"), (10, "just now"), (-180, "3 minutes ago"), (-7200, "2 hours ago"), (86400 * 3, "in 3 days")],
)
def test_ago_says_how_long_it_is(seconds: int, text: str) -> None:
    now = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
    moment = datetime.fromtimestamp(now.timestamp() + seconds, UTC)
    assert text in times.as_ago(moment, now, BERLIN, ENGLISH, "just now")


def test_a_typed_day_begins_and_ends_in_the_viewers_zone() -> None:
    assert times.parse_day("2026-03-29", BERLIN) == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert times.parse_day_end("2026-03-29", BERLIN) == datetime(2026, 3, 29, 22, 0, tzinfo=UTC)


def test_a_typed_time_in_the_hour_that_comes_twice_is_the_first() -> None:
    assert times.parse_moment("2026-10-25T02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-29T02:30", "", "tomorrow", "2026-13-01T00:00", "2026-05-04T10:00+02:00"])
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        times.parse_moment(text, BERLIN)


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    for parse in (times.parse_day, times.parse_day_end):
        with pytest.raises(Invalid):
            parse(text, BERLIN)


def test_pages_use_the_persons_zone_then_the_organisations_then_the_hubs(make_site: Callable[..., Site]) -> None:
    site = make_site(time_zone="America/New_York")
    with site.database.changing() as database:
        database.get_one(Person, site.people["bob"].id).time_zone = "Asia/Tokyo"
    template = "{{ at|time }}"
    assert "24 Oct 2026, 21:30" in shown(site, template)
    assert "25 Oct 2026, 10:30" in shown(site, template, "bob")
    assert "25 Oct 2026, 02:30 CET" in shown(site, template, "alice")
    assert "24 Oct 2026, 21:30" in shown(site, template, "charlie")


def test_pages_speak_the_viewers_language(make_site: Callable[..., Site]) -> None:
    site = make_site(languages=("en", "de"))
    template = "{{ language() }} {{ 1234.5|number }}"
    german = {"Accept-Language": "de-AT, en;q=0.5"}
    assert shown(site, template).strip() == "en 1,234.5"
    assert shown(site, template, headers=german).strip() == "de 1.234,5"
    with site.database.changing() as database:
        database.get_one(Person, site.people["bob"].id).language = "en"
    assert shown(site, template, "bob", headers=german).strip() == "en 1,234.5"


def test_a_name_that_a_template_does_not_know_is_an_error(site: Site) -> None:
    assert site.browser().get("/template", query_string={"it": "{{ nobody }}"}).status_code == 500


def test_the_menu_marks_where_one_is_once_and_folds_what_is_many(house: House) -> None:
    def menu(who: str, address: str) -> str:
        return house.signed_in(who).get(address).text.partition("<nav")[2].partition("</nav>")[0]

    facilities = menu("dan", "/dispatch/facilities")
    assert re.findall(r'href="([^"]*)" aria-current="([^"]*)"', facilities) == [("/dispatch/facilities", "page")]
    shown, _, folded = menu("dan", "/recalls").partition("<details")
    assert 'href="/recalls" aria-current="page"' in shown
    assert 'href="/invitations"' in folded
    assert "<details" not in menu("ruth", "/requests")


def test_whoever_has_no_role_is_led_to_a_hub(house: House) -> None:
    main = house.signed_in("charlie").get("/").text.partition("<main")[2]
    assert "Nothing to do for you yet" in main
    assert 'class="button" href="/hubs"' in main
    assert "Nothing to do for you yet" not in house.signed_in("mona").get("/").text


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("http://localhost/form?next=/x", "/form"),
        ("http://localhost/error/missing", ""),
        ("http://localhost//evil.example/", ""),
        ("http://localhost/\\evil.example", ""),
        ("https://evil.example/form", ""),
        ("", ""),
    ],
)
def test_a_mistake_leads_back_to_the_page_of_ours_on_which_it_was_made(site: Site, before: str, back: str) -> None:
    page = site.browser().get("/error/missing", headers={"Referer": before} if before else {}).text
    buttons = re.findall(r'<a class="button[^"]*" href="([^"]*)">', page.partition("<main")[2])
    assert buttons == ([back, "/"] if back else ["/"])
