"""What a request is in HTTP: by hand, and against what SMT's doors really say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meters.calendar import epoch, to_us
from simulator.capacity.ends import COMPLETED, EXPIRED, FAILED, REFUSED
from simulator.capacity.engine.doors import (
    HEADS,
    INTERVAL,
    LOG_IN,
    MARKET,
    PORTAL,
    AtTheDoors,
    at_the_doors,
    quarter_hours,
)
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.rows import ROW, Rows
from simulator.capacity.engine.run import NoOutages, play_load
from simulator.capacity.engine.use import BIN_US
from simulator.capacity.workload.columns import portal_calls
from simulator.smt import doors
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.engine.loads import load
from tests.simulator.capacity.engine.test_same_lives import CONTENDED, POINTS

ASKED = epoch("2026-08-12T17:41")
MARKET_API, AT_PORTAL = 0, 1


def request(door: int, kind: int, waited_s: float, end: int, reach: str = "") -> AtTheDoors:
    """One of 17:41."""
    rows: Rows = np.zeros(1, ROW).view(np.recarray)
    rows.planned_us = to_us(ASKED)
    rows.done_us = rows.planned_us + round(waited_s * 1e6)
    rows.door, rows.kind, rows.end = door, kind, end
    rows.reach = epoch(reach) if reach else 0
    # Of a load that has begun before it.
    use = play_load(load(1, 1, 1, ASKED - 10 * 3600), NoOutages(), preset("store-only"), Assumptions(), 1).use
    return at_the_doors(rows, use, Assumptions())


def example(door: str, call: str, name: str) -> tuple[int, int]:
    """Octets of a call's body and its reply's, as they are written."""
    found: dict[str, Any] = json.loads(Path(doors.__path__[0], door, "examples.json").read_text(encoding="utf-8"))
    said = found[call][name]
    request, reply = (len(json.dumps(said[part], separators=(",", ":"))) for part in ("request", "reply"))
    return request, reply


def test_octets_are_those_of_the_examples() -> None:
    odr, power, poll = "POST /v2/odr/", "POST /v2/powerstatus/", "POST /v2/odrstatus/"
    taken = [example("market", *one) for one in ((odr, "gap"), (odr, "plain"), (power, "power"))]
    assert MARKET["taken"] == tuple(map(sum, taken))
    away = [example("market", odr, "refused")[1]] * 2 + [example("market", power, "refused")[1]]
    assert MARKET["turned_away"] == tuple(of[0] + one for of, one in zip(taken, away, strict=True))
    pending = [sum(example("market", poll, name)) for name in ("pending intervals", "pending", "pending")]
    assert MARKET["pending"] == tuple(pending)
    answered = [sum(example("market", poll, name)) for name in ("intervals", "register", "power")]
    assert MARKET["answered"] == (answered[0] - 2 * INTERVAL, *answered[1:])
    assert MARKET["refused"] == (sum(example("market", poll, "refused")) - 2 * INTERVAL,) * 3
    assert MARKET["failed"] == (sum(example("market", poll, "failed")),) * 3
    ask, latest = "POST /api/ondemandread", "POST /api/usage/latestodrread"
    number = len(',"MeterNumber":"907055285"')
    found = {
        name: number + sum(example("portal", ask, of)) for name, of in (("taken", "taken"), ("turned_away", "5031"))
    }
    found |= {
        name: sum(example("portal", latest, of))
        for name, of in (("pending", "pending"), ("answered", "completed"), ("failed", "failed"))
    }
    assert found == PORTAL


@pytest.mark.parametrize(
    ("waited_s", "end", "polls"),
    [(0, COMPLETED, 1), (72, COMPLETED, 15), (600, FAILED, 120), (600.1, FAILED, 120), (2700, EXPIRED, 120)],
)
def test_the_market_api_is_polled_until_there_is_an_answer_or_ten_minutes_are_over(
    waited_s: float, end: int, polls: int
) -> None:
    found = request(MARKET_API, 1, waited_s, end)
    pending, done = MARKET["pending"][1], MARKET["answered" if end == COMPLETED else "failed"][1]
    assert found.calls.tolist() == [1 + polls]
    last = done if waited_s <= 600 else pending
    assert found.octets.tolist() == [MARKET["taken"][1] + (polls - 1) * pending + last + (1 + polls) * HEADS]


def test_whoever_is_turned_away_has_called_once_at_the_market_api_and_polls_on_at_the_portal() -> None:
    market, portal = (request(door, 1, 0, REFUSED) for door in (MARKET_API, AT_PORTAL))
    assert (market.calls[0], market.octets[0]) == (1, MARKET["turned_away"][1] + HEADS)
    assert portal.calls[0] == 22
    assert portal.octets[0] == LOG_IN + PORTAL["turned_away"] + 20 * PORTAL["answered"] + 21 * HEADS


def test_a_portal_read_is_3_to_22_calls() -> None:
    for waited in (0.0, 15.0, 15.1, 72.0, 300.0, 900.0):
        calls = portal_calls(np.asarray([round(waited * 1e6)], np.int64))
        assert request(AT_PORTAL, 1, waited, COMPLETED).calls.tolist() == calls.tolist()
    assert request(AT_PORTAL, 1, 10, COMPLETED).octets[0] == LOG_IN + PORTAL["taken"] + PORTAL["answered"] + 2 * HEADS


def test_an_answer_grows_by_each_interval_from_the_last_midnight_that_is_posted() -> None:
    whole, none = (request(MARKET_API, 0, 10, COMPLETED, reach) for reach in ("2026-08-12T17:30", ""))
    assert whole.octets[0] - none.octets[0] == 70 * INTERVAL
    late = request(MARKET_API, 0, 10, REFUSED, "2026-08-12T16:00")
    assert late.octets[0] == sum(
        (MARKET["taken"][0], MARKET["pending"][0], MARKET["refused"][0], 64 * INTERVAL, 3 * HEADS)
    )


def test_all_calls_lie_in_the_spans_that_they_are_made_in() -> None:
    played = play_load(load(2000, 300, POINTS, hours=6), NoOutages(), preset("smt-today"), CONTENDED, seed=5)
    rows, use = played.rows, played.use
    found = at_the_doors(rows, use, CONTENDED)
    assert found.span_calls.sum() == found.calls.sum()
    assert found.span_octets.sum() == found.octets.sum()
    assert found.arrivals.sum() == found.ends.sum() == len(rows)
    edges = use.begins_us + BIN_US * np.arange(len(use.tries))
    assert found.arrivals[:-1].tolist() == np.histogram(rows.planned_us, edges)[0].tolist()
    assert found.ends[:-1].tolist() == np.histogram(rows.done_us, edges)[0].tolist()
    # What is under way at a span's begin is what had come and not ended; polls go on as long as they do.
    assert (np.cumsum(found.arrivals - found.ends) >= 0).all()


def test_nobody_asks_and_nothing_is_called() -> None:
    played = play_load(load(0, 1, 1), NoOutages(), preset("smt-today"), CONTENDED, seed=5)
    found = at_the_doors(played.rows, played.use, CONTENDED)
    assert [of.sum() for of in found] == [0] * 6
    assert quarter_hours(played.rows, CONTENDED).shape == (0,)
