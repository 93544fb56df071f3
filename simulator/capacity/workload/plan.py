"""A workload's file made ready to be drawn: expected requests by the hour, outages, requests of one's own."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from headend.network.law import generator_for
from headend.wire import InquiryKind
from meters.calendar import Seconds, day_end, epoch
from meters.errors import UserError
from meters.identity import TDSPS
from simulator.capacity.workload.columns import ROW_OCTETS
from simulator.capacity.workload.curves import Floats, Hours, by_hour, by_hour_of_day, hours_of, read_curve
from simulator.capacity.workload.fleet import Company, Fleet
from simulator.capacity.workload.outages import NO_OUTAGES, Outages, Point, outages_of, read_outage_curve
from simulator.capacity.workload.own import OwnRequests, read_requests, rows_in
from simulator.capacity.workload.spec import ASKERS, StormSpec, WorkloadSpec
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import Mistake, YamlDocument
from simulator.smt.throttle.limits import RequesterClass

T = TypeVar("T")
#: Octets that a row takes while it is drawn and put in order: the row three times, and its place.
DRAWN_OCTETS = 3 * ROW_OCTETS + 16
#: And while it is read from a file.
READ_OCTETS = 250


class Stream(NamedTuple):
    """Independent callers of one class and kind: Poisson, by expected requests in each hour."""

    requester_class: RequesterClass
    kind: InquiryKind
    expected: Floats


class Bulk(NamedTuple):
    """A job: its first request (UTC epoch seconds), how many, how many a second, whose."""

    at: Seconds
    requests: int
    a_second: float
    ror: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What ``draw`` takes."""

    spec: WorkloadSpec
    fleet: Fleet
    hours: Hours
    streams: tuple[Stream, ...]
    bulk: tuple[Bulk, ...]
    #: Empty without a storm; a replication has its own access points.
    storm: tuple[Point, ...]
    company: int
    own: OwnRequests | None
    #: How many times as long as ``ASKERS`` says callers wait.
    patience: float = 1.0

    @property
    def begins(self) -> Seconds:
        """UTC epoch seconds."""
        return self.hours.begins[0]

    @property
    def ends(self) -> Seconds:
        """UTC epoch seconds."""
        return day_end(self.hours.day[-1])

    def outages(self, replication: int) -> Outages:
        """Which access points are out when."""
        storm = self.spec.storm
        if storm is None:
            return NO_OUTAGES
        rng = generator_for(self.spec.seed, "outages", str(replication))
        gasps = storm.gasps
        return outages_of(
            self.fleet,
            self.company,
            self.storm,
            rng,
            heard=gasps.heard,
            told_after_s=gasps.after_s,
            seed=self.spec.seed,
        )

    def expected(self) -> float:
        """How many requests are to be expected, at most: nobody stays silent for want of power."""
        count = sum(float(one.expected.sum()) for one in self.streams) + sum(one.requests for one in self.bulk)
        if self.spec.home_automation is not None:
            count += self.spec.home_automation.share * self.fleet.meters * len(self.hours)
        if self.spec.storm is not None:
            statuses, out = self.spec.storm.statuses, [0.0, *(point.out for point in self.storm)]
            goes = sum(max(0.0, after - before) for before, after in pairwise(out))
            count += goes * statuses.a_meter + max(out) * statuses.a_day * self.spec.days
        return count + (0 if self.own is None else len(self.own.requests))


def memory_octets() -> int:
    """Of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check_memory(octets: float, what: str, place: str) -> None:
    """Raise SimulatorError ``capacity.workload.too_large`` for what would take more than half of the machine's memory."""
    has = memory_octets()
    if octets > has / 2:
        raise SimulatorError(
            "capacity.workload.too_large",
            f"{what} would take {octets / 1e9:,.1f} GB, and this machine has {has / 1e9:,.1f} GB.",
            place,
            "Take fewer days, meters or requests.",
        )


def plan_of(
    written: YamlDocument, spec: WorkloadSpec, own: OwnRequests | None = None
) -> tuple[Plan | None, list[UserError]]:
    """Make a file's fields ready, or tell all that does not fit together.

    written: for the lines; other files are looked for beside it. own: the requests, where they are read already.
    """
    making = _Making(written, spec, own)
    plan = making.plan()
    return (None, making.mistakes) if making.mistakes else (plan, [])


def fleet_of(spec: WorkloadSpec) -> Fleet:
    """The fleet, its shares adding up to 1."""
    whole = sum(one.share for one in spec.fleet.rors)
    return Fleet(
        tuple(Company(TDSPS[one.name], one.meters, one.meters_per_access_point) for one in spec.fleet.tdsps),
        tuple(one.name for one in spec.fleet.rors),
        tuple(one.share / whole for one in spec.fleet.rors),
        spec.fleet.seed,
    )


