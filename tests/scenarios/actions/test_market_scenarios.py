"""The shipped scenarios of who shares a meter's quota, and of a complaint that begins in the middle; what a timeline may not say."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from meters.calendar import epoch
from scenarios.actions.market.portal_read import RecordedPortalRead
from scenarios.actions.market.same_answers import RecordedAnswers
from scenarios.actions.table import ACTIONS
from scenarios.cli import registry
from scenarios.file.lint import lint, unmet
from scenarios.file.shipped import SCENARIOS
from scenarios.judging.verdict import judge
from scenarios.recording import Recording
from scenarios.recording import load as load_recording
from scenarios.records.actions import RecordedCall, RecordedRequest
from scenarios.run import JudgedRun, run_and_judge
from simulator.ror.call.basis import Kind
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.registry.csv_files import registry_faults, write_registry
from simulator.smt.throttle.limits import Scope
from simulator.world.market import build_market
from simulator.world.market_spec import RORS, MarketSpec
from simulator.world.meters import WorldSpec, build
from tests.cases import few
from tests.scenarios.shipped import FOLDERS, NAMES, shipped
from tests.scenarios.short import action, mutated, run, scenario, short_balance


def entries(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Up to three entries of a market about a meter."""
    return st.lists(st.fixed_dictionaries({"meter": st.integers(1, 4), **fields}), max_size=3)


def played_shipped(name: str, out: Path) -> JudgedRun:
    played = run_and_judge(shipped(name)[0], out)
    assert played.verdict.mark == "passed", [one for one in played.verdict.judged if one.failures]
    assert judge(load_recording(out / "recording.json")) == played.verdict
    return played


def failed(recording: Recording) -> list[str]:
    return [one.id for one in judge(recording).judged if one.failures]


def test_a_read_counts_under_who_was_of_record_when_it_came_whoever_is_later_that_day(tmp_path: Path) -> None:
    """Each retailer has one read a day; the switch takes effect at once, from that day on."""
    written = short_balance()
    written["world"] |= {"first_day": "2026-08-11", "faults": []}
    limit = {"name": "ROR-DAY", "kind": "read", "scope": "ror", "window": "day", "amount": 1, "code": "ROR-DAY"}
    written["policy"] = {
        "title": "One a day and ROR",
        "source": "meter_only",
        "limits": [limit | {"rule": "One a day."}],
    }
    read = {"do": "on_demand_read", "expect": {"outcome": "answered"}}
    written["timeline"] = [
        {"at": "2026-08-12T14:00", "ref": "old", **read},
        {
            "at": "2026-08-12T15:00",
            "ref": "switched",
            "do": "registry_change",
            "change": "switch",
            "to": "9990002220000",
        },
        {"at": "2026-08-12T16:00", "ref": "new", "login": "saltfork.api", **read},
    ]
    played = run(written, tmp_path)
    assert [one.last.state for one in played.recording.ledger] == ["completed", "completed"]
    assert [one.scopes[Scope.ROR] for one in played.recording.ledger] == ["9990001110000", "9990002220000"]
    assert failed(played.recording) == []


def test_the_new_ror_meets_what_customer_and_old_ror_used_and_the_old_one_is_out_at_midnight(tmp_path: Path) -> None:
    played = played_shipped("switch-of-ror-shares-one-allowance", tmp_path)
    recording = played.recording
    refused = action(played, RecordedRequest, "new-ror-meets-their-reads").trouble
    assert refused
    # An hour after the first of the two.
    assert refused.retry_at == epoch("2026-08-13T00:25:00-05:00")
    assert "customer (portal)" in refused.reason
    users = [(one.username, one.last.state) for one in recording.ledger]
    assert users == [
        ("customer.one", "completed"),
        ("pecanbend.api", "completed"),
        ("saltfork.api", "refused"),
        ("saltfork.api", "completed"),
        ("customer.one", "refused"),
    ]

    # Said of a read that another one asked for, a check fails.
    def otherwise(written: dict[str, Any]) -> None:
        written["ledger"][1]["username"] = "saltfork.api"
        written["actions"]["old-ror-is-not-of-record"]["trouble"]["code"] = "smt.A1"

    assert failed(mutated(recording, otherwise)) == ["old-ror-in-the-evening", "old-ror-is-not-of-record"]


