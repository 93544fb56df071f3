"""What callers of a cell were told, against rows made by hand; no policy lets more in than its limits."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from headend.network.law import READ_OCTETS
from meters.calendar import epoch, seconds, to_us
from simulator.capacity.cell import Task, asked, kept_rules, may_break, play_cell
from simulator.capacity.ends import COMPLETED, FAILED, REFUSED, T_FAILED
from simulator.capacity.engine.doors import at_the_doors
from simulator.capacity.engine.rows import ROW, TURNS, Rows
from simulator.capacity.engine.run import Played, play_load
from simulator.capacity.engine.use import BIN_US, NO_USE, Use
from simulator.capacity.knobs import CONTENDED, Setting
from simulator.capacity.outcome import Key
from simulator.capacity.pushed import octets_pushed
from simulator.capacity.told import ALL, GROUPS, READS, conserved, little, told_of, worth
from simulator.capacity.value import FIGURES, HOURS, OF, ValueTable
from simulator.capacity.workload.draw import draw
from simulator.smt.ondemand.invariants import breaches
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.workload.planned import plan

CENTRE, BULK = 0, 1
INTERVALS, POWER = 0, 2


def value(season: str = "summer", kind: str = "weekday") -> ValueTable:
    """A cent for each quarter hour of hour 10, two of hour 20; 192 of them leave everybody unsatisfied. Of one season and kind of day, two plans alike."""
    n = 2 * HOURS * 2
    hour, unknown = np.repeat(np.arange(HOURS), 4), np.tile([0, 0, 192, 192], HOURS)
    columns: dict[str, Any] = {name: np.full(n, text) for name, text in (("season", season), ("kind", kind))}
    columns |= {"hour": hour, "unknown": unknown, "plan": np.tile(["one", "two"], n // 2), "calls": np.ones(n, int)}
    columns |= {"gap": np.full(n, "usual day"), "bill": np.full(n, "to date")}
    columns |= dict.fromkeys(FIGURES, np.zeros(n)) | {"mean_usd": hour * unknown / 1000, "unsatisfied": unknown / 192}
    assert set(OF) <= columns.keys()
    return ValueTable({"plans": {"one": "", "two": ""}}, columns)


def rows(*of: dict[str, Any]) -> Rows:
    """Rows with what is said of each; asked at ``at``, over ``after`` seconds later, with two minutes' patience."""
    made: Rows = np.zeros(len(of), ROW).view(np.recarray)
    made.patience_us, made.repeat_of, made.code = to_us(120), -1, -1
    for row, one in zip(made, of, strict=True):
        row.planned_us = to_us(epoch(one.pop("at")))
        row.done_us = row.planned_us + to_us(one.pop("after"))
        if "reach" in one:
            row.reach = epoch(one.pop("reach"))
        for name, what in one.items():
            row[name] = what
    return made


def played(of: Rows, **more: int) -> Played:
    """As if all had been in the middle tier all the time, in one span."""
    whole = np.asarray([(of.done_us - of.planned_us).sum() + more.get("middle_us", 0)])
    none = np.zeros(1, np.int64)
    use = Use(
        of.planned_us.min() // BIN_US * BIN_US, 0, whole, none, none, none, none, none, np.zeros((1, 0), np.int64)
    )
    return Played(of, ("ONE", "STORE"), 0, use)


ASKED = "2026-08-12T17:40"


def a_day() -> Rows:
    return rows(
        {"at": ASKED, "after": 60, "reach": "2026-08-12T17:30", "tries": 1, "end": COMPLETED},
        # Refused, but handed what the store has: 5 quarter hours are missing.
        {"at": ASKED, "after": 80, "reach": "2026-08-12T16:15", "end": REFUSED, "code": 1},
        # Too late: all of the day is missing, 70 quarter hours.
        {"at": ASKED, "after": 200, "reach": "2026-08-12T17:30", "tries": 2, "end": COMPLETED},
        # Yesterday is not posted yet at six: 120 quarter hours.
        {"at": "2026-08-12T06:00", "after": 100, "tries": 4, "end": FAILED},
        {"at": ASKED, "after": 30, "kind": POWER, "end": COMPLETED, "tries": 1},
        {"at": ASKED, "after": 0, "requester_class": BULK, "end": REFUSED, "code": 0},
        {
            "at": "2026-08-12T18:40",
            "after": 0,
            "reach": "2026-08-12T18:15",
            "end": COMPLETED,
            "repeat_of": 2,
            "attempt": 1,
        },
    )