class _Making:
    """Goes through a file's parts, and collects what is wrong with them."""

    def __init__(self, written: YamlDocument, spec: WorkloadSpec, own: OwnRequests | None) -> None:
        self._written, self._spec, self._given = written, spec, own
        self._fleet, self._hours = fleet_of(spec), hours_of(spec.day, spec.days)
        self.mistakes: list[UserError] = []

    def plan(self) -> Plan:
        spec, storm = self._spec, self._spec.storm
        company = 0 if storm is None else self._company(storm)
        plan = Plan(
            spec=spec,
            fleet=self._fleet,
            hours=self._hours,
            streams=tuple(self._streams()),
            bulk=tuple(self._bulk()),
            company=company,
            storm=() if storm is None else tuple(self._storm(storm, company)),
            own=self._own() if self._given is None else self._given,
        )
        if not self.mistakes:
            try:
                check_memory(plan.expected() * DRAWN_OCTETS, f"{plan.expected():,.0f} requests", self._written.place)
            except SimulatorError as error:
                self.mistakes.append(error)
        return plan

    def _wrong(self, loc: tuple[str | int, ...], message: str, mend: str) -> None:
        mistake = Mistake("capacity.workload.malformed", loc, message, mend)
        self.mistakes.append(self._written.error(mistake, SimulatorError))

    def _of_file(
        self, field: tuple[str | int, ...], name: str, read: Callable[[Path], tuple[T, list[SimulatorError]]]
    ) -> T | None:
        """What a file named in a field holds."""
        try:
            found, mistakes = read(Path(self._written.place).parent / name)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            why = getattr(error, "strerror", None) or "it is no CSV text in UTF-8"
            self._wrong(field, f"'{name}' cannot be read: {why}.", "Name a file beside this one, or its whole path.")
            return None
        except SimulatorError as error:
            self.mistakes.append(error)
            return None
        self.mistakes += mistakes
        return found

    def _streams(self) -> list[Stream]:
        spec, hours = self._spec, self._hours
        found = [
            Stream(asker, kind, by_hour(calls.curve, hours) * count)
            for asker, calls in spec.calls.items()
            for kind, count in calls.a_weekday().items()
        ]
        if spec.curve is not None:
            own = self._of_file(
                ("curve",), spec.curve, partial(read_curve, hours=hours, kind_of=lambda one: ASKERS[one].kind)
            )
            found += [Stream(one.requester_class, one.kind, one.calls) for one in own or ()]
        if spec.surge is not None:
            times = spec.surge.times
            found = [
                one._replace(expected=one.expected * times) if one.requester_class in spec.surge.classes else one
                for one in found
            ]
        return found + [self._after_bills()] * bool(spec.bills)

    def _after_bills(self) -> Stream:
        expected = np.zeros(len(self._hours))
        for bills in self._spec.bills:
            calls = bills.share * self._fleet.meters * bills.calls_a_bill
            for after, part in enumerate(bills.days_after):
                day = bills.day + timedelta(days=after)
                expected += calls * part * by_hour_of_day("calls", self._hours, day)
        return Stream(RequesterClass.ROR_CALL_CENTRE, InquiryKind.INTERVALS, expected)

    def _bulk(self) -> list[Bulk]:
        found = []
        for at, bulk in enumerate(self._spec.bulk):
            ror = self._place(self._fleet.rors, bulk.ror, ("bulk", at, "ror"), "retailer")
            has = int(self._fleet.shares[ror] * self._fleet.meters)
            if bulk.requests > has:
                self._wrong(
                    ("bulk", at, "requests"),
                    f"{bulk.requests:,} requests are more than the {has:,} meters of {self._fleet.rors[ror]}.",
                    "Ask for fewer, or name a retailer that has more.",
                )
            for day in dict.fromkeys(self._hours.day):
                try:
                    found.append(Bulk(epoch(f"{day}T{bulk.at}"), bulk.requests, bulk.a_second, ror))
                except UserError as error:
                    self._wrong(("bulk", at, "at"), error.message, error.mend)
        return found

    def _place(self, names: tuple[str, ...], name: str | None, field: tuple[str | int, ...], what: str) -> int:
        if name is None or name in names:
            return 0 if name is None else names.index(name)
        self._wrong(field, f"The fleet has no {what} '{name}'.", did_you_mean(name, names))
        return 0

    def _company(self, storm: StormSpec) -> int:
        keys = tuple(one.tdsp.key for one in self._fleet.companies)
        return self._place(keys, storm.tdsp, ("storm", "tdsp"), "TDSP")

    def _storm(self, storm: StormSpec, company: int) -> list[Point]:
        meters = self._fleet.companies[company].meters
        points: list[Point] = []
        if storm.curve is not None:
            points = self._of_file(("storm", "curve"), storm.curve, read_outage_curve) or []
        for at, one in enumerate(storm.out or ()):
            try:
                points.append(Point(epoch(one.at), one.share * meters))
            except UserError as error:
                self._wrong(("storm", "out", at, "at"), error.message, error.mend)
                continue
            if len(points) > 1 and points[-1].at < points[-2].at:
                self._wrong(
                    ("storm", "out", at, "at"), f"{one.at} is before the point above.", "Put them in order of time."
                )
        most = max((point.out for point in points), default=0.0)
        if most > meters:
            self._wrong(
                ("storm",),
                f"{most:,.0f} meters without power are more than the {meters:,} of the TDSP.",
                "Name the TDSP with 'tdsp', or mend the curve.",
            )
        elif points and (
            points[0].at >= day_end(self._hours.day[-1])
            or (points[-1].at <= self._hours.begins[0] and not points[-1].out)
        ):
            self._wrong(("storm",), "The storm's curve is of other days.", "Mend its days, or the workload's.")
        return points

    def _own(self) -> OwnRequests | None:
        name = self._spec.requests
        if name is None:
            return None
        span = (self._hours.begins[0], day_end(self._hours.day[-1]))

        return self._of_file(("requests",), name, partial(own_requests, fleet=self._fleet, span=span))


def own_requests(
    path: Path, fleet: Fleet, span: tuple[Seconds, Seconds] | None
) -> tuple[OwnRequests | None, list[SimulatorError]]:
    """``read_requests`` of a file that fits into memory."""
    rows = rows_in(path)
    check_memory(rows * READ_OCTETS, f"{rows:,} requests", str(path))
    return read_requests(path, fleet, span)