def test_on_the_first_day_at_a_new_ror_the_meter_is_asked_from_midnight_on(tmp_path: Path) -> None:
    written = short_balance()
    switch = {"meter": 5, "to": "9990001110000", "effective": "2026-08-12"}
    written["world"] |= {"faults": [], "market": {"switches": [switch]}}
    written["account"] |= {
        "meter": 5,
        "cycle_first": "2026-08-12",
        "customer_since": "2026-08-12",
        "full_cycle_days": 30,
    }
    call, _, _, _, again, _ = written["timeline"]
    written["timeline"] = [call, again]
    played = run(written, tmp_path)
    assert {one.id: one.failures for one in played.verdict.judged if one.failures} == {}
    told = action(played, RecordedCall, "call-0001")
    assert told.stand is not None
    assert {part.kind: part.intervals for part in told.stand.rests_on} == {Kind.STORE: 64, Kind.METER: 6, Kind.FIXED: 0}
    assert told.instant.stand is not None
    assert {part.kind: part.intervals for part in told.instant.stand.rests_on} == {Kind.EXPECTED: 70, Kind.FIXED: 0}

    # One whose customer came earlier would have had VEE data.
    def earlier(written: dict[str, Any]) -> None:
        written["scenario"]["account"]["customer_since"] = None

    assert failed(mutated(played.recording, earlier)) == ["S2", "S6"]


def test_two_clients_use_up_one_meters_quota(tmp_path: Path) -> None:
    played = played_shipped("two-clients-use-up-a-quota", tmp_path)
    states = [one.last.state for one in played.recording.ledger]
    assert states == ["completed", "completed", "refused", "completed", "refused", "completed", "refused"]


def test_a_complaint_is_declared_and_lifted_in_the_middle(tmp_path: Path) -> None:
    recording = played_shipped("stale-read-for-an-hour", tmp_path).recording
    assert all(one.last.state is State.COMPLETED for one in recording.ledger)
    declared, lifted = (next(one for one in recording.journal if one.kind == kind) for kind in ("complaint declared", "complaint lifted"))  # fmt: skip
    assert (lifted.at - declared.at, (lifted.model_extra or {})["strikes"]) == (3600, 20)

    def later(written: dict[str, Any]) -> None:
        strikes = [one for one in written["journal"] if one["kind"] == "complaint"]
        strikes[-1]["at"] = lifted.at + 1

    assert failed(mutated(recording, later)) == ["stale-no-more"]


def test_an_exchanged_meter_is_known_the_day_after_by_its_new_number_and_read(tmp_path: Path) -> None:
    written = first_of("stale-read-for-an-hour")
    written["world"]["faults"] = [{"kind": "exchange", "meter": 1, "first": "2026-08-12T09:10"}]
    answers = {"do": "same_answers", "days": 1}
    read = {"do": "on_demand_read"}
    written["timeline"] = [
        {"at": "2026-08-12T08:00", "ref": "old", **answers},
        {"at": "2026-08-12T16:00", "ref": "not-known-yet", "expect": {"outcome": "failed"}, **read},
        {"at": "2026-08-13T09:00", "ref": "new", **answers},
        {"at": "2026-08-13T09:10", "ref": "read", "expect": {"outcome": "answered"}, **read},
        {"at": "2026-08-13T09:20", "ref": "portal", "do": "portal_read", "expect": {"outcome": "answered"}},
    ]
    played = run(written, tmp_path)
    assert played.verdict.mark == "passed", [one for one in played.verdict.judged if one.failures]
    old, new = (action(played, RecordedAnswers, ref).market.meter[0] for ref in ("old", "new"))
    assert old["meterSerialNumber"] != new["meterSerialNumber"]
    assert old["utilityMeterId"][1:] == new["utilityMeterId"][1:]
    assert new["installationDate"] == "08/12/2026"
    # Its register began at 0, at 09:10 of the day before.
    assert 0 < float(str(action(played, RecordedPortalRead, "portal").odrread)) < 150


def first_of(name: str) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load((SCENARIOS.files()[name]).read_text(encoding="utf-8"))
    return written


