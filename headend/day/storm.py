"""Storm mode: of an area with many silent meters nothing is made up for those, by what collection has of the day.

An area is an access point's: what the records know of where a meter is. Source: the outage storm mode of a commercial MDM, which stops estimation where
reads fall 30 % below normal over at least 100 meters, for three days at most; here normal is every meter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from headend.ports import MeterKey
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from headend.vee.rules import BY_NUMBER, Rule
from meters.calendar import Seconds, day_end, seconds

_RULE = BY_NUMBER[Rule.ESTIMATE_STOPPED].id
#: Silent meters by access point.
Areas = Mapping[int, set[MeterKey]]


def stopped_areas(store: HeadEndStore, day: date, preset: Preset, now: Seconds) -> Areas:
    """The areas for which estimation of a day is stopped, with the meters that it is stopped for. now: UTC epoch seconds.

    It is resumed by data, when fewer are silent, or so long after the end of the first such day running.
    """
    longest = preset.limits.estimate_stopped_days
    areas = _silent_areas(store, day, preset) if longest else {}
    begun = dict.fromkeys(areas, day)
    for back in range(1, longest + 1 if areas else 0):
        earlier = day - timedelta(days=back)
        before = _silent_areas(store, earlier, preset)
        begun |= {area: earlier for area in before if begun.get(area) == earlier + timedelta(days=1)}
    lasts = seconds(longest * 24 * 3600)
    return {area: silent for area, silent in areas.items() if now < day_end(begun[area]) + lasts}


def stopped_meters(store: HeadEndStore, first: date, last: date) -> dict[date, set[MeterKey]]:
    """Meters for which estimation of the days from first to last was stopped when each was validated last; of days that have some."""
    return store.findings.meters_of(_RULE, first, last)


def resumed(store: HeadEndStore, day: date, were: set[MeterKey], preset: Preset, now: Seconds) -> set[MeterKey]:
    """Of the meters for which estimation of a day was stopped when it was validated last, those for which it is not any more. now: UTC epoch seconds."""
    return were.difference(*stopped_areas(store, day, preset, now).values()) if were else were


def _silent_areas(store: HeadEndStore, day: date, preset: Preset) -> Areas:
    """The areas with enough meters of which enough are silent."""
    points = {meter: address.access_point for meter, address in store.records.addresses.items()}
    meters = Counter(points.values())
    silent: dict[int, set[MeterKey]] = defaultdict(set)
    for state in store.states.of_day(day, complete=False):
        if state.cause == "silent" and state.meter in points:
            silent[points[state.meter]].add(state.meter)
    least, share = preset.limits.estimate_stopped_meters, preset.limits.estimate_stopped_share
    return {
        area: of_area
        for area, of_area in silent.items()
        if meters[area] >= least and 1000 * len(of_area) >= share * meters[area]
    }