def test_what_callers_were_told_is_counted_as_by_hand() -> None:
    of = played(a_day())
    told = told_of(of, 6, CONTENDED, value())
    # A row's own calls and octets are held in the engine's tests.
    doors = at_the_doors(of.rows, of.use, CONTENDED)
    calls, octets = doors.calls[[0, 1, 2, 3, 6]].sum(), doors.octets[[0, 1, 2, 3, 6]].sum()
    assert list(told) == list(GROUPS)
    reads = told[READS]
    # 17 mills for each quarter hour at 17 h, 18 at 18 h, 6 at 6 h; the last one was read for another a quarter hour before.
    usd, quarters = [0, 5 * 17, 70 * 17, 120 * 6, 1 * 18], [0, 5, 70, 120, 1]
    assert asdict(reads) == {
        "planned": 4,
        "again": 1,
        "told_in_call": pytest.approx(3 / 5),
        "told_meter": pytest.approx(2 / 5),
        "told_store": pytest.approx(1 / 5),
        "refused": pytest.approx(1 / 5),
        "meter_reads": 7,
        "octets_on_air": 7 * READ_OCTETS,
        "http_calls": calls,
        "http_octets": octets,
        "p50_s": 70.0,
        "p95_s": pytest.approx(80 + 0.85 * 120),
        "usd": pytest.approx(sum(usd) / 1000 / 5, rel=1e-6),
        "unsatisfied": pytest.approx(sum(quarters) / 192 / 5, rel=1e-6),
        "refused_by": {"STORE": 1},
    }
    bulk = told["ror_bulk"]
    assert (bulk.planned, bulk.told_in_call, bulk.refused_by) == (1, 0, {"ONE": 1})
    assert bulk.usd == pytest.approx(70 * 0.017)
    assert (told[ALL].planned, told[ALL].again, told[ALL].meter_reads) == (6, 1, 8)
    centre = told["ror_call_centre"]
    assert centre.planned == 5
    assert centre.told_in_call == pytest.approx(4 / 6)
    assert centre.usd == pytest.approx(reads.usd)
    assert told["csp"].planned == 0
    assert np.isnan([told["csp"].told_in_call, told["csp"].p50_s, told["csp"].usd]).all()


def test_a_day_of_twenty_five_hours_is_priced_by_its_clock() -> None:
    late = rows({"at": "2026-11-01T17:40", "after": 1})
    # 18 hours and a half since midnight, asked at 17 h of a Sunday in autumn.
    found = worth(late, np.zeros(1, np.bool_), CONTENDED, value("autumn", "weekend"))
    assert found[:, 0].tolist() == pytest.approx([74 * 0.017, 74 / 192], rel=1e-6)
    assert worth(late[:0], np.zeros(0, np.bool_), CONTENDED, value()).shape == (2, 0)


@pytest.mark.parametrize(
    ("row", "name", "wrong"), [(0, "end", -1), (0, "done_us", 0), (0, "repeat_of", 3), (6, "repeat_of", -1)]
)
def test_a_row_that_is_lost_is_found(row: int, name: str, wrong: int) -> None:
    day = a_day()
    conserved(day, 6)
    day[row][name] = wrong
    with pytest.raises(AssertionError):
        conserved(day, 6)


def test_time_that_no_resource_took_is_found() -> None:
    little(played(a_day()))
    with pytest.raises(AssertionError):
        little(played(a_day(), middle_us=to_us(8)))
    little(Played(a_day()[:0], (), 0, NO_USE))


@pytest.mark.parametrize("name", ["fr-cr016-1", "smt-today-guarded:amount=1", "access-point-guard", "smt-today-3000"])
def test_no_policy_lets_in_more_than_its_limits_nor_refuses_what_has_room(name: str) -> None:
    few = {"tdsps": [{"name": "Oncor", "meters": 1000, "meters_per_access_point": 100}]}
    calls = {"ror_call_centre": {"reads": 3000, "statuses": 300}, "csp": {"reads": 2000, "curve": "office"}}
    drawn = draw(plan(fleet=few, calls=calls))
    policy = preset(name)
    found = play_load(drawn.requests, drawn.outages, policy, replace(CONTENDED, flaky=0.2), 3)
    assert breaches(policy, asked(found.rows)) == []
    assert np.count_nonzero(found.rows.end == REFUSED) > 0
    kept_rules(policy, found.rows)
    # One that was refused is let in: what the policy's limits say is broken.
    turned_away = np.flatnonzero((found.rows.end == REFUSED) & (found.rows["flags"] & 1 == 0))[0]
    found.rows[turned_away]["flags"] |= 1
    with pytest.raises(AssertionError, match=f"{policy.name} broke"):
        kept_rules(policy, found.rows)


