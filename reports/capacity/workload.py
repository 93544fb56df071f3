"""What a workload asks for, in figures and in lines of text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from meters.calendar import INTERVAL_S, Seconds, day_of, instants, local, seconds, to_s, to_us
from simulator.capacity.workload.columns import (
    BEFORE_POLLS,
    CLASSES,
    DOORS,
    KINDS,
    POLLS,
    ROW_OCTETS,
    Requests,
    Workload,
)
from simulator.smt.throttle.limits import Door

#: The busiest quarter hour of a class is told, and its busiest second.
_SECOND = seconds(1)


def figures(workload: Workload) -> dict[str, Any]:
    """Everything that is told of a workload, as ``--json`` prints it."""
    rows = workload.requests
    classes = [_of_class(workload, rows.take(rows.requester_class == at), name) for at, name in enumerate(CLASSES)]
    portal = int(np.count_nonzero(rows.door == DOORS.index(Door.PORTAL)))
    return {
        "workload": workload.name,
        "title": workload.title,
        "seed": workload.seed,
        "first_day": str(day_of(workload.begins)),
        "days": round((workload.ends - workload.begins) / timedelta(days=1).total_seconds()),
        "meters": workload.fleet.meters,
        "access_points": workload.fleet.points,
        "requests": len(rows),
        "octets": len(rows) * ROW_OCTETS,
        "classes": [one for one in classes if one["requests"]],
        # Each read costs a portal's client three calls if it is there at once, 22 if it never comes.
        "portal_calls": {"least": portal * (BEFORE_POLLS + 1), "most": portal * (BEFORE_POLLS + POLLS)},
        "outages": _outages(workload),
    }


def _of_class(workload: Workload, rows: Requests, name: str) -> dict[str, Any]:
    kinds = np.bincount(rows.kind, minlength=len(KINDS)).tolist()
    return {
        "class": name,
        "requests": len(rows),
        **{kind.lower(): count for kind, count in zip(KINDS, kinds, strict=True)},
        "esiids": len(np.unique(rows.esi)),
        "busiest_quarter_hour": _busiest(workload, rows, INTERVAL_S),
        "busiest_second": _busiest(workload, rows, _SECOND),
    }


def _busiest(workload: Workload, rows: Requests, length: Seconds) -> dict[str, Any] | None:
    if not len(rows):
        return None
    which = to_s(rows.planned_us - to_us(workload.begins)) // length
    counts = np.bincount(which)
    return {"at": local(workload.begins + int(counts.argmax()) * length).isoformat(), "requests": int(counts.max())}


def _outages(workload: Workload) -> dict[str, Any] | None:
    out = workload.outages
    if not len(out):
        return None
    at = np.unique(
        np.concatenate([out.from_us, to_us(np.asarray(instants(workload.begins, workload.ends, INTERVAL_S)))])
    )
    dark = out.meters_out(workload.fleet, at)
    meters = sum(workload.fleet.meters_at(point)[1] for point in out.access_point.tolist())
    return {
        "access_points": len(np.unique(out.access_point)),
        "most_meters_out": int(dark.max()),
        "at": local(seconds(to_s(at[int(dark.argmax())]))).isoformat(),
        "meter_hours": round(float(_meter_hours(workload))),
        "last_gasps_heard": round(meters * out.heard),
    }


def _meter_hours(workload: Workload) -> float:
    out, ends = workload.outages, to_us(workload.ends)
    meters = np.asarray([workload.fleet.meters_at(point)[1] for point in out.access_point.tolist()])
    return float((meters * (np.minimum(out.to_us, ends) - np.minimum(out.from_us, ends))).sum() / 3.6e9)


def lines(told: dict[str, Any]) -> list[str]:
    """The figures as text."""
    days = "1 day" if told["days"] == 1 else f"{told['days']} days"
    found = [
        f"{told['workload']}: {told['title']}".rstrip(": "),
        f"{told['first_day']}, {days}, {told['meters']:,} meters, {told['access_points']:,} access points, seed {told['seed']}",
        "",
        f"{'class':<17}{'requests':>10}{'reads':>10}{'registers':>10}{'statuses':>10}{'ESI IDs':>10}  busiest quarter hour, second",
    ]
    for one in told["classes"]:
        quarter, second = one["busiest_quarter_hour"], one["busiest_second"]
        found.append(
            f"{one['class']:<17}{one['requests']:>10,}{one['intervals']:>10,}{one['register']:>10,}{one['power']:>10,}{one['esiids']:>10,}"
            f"  {quarter['at'][5:16].replace('T', ' ')}: {quarter['requests']:,}, {second['requests']:,}"
        )
    portal = told["portal_calls"]
    found += [
        "",
        f"{told['requests']:,} requests in {told['octets'] / 1e6:,.1f} MB. Those of the portal cost SMT {portal['least']:,} to {portal['most']:,} calls, "
        "most of them polls. Who calls again is not in here: it follows from the answers.",
    ]
    out = told["outages"]
    if out is not None:
        found.append(
            f"Power is away from {out['access_points']:,} access points, {out['most_meters_out']:,} meters at once ({out['at'][:16].replace('T', ' ')}), "
            f"{out['meter_hours']:,} meter hours; {out['last_gasps_heard']:,} last gasps are heard."
        )
    return found
