"""What portal and market API share: the days that are asked for, a service point that someone may see, whose a request is."""

from __future__ import annotations

from datetime import date

from meters.calendar import day_of, parse_us_date, us_date
from simulator.smt.access.log import What
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.lifecycle import Filed
from simulator.smt.party import Smt
from simulator.smt.registry.records import ServicePoint, User

#: History goes back 24 months.
_HISTORY_YEARS = 2


def dates_asked(start: str, end: str, today: date) -> tuple[date, date]:
    """First and last day of a request. Raises BusinessError for a malformed date, a wrong order, or too long ago."""
    found = []
    for name, text in (("startDate", start), ("endDate", end)):
        try:
            found.append(parse_us_date(text))
        except ValueError:
            raise BusinessError("INVALID-DATE", name) from None
    first, last = found
    if first > last:
        raise BusinessError("DATE-ORDER", start, end)
    # Of 29 February there is none two years ago.
    earliest = today.replace(year=today.year - _HISTORY_YEARS, day=min(today.day, 28))
    if first < earliest:
        raise BusinessError("HISTORY", us_date(earliest))
    # No day of the future has data; a far one would only be counted through. A question about the future is one about today.
    return min(first, today), min(last, today)


def point_seen(smt: Smt, user: User, esiid: str) -> ServicePoint:
    """The service point, if the user may see it today. Raises BusinessError AC1, whether there is such an ESI ID or not."""
    today = day_of(smt.driver.now())
    if not smt.registry.may_see(user, esiid, today):
        raise BusinessError("AC1")
    smt.access.note(user, esiid, What.ATTRIBUTES)
    return smt.registry.point(esiid, today)


def asked_by(filed: Filed, user: User) -> bool:
    """Whether a request is the user's: of an entity, whoever asked for it; of a customer, who has no DUNS number, their own."""
    return filed.duns == user.duns if user.duns else filed.username == user.username
