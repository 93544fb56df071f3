"""The charts of a market's day: what each company delivered, hour by hour, and what its rules found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any

from headend.vee.rules import RULES, Severity
from meters.calendar import INTERVAL_S, interval_ends, local, seconds
from simulator.web.kinds import ACTUAL, ESTIMATED
from simulator.web.lines import BASE, FRESH, HIGH, KNOWN, LOW, MIDDLE, Line, Lines
from simulator.web.parts import Table
from simulator.web.rows import Marks, Rows

#: Of the companies and of all together, each told by colour and by dashes.
_LOOKS = (KNOWN, FRESH, BASE, HIGH, LOW)


def day_chart(found: Mapping[str, Any]) -> tuple[Lines, Table]:
    """GW that each company, and all, delivered in each interval; and by the hour in words, MWh."""
    starts = [local(seconds(end - INTERVAL_S)) for end in interval_ends(date.fromisoformat(found["day"])).tolist()]
    profiles = {one["name"]: one["profile_wh"] for one in found["tdsps"].values()}
    looks = dict(zip(profiles, _LOOKS, strict=False))
    if len(profiles) > 1:
        profiles["All"] = [sum(one) for one in zip(*profiles.values(), strict=True)]
        looks["All"] = MIDDLE
    hours = [(place, f"{at:%H:%M}") for place, at in enumerate(starts) if at.minute == 0]
    chart = Lines(
        "What each company delivered in each interval of the day, GW",
        (0, len(starts)),
        hours[::6],
        lambda gw: f"{gw:,g}",
        [
            Line(looks[name], name, [at + 0.5 for at in range(len(starts))], [4 * wh / 1e9 for wh in profile])
            for name, profile in profiles.items()
        ],
        spare=[one for at, one in enumerate(hours) if at % 6 == 3],
    )
    rows = [
        [f"{hour:%H:%M}", *(f"{sum(profile[at] for at, _ in its) / 1e6:,.1f}" for profile in profiles.values())]
        for hour, of in groupby(enumerate(starts), key=lambda one: one[1].replace(minute=0))
        for its in (list(of),)
    ]
    return chart, Table(["Hour", *(f"{name}, MWh" for name in profiles)], rows)


def findings_chart(found: Mapping[str, Any]) -> tuple[Rows, Table]:
    """How many findings each rule told, by powers of ten; and the same in words."""
    told = found["all"]["findings"]
    marks = [
        Marks(kind, word, [count if RULES[rule].severity is severity else None for rule, count in told.items()])
        for severity, kind, word in (
            (Severity.ESTIMATE, ESTIMATED, "intervals are estimated"),
            (Severity.TELL, ACTUAL, "told, no value changes"),
        )
    ]
    chart = Rows("Findings by rule, all companies", list(told), lambda count: f"{count:,.0f}", marks, powers=True)
    return chart, Table(["Rule", "findings"], [[rule, f"{count:,}"] for rule, count in told.items()])
