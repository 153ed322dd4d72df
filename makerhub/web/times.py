"""Moments as people read and write them: stored in UTC, shown in the viewer's zone and language.

In the hour that comes twice when summer time ends, the zone's abbreviation is shown along with the time. What is
typed for that hour means the first of the two; what is typed for the hour that does not exist is refused.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from markupsafe import Markup

from makerhub.errors import Invalid, translatable

A_MOMENT_AGO = timedelta(seconds=45)


def as_time(moment: datetime, zone: ZoneInfo, locale: Locale) -> Markup:
    """Day and time of day as a `<time>` element, like “29 Mar 2026, 03:30”."""
    local = moment.astimezone(zone)
    text = _in_words(local, locale)
    return _element(moment, f"{text} {local.tzname()}" if _comes_twice(local) else text)


def as_date(moment: datetime | date, zone: ZoneInfo, locale: Locale) -> Markup:
    """The day as a `<time>` element; a moment is taken in `zone`, a plain date as it is."""
    day = moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
    return _element(day, format_date(day, "medium", locale=locale))


def as_ago(moment: datetime, now: datetime, zone: ZoneInfo, locale: Locale, just_now: str) -> Markup:
    """How long ago, or how soon, like “3 minutes ago”; `just_now` is said within 45 seconds. The title has the time."""
    away = moment - now
    text = just_now if abs(away) < A_MOMENT_AGO else format_timedelta(away, add_direction=True, locale=locale)
    title = _in_words(moment.astimezone(zone), locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(_iso(moment), title, text)


def parse_day(text: str, zone: ZoneInfo) -> datetime:
    """The beginning, in UTC, of the day that `<input type="date">` gave, as it begins in `zone`. Raises `Invalid`."""
    return datetime.combine(_date(text), time(), tzinfo=zone).astimezone(UTC)


def parse_day_end(text: str, zone: ZoneInfo) -> datetime:
    """The end, in UTC, of that day: the beginning of the next one. A deadline “by Friday” means this."""
    return datetime.combine(_date(text) + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, that `<input type="datetime-local">` gave. Raises `Invalid`."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(translatable("Enter a day and a time.")) from error
    if local.tzinfo is not None:
        raise Invalid(translatable("Enter a day and a time."))
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise Invalid(translatable("This time does not exist: the clocks go forward. Enter another one."))
    return moment


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(translatable("Enter a day.")) from error
    if not date(1970, 1, 2) <= day <= date(2999, 12, 30):
        raise Invalid(translatable("Enter a day."))
    return day


def _in_words(local: datetime, locale: Locale) -> str:
    return f"{format_date(local, 'medium', locale=locale)}, {format_time(local, 'short', locale=locale)}"


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _element(moment: datetime | date, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(_iso(moment), text)


def _iso(moment: datetime | date) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if isinstance(moment, datetime) else moment.isoformat()