@pytest.mark.parametrize(
    "name", ["fr-cr016-1", "access-point-guard", "token-buckets", "requester-classes", "bandwidth-budget"]
)
def test_what_is_not_counted_because_its_limits_cannot_be_reached_breaks_none(name: str) -> None:
    few = {"tdsps": [{"name": "Oncor", "meters": 1000, "meters_per_access_point": 100}]}
    calls = {"ror_call_centre": {"reads": 2000, "statuses": 300}, "csp": {"reads": 2000, "curve": "office"}}
    drawn = draw(plan(fleet=few, calls=calls))
    policy = preset(name)
    found = play_load(drawn.requests, drawn.outages, policy, replace(CONTENDED, flaky=0.2), 3).rows
    turned = np.random.default_rng(1).choice(len(found), 400, replace=False)
    found["flags"][turned] ^= 1
    counted = may_break(policy, found)
    assert 0 < np.count_nonzero(counted) < len(found) or name in ("access-point-guard", "bandwidth-budget")
    broken = breaches(policy, asked(found))
    assert len(broken) > 100
    assert breaches(policy, asked(found, counted)) == broken


def test_who_asks_at_the_instant_of_anothers_end_came_before_or_after_it_as_the_rows_tell() -> None:
    policy = preset("access-point-guard")
    under_way = {"at": "2026-08-12T09:00", "after": 30, "end": T_FAILED, "flags": 1}
    refused = {"at": "2026-08-12T09:00:30", "after": 0, "end": REFUSED, "esi": 9}
    before = rows(*(under_way | {"esi": at, "turns": TURNS} for at in range(8)), dict(refused))
    assert breaches(policy, asked(before)) == []
    after = rows(*(under_way | {"esi": at} for at in range(8)), refused | {"turns": 1})
    assert [one.what for one in breaches(policy, asked(after))] == ["refused, though every limit had room"]


def test_the_rows_tell_who_came_first_where_requests_end_at_the_instants_at_which_others_ask() -> None:
    few = {"tdsps": [{"name": "Oncor", "meters": 1000, "meters_per_access_point": 100}]}
    drawn = draw(plan(fleet=few, calls={"ror_call_centre": {"reads": 3000, "statuses": 300}}))
    # On a grid of ten seconds, and who is not answered ends a minute later: one in two ends as somebody asks.
    drawn.requests.planned_us[:] = drawn.requests.planned_us // to_us(10) * to_us(10)
    policy, silent = preset("smt-today-guarded:amount=1"), replace(CONTENDED, good=0.0, flaky=0.0, expiry_us=to_us(60))
    found = play_load(drawn.requests, drawn.outages, policy, silent, 3).rows
    assert breaches(policy, asked(found)) == []
    for all_alike in (0, 1):
        found.turns[:] = all_alike
        assert len(breaches(policy, asked(found))) > 10


def test_what_smt_holds_is_told_as_the_stores_at_once_and_costs_no_try_but_octets_on_http() -> None:
    small = plan(calls={"ror_call_centre": {"reads": 400, "statuses": 50}})
    policies = [preset(name) for name in ("push-to-smt", "store-within", "smt-today")]
    pushed, within, today = (
        play_cell(Task(Key("small", one.name), Setting(small, CONTENDED, one), "small", first=False)).told
        for one in policies
    )
    assert pushed[READS].told_store > 0.9
    assert pushed[READS].told_in_call == pytest.approx(pushed[READS].told_store + pushed[READS].told_meter)
    # Nobody hangs up before it, and the middle tier loses none.
    assert pushed[READS].told_in_call > within[READS].told_in_call + 0.1
    assert pushed[READS].p50_s == 0 < within[READS].p50_s
    assert pushed[READS].meter_reads <= within[READS].meter_reads < today[READS].meter_reads
    sent = octets_pushed(policies[0], small.fleet.meters, seconds(86400), 4)
    asked_for = sum(pushed[group].http_octets for group in GROUPS[3:])
    assert sent > 0
    assert pushed[ALL].http_octets == asked_for + sent
    assert within[ALL].http_octets == sum(within[group].http_octets for group in GROUPS[3:])
