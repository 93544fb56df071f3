"""The table of rules, and what comes beside the answer that counts: it is kept, so many times, and moves nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import epoch, iso
from simulator.smt.ondemand.inquiries import MOST_BESIDE
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import BESIDE, ENDED, TRANSITIONS, State
from simulator.smt.ondemand.rules import LONGEST, RULES, finding
from simulator.smt.registry.meter_attributes import MeterAttributes, installed_meter, most_wh
from simulator.smt.throttle.decision import Door, Kind, MemoryAdmission, Requested, Scope
from simulator.smt.throttle.policy import parse_policy
from tests.simulator.smt.rig import Rig

PAGE = Path(__file__).parents[4] / "docs" / "parties.md"
SET = date(2026, 1, 1)


def test_the_page_has_the_table() -> None:
    rows = [
        f"| `{rule.id}` | {rule.author} | {rule.source} | {'yes' if rule.fatal else 'no'} | {rule.sentence} |"
        for rule in RULES.values()
    ]
    page = PAGE.read_text("utf-8")
    assert "\n".join(rows) in page
    assert sum(line.split(" | ")[1:2] in (["head-end"], ["requester"]) for line in page.splitlines()) == len(rows)


def test_what_was_found_is_no_step_of_a_life() -> None:
    assert set(State) - TRANSITIONS.keys() == BESIDE
    assert not BESIDE & ENDED


def test_a_finding_can_be_kept_whatever_came() -> None:
    found = finding("UNKNOWN-FIELD", "\ud800" * 300, "a\0b")
    assert (len(found.field), found.field[:3], found.value) == (LONGEST, "???", "a?b")


@pytest.mark.parametrize(
    ("meter", "wh"),
    [
        (MeterAttributes(), 12_000),
        (installed_meter("1", "ONCOR", SET, three_phase=True), 41_550),
        (installed_meter("1", "ONCOR", SET, multiplier=40), 48_000),
        (MeterAttributes(meter_class="as it was", current_ratio="none"), 12_000),
    ],
)
def test_what_a_service_carries_follows_from_its_meter(meter: MeterAttributes, wh: int) -> None:
    assert most_wh(meter) == wh


@pytest.mark.parametrize(
    ("limit", "back_at"),
    [
        ({"window": "day"}, "2026-08-13T00:00"),
        ({"window": "rolling_hour"}, "2026-08-13T00:55"),
        ({"measure": "tokens", "window": None, "per_s": 3600, "burst": 1}, "2026-08-13T01:02"),
        ({"measure": "octets", "window": "day", "amount": 900, "estimate": 500}, "2026-08-13T00:00"),
        ({"measure": "under_way", "window": None}, None),
    ],
)
def test_a_read_that_nobody_let_in_counts_where_its_request_does(limit: dict[str, Any], back_at: str | None) -> None:
    asked, found = epoch("2026-08-12T23:55"), epoch("2026-08-13T00:02")
    named = {"name": "L", "scope": "esiid", "code": "L", "rule": "A rule.", "amount": 1} | limit
    written = {name: value for name, value in named.items() if value is not None}
    admission = MemoryAdmission(parse_policy("mine", {"title": "mine", "limits": [written]}, place="test"))
    requested = Requested(Kind.READ, Door.API, {Scope.ESIID: "e"})
    admission.charge("k", requested, asked, found, 500)
    refusal = admission.refusal(requested, asked if limit.get("measure") != "tokens" else found)
    assert (refusal and iso(refusal.retry_at)[:16]) == back_at


async def entry_of(rig: Rig, key: str) -> Entry:
    found = rig.smt.ledger.entry(key)
    rig.smt.ledger.forget(key)
    assert found is not None
    # What was kept is what is remembered.
    assert rig.smt.ledger.entry(key) == found
    return found


async def test_a_call_back_that_is_refused_is_in_the_ledger_with_its_field(rig: Rig) -> None:
    rig.head_end.times = 0
    key = (await rig.asked())["correlationId"]
    await rig.wait(11)
    named = f'"correlationId": "{key}"'.encode()
    wrong = {
        b'{%s, "outcome": "fine"}': "outcome",
        b'{%s, "outcome": "completed", "meterReads": ': "body",
        b'{"intervals": [{"wh": 1.5}], %s, "outcome": "completed"}': "intervals.0.end",
        b'{%s, "outcome": "\xff"}': "body",
    }
    for body in wrong:
        assert (await rig.call_back(body % named, key)).status_code == 400
    for _ in range(MOST_BESIDE):
        refused = await rig.call_back(b'{%s, "outcome": "refused", "meterReads": -1}' % named)
        assert refused.status_code == 400
    assert (await rig.call_back(b'{"correlationId": "1", "outcome": "fine"}')).status_code == 400
    await rig.wait(46 * 60)
    entry = await entry_of(rig, key)
    rejected = [step for step in entry.transitions if step.state is State.REJECTED]
    assert [step.field for step in rejected][: len(wrong)] == list(wrong.values())
    assert len(rejected) == MOST_BESIDE
    assert {step.rule for step in rejected} == {"MALFORMED"}
    assert entry.last.state is State.EXPIRED
    assert "were not taken, the latest for its meterReads" in entry.last.reason
    count = len(wrong) + MOST_BESIDE + 1
    assert f'ami_smt_call_backs_total{{became="rejected"}} {count}.0' in rig.smt.metrics.text().decode()


async def test_a_second_answer_that_differs_is_told_apart_from_a_repeat(rig: Rig) -> None:
    rig.head_end.times = 0
    key = (await rig.asked())["correlationId"]
    await rig.wait(11)
    at = iso(rig.runtime.now())
    first = {"correlationId": key, "outcome": "completed", "meterReads": 1, "register": {"wh": 5000, "at": at}}
    # The same, with its fields in another order, the defaults written, and the instant in another zone.
    utc = {"wh": 5000, "at": "2026-08-12T22:40:11Z"}
    same = {"octets": 0, "register": utc, "outcome": "completed", "meterReads": 1, "correlationId": key, "missing": []}
    other = first | {"register": {"wh": 5001, "at": at}}
    became = []
    for wait, body in ((0, first), (0, same), (0, other), (65, same), (0, other)):
        await rig.wait(wait)
        reply = await rig.call_back(body)
        became.append((reply.status_code, reply.json()["status"]))
    assert became == [(202, one) for one in ("accepted", "duplicate", "differs", "late", "differs")]
    entry = await entry_of(rig, key)
    assert [step.rule for step in entry.transitions if step.state in BESIDE] == ["SECOND-ANSWER"] * 2
    assert entry.last.state is State.COMPLETED
    assert entry.content is not None
    assert entry.content.register_read is not None
    assert entry.content.register_read.wh == 5000
    assert rig.smt.ledger.open_keys() == []
