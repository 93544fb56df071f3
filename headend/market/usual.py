"""Faults of an ordinary day (``usual.csv``): what about one meter in seventy has. Defaults of this project, but for who does not answer."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from meters.calendar import day_end, day_start, seconds
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule

#: Of a day that is drawn for itself the next one belongs to it: it is read on it.
_AFTER = timedelta(days=1)


def usual(day: date) -> list[FaultRule]:
    """The rules of ``usual.csv`` around a day. Rates are of meters (``run``) or of meters a day (``day``); minutes: how long each lasts.

    days_before: on how many days before this one it is drawn too: where like days are looked for, but of what lasts on one alone, since each that it
    ever hit costs an emulator.
    """
    rules = []
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind, rate = FaultKind(row["kind"]), float(row["rate"])
            if row["every"] == "run":
                rules.append(FaultRule(kind, rate=rate))
                continue
            first, until = day_start(day - timedelta(days=int(row["days_before"]))), day_end(day + _AFTER)
            length = seconds(60 * int(row["minutes"])) if row["minutes"] else None
            params = {row["parameter"]: float(row["value"])} if row["parameter"] else {}
            rules.append(FaultRule(kind, first, until, params, rate=rate, every="day", length_s=length))
    return rules