@pytest.mark.parametrize(
    ("action", "place", "said"),
    [
        ({"do": "complaint", "lift": "dtale"}, "timeline[2].lift", "Declare one before it"),
        ({"do": "complaint"}, "timeline[2]", "either what to declare or what to lift"),
        ({"do": "complaint", "declare": {"kind": "stale_read", "meters": [9]}}, "timeline[2].declare.meter", "meter 9"),
        ({"do": "complaint", "declare": {"kind": "hang"}}, "timeline[2].declare", "gateway_timeout"),
        ({"do": "portal_read", "expect": {"outcome": "answered"}, "login": "saltfork.api"}, "timeline[2].login", "customer.one"),
        ({"do": "on_demand_read", "expect": {"outcome": "answered"}, "login": "saltfrok.api"}, "timeline[2].login", "mean saltfork.api?"),
    ],
)  # fmt: skip
def test_lint_tells_of_an_action_that_cannot_be(tmp_path: Path, action: dict[str, Any], place: str, said: str) -> None:
    written = first_of("stale-read-for-an-hour")
    written["timeline"][1:] = [{"at": "2026-08-12T17:00", "ref": "it"} | action]
    path = tmp_path / "it.yaml"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    found = [one for one in lint(path)[1] if one.place.endswith(f": {place}")]
    assert found, lint(path)[1]
    assert said in str(found[0])


def test_the_page_names_every_action_and_its_market_is_sound() -> None:
    page = (SCENARIOS.folder.parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z][a-z0-9_-]*)` \|", page, re.M)) - {"do"}
    assert told == {*ACTIONS}
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    written = yaml.safe_load(block)
    assert set(MarketSpec.model_fields) == set(written) | {"registry"}
    market = build_market(build(WorldSpec(meters=8, first_day=date(2026, 8, 11), market=written), 1)).registry
    assert market.users["windmill.api"].duns


@pytest.mark.parametrize("name", few(FOLDERS, NAMES))
def test_the_registry_of_a_shipped_scenario_can_be_read(name: str, tmp_path: Path) -> None:
    for case in shipped(name):
        write_registry(build_market(build(case.world, case.seed)).registry, tmp_path / case.name)
        assert registry_faults(tmp_path / case.name) == []


DAY = st.one_of(
    st.dates(date(2026, 8, 7), date(2026, 8, 16)),
    st.dates(date(2024, 8, 7), date(2024, 8, 12)),
    st.sampled_from([date(1, 1, 1), date(2020, 1, 1), date(2020, 1, 2), date(2099, 12, 30), date(9999, 12, 31)]),
).map(str)
CUSTOMER = st.sampled_from(["customer.one", "customer.two"])
MARKETS = st.fixed_dictionaries(
    {},
    optional={
        "switches": entries(to=st.sampled_from(RORS), effective=DAY),
        "occupancies": entries(customer=CUSTOMER, move_in=st.none() | DAY, move_out=st.none() | DAY),
        "agreements": entries(customer=CUSTOMER, first_day=DAY, last_day=st.none() | DAY),
        "service_points": entries(ams=st.booleans(), energized=st.booleans()),
    },
)


@given(market=MARKETS)
@settings(max_examples=60)
def test_the_registry_of_a_sound_market_can_be_read(market: dict[str, Any]) -> None:
    written = short_balance()
    written["world"] |= {"meters": 4, "faults": [], "market": market}
    try:
        sound = scenario(written)
    except ValidationError:
        return
    if list(unmet(sound)):
        return
    with TemporaryDirectory() as folder:
        write_registry(build_market(build(sound.world, sound.seed)).registry, Path(folder))
        assert registry_faults(Path(folder)) == []


def test_a_registry_is_written_as_files_and_names_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry(Path("stale-read-for-an-hour"), tmp_path / "records", as_json=True)
    assert json.loads(capsys.readouterr().out).keys() == {"folder", "esiids", "logins"}
    written = first_of("stale-read-for-an-hour")
    written["world"]["market"] = {"registry": str(tmp_path / "records")}
    path = tmp_path / "it.yaml"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert lint(path)[1] == []
    written["world"]["tdsp"] = "TNMP"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert [one.code for one in lint(path)[1]] == ["market.registry"]
