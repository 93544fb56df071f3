"""``lint`` finds all that a run would stumble over: each mistake with code, line, field and mend, and nothing in a sound scenario."""

from __future__ import annotations

import json
import re
from datetime import date, time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from headend.service.metrics import HeadEndMetrics
from headend.vee.preset import PostTime
from meters.calendar import epoch, seconds
from meters.errors import UserError
from scenarios.actions.market.look import metrics_of
from scenarios.errors import ScenarioError
from scenarios.file.lint import lint, load_sound
from scenarios.file.schema import Scenario, load, scenario_schema
from scenarios.file.shipped import SCENARIOS
from scenarios.parts.expected import INSTANT
from simulator.input.vee_preset import FOLDER
from simulator.input.yaml_text import read_yaml_file
from simulator.smt.metrics import SmtMetrics
from tests.scenarios.pages import SCHEMA
from tests.scenarios.shipped import FILES, NAMES, shipped
from tests.scenarios.short import BALANCE, short_balance
from tests.simulator.processes import ran
from tests.simulator.ror.billing.pages import schema_text

Written = dict[str, Any]


def linted(tmp_path: Path, written: Written) -> list[UserError]:
    path = tmp_path / "it.yaml"
    path.write_text(yaml.dump(written, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return lint(path)[1]


def put(written: Written, field: str, value: Any) -> None:
    *way, last = field.split(".")
    at: Any = written
    for part in way:
        at = at[int(part) if part.isdigit() else part]
    at[last] = value


DEAD = {"kind": "dead", "meter": 9, "first": "2026-08-10T00:00"}
SPIKE = {"kind": "spike", "meter": 2, "first": "2026-08-10T11:00", "until": "2026-08-10T11:15", "factor": -4}
SWITCH = {"meter": 1, "to": "9990002220000", "effective": "2026-08-13"}
MOVED = {"meter": 1, "customer": "customer.two", "move_in": "2026-08-12", "move_out": "2026-08-11"}
LIVES = {"meter": 1, "customer": "customer.two"}
AWAY = {"kind": "vacation", "meter": 1, "first": "2026-08-10T05:00", "until": "2026-08-12T11:00"}
SNAP = {"kind": "cold_snap", "zone": "NCENT", "first": "2026-01-10", "until": "2026-01-14", "degrees": 12}
SCALED = {"meter": 1, "scale_to": {"first": "2026-08-09", "last": "2026-08-14", "kwh": 1e12}}


@pytest.mark.parametrize(
    ("field", "value", "place", "said"),
    [
        ("account.cycle_last", "2026-08-01", "account.cycle_last", "before it begins"),
        ("account.cycle_last", "2028-08-01", "account.cycle_last", "more than a year"),
        ("account.cycle_last", "2026-08-11", "timeline[1].at", "outside the billing cycle"),
        ("account.cycle_first", "2026-08-13", "timeline[1].at", "outside the billing cycle"),
        ("account.full_cycle_days", 7, "account.full_cycle_days", "Leave it away for a whole cycle"),
        ("account.cycle_first", 20260809, "account.cycle_first", "Write it as 2026-08-12"),
        ("account.meter", 6, "account.meter", "There is no meter 6: the world has 5"),
        ("account.plan", "longhorn", "account.plan", "Choose one of: big-bend-seasons, bluebonnet-saver-12"),
        ("account.plan", "../plans/longhorn-thousand-24", "account.plan", "There is no plan"),
        ("policy", "fr-cr016", "policy", "Choose one of: fr-cr016-1"),
        ("policy", 5, "policy", "is no policy"),
        ("policy", {"title": "t", "limts": []}, "policy.limts", "Did you mean limits?"),
        ("policy", {"title": "t", "like": "x"}, "policy.like", "There is no policy 'x'"),
        ("world.tdsp", "ONCO", "world.tdsp", "Choose one of: ONCOR"),
        ("world.first_day", "2026-08-12", "timeline[1].at", "first_day"),
        ("world.first_day", "1999-08-12", "world.first_day", "out of range"),
        ("world.gateways", 6, "world.gateways", "more than there are meters"),
        ("world.faults", [DEAD], "world.faults[1].meter", "There is no meter 9"),
        ("world.faults", [DEAD | {"meter": 1}, SPIKE], "world.faults[2]", "outside"),
        ("world.lookalikes", [AWAY | {"meter": 9}], "world.lookalikes[1].meter", "There is no meter 9"),
        ("world.lookalikes", [AWAY, AWAY | {"kind": "roof_zeros"}], "world.lookalikes[2]", "has no roof"),
        ("world.lookalikes", [AWAY | {"first": "1999-08-10"}], "world.lookalikes[1].first", "out of range"),
        ("world.weather", [SNAP | {"zone": "NCNT"}], "world.weather[1]", "no weather zone"),
        ("world.weather", [SNAP, SNAP | {"until": "2026-01-10"}], "world.weather[2]", "Give 'until'"),
        ("world.weather", [SNAP | {"first": "1999-01-10"}], "world.weather[1].first", "out of range"),
        ("world.premises", [SCALED], "world.premises[1]", ""),
        (
            "world.market",
            {"switches": [SWITCH | {"to": "9990003330000"}]},
            "world.market.switches[1].to",
            "No ROR of the",
        ),
        ("world.market", {"switches": [SWITCH | {"meter": 9}]}, "world.market.switches[1].meter", "no meter 9"),
        ("world.market", {"switches": [SWITCH | {"effective": 5}]}, "world.market.switches[1].effective", "is no day"),
        (
            "world.market",
            {"switches": [SWITCH | {"effective": "1999-01-01"}]},
            "world.market.switches[1].effective",
            "out",
        ),
        (
            "world.market",
            {"switches": [SWITCH, SWITCH | {"to": "9990001110000"}]},
            "world.market.switches[2].effective",
            "switches twice on 2026-08-13",
        ),
        (
            "world.market",
            {"switches": [SWITCH | {"to": "9990001110000"}]},
            "world.market.switches[1].to",
            "9990001110000 is of record for meter 1 already",
        ),
        (
            "world.market",
            {"switches": [SWITCH | {"effective": "2026-09-01"}, SWITCH]},
            "world.market.switches[1].to",
            "9990002220000 is of record for meter 1 already",
        ),
        (
            "world.market",
            {"switches": [SWITCH | {"meter": 5}]},
            "world.market.switches[1].to",
            "of record for meter 5 already",
        ),
        (
            "world.market",
            {"switches": [SWITCH | {"effective": "2024-08-09"}]},
            "world.market.switches[1].effective",
            "does not come after the records begin, on 2024-08-09",
        ),
        ("world.market", {"switches": [SWITCH | {"meter": True}]}, "world.market.switches[1].meter", "true is not a"),
        ("world.market", {"classes": {"pecanbend.jobs": "csp"}}, "world.market", "Choose ror_call_centre or ror_bulk"),
        ("world.market", {"classes": {"customer.one": "bulk"}}, "world.market.classes.customer.one", "is not known"),
        ("world.market", {"classes": {"lonestar.api": "ror_bulk"}}, "world.market.classes.lonestar.api", "pecanbend|"),
        ("world.market", {"moves": []}, "world.market.moves", "There is no field 'moves'"),
        ("world.market", {"occupancies": [MOVED]}, "world.market.occupancies[1]", "comes before the move-in"),
        (
            "world.market",
            {"occupancies": [LIVES | {"move_in": "9999-12-31"}]},
            "world.market.occupancies[1].move_in",
            "out of range",
        ),
        (
            "world.market",
            {"occupancies": [LIVES | {"move_out": "0001-01-01"}]},
            "world.market.occupancies[1].move_out",
            "out of range",
        ),
        (
            "world.market",
            {"occupancies": [LIVES | {"move_out": "2024-08-08"}]},
            "world.market.occupancies[1].move_out",
            "before the records begin, on 2024-08-09",
        ),
        (
            "world.market",
            {"agreements": [LIVES | {"first_day": "1999-12-31"}]},
            "world.market.agreements[1].first_day",
            "out of range",
        ),
        (
            "world.market",
            {"agreements": [LIVES | {"first_day": "2026-08-01", "last_day": "2100-01-01"}]},
            "world.market.agreements[1].last_day",
            "out of range",
        ),
        (
            "world.market",
            {"service_points": [{"meter": 2, "ams": False}, {"meter": 2, "lse": False}]},
            "world.market.service_points[2]",
            "meter 2 stands twice",
        ),
        (
            "world.market",
            {"service_points": [{"meter": 1, "amr": 1}]},
            "world.market.service_points[1].amr",
            "mean ams?",
        ),
        ("world.market", {"registry": "x", "switches": [SWITCH]}, "world.market", "says switches too"),
        ("world.market", {"registry": "/nowhere"}, "world.market.registry", "entities.csv: The file is not there"),
        ("world.market", {"usage_files": {"9990001110000": "XML"}}, "world.market.usage_files.9990001110000", "LSE"),
        ("post_at", "01:00", "post_at", "does not come after VEE at 01:00"),
        ("post_at", "25:00", "post_at", "is not a time of day"),
        ("post_at", 900, "post_at", "is not a time of day"),
        ("vee_preset", "/nowhere.yaml", "vee_preset", "/nowhere.yaml"),
        ("seed", -1, "seed", "at least 0"),
        ("middle", {"pickup_s": float("inf"), "return_s": 1}, "middle.pickup_s", "is not a number"),
        ("middle", {"pickup_s": -1, "return_s": 1}, "middle.pickup_s", "at least 0"),
        ("tolerance_usd", -1, "tolerance_usd", "at least 0"),
        ("timeline.0.patience_s", 10**9, "timeline[1].patience_s", "at most 86,400"),
        ("timeline.0.expect.store", -1, "timeline[1].expect.store", "at least 0"),
        ("timeline.0.do", "balance_cal", "timeline[1]", "Did you mean balance_call?"),
        ("timeline.0.qestion", "balance", "timeline[1].qestion", "Did you mean question?"),
        ("timeline.0.question", "bill", "timeline[1].question", "'bill' is not known here"),
        ("timeline.0.verifies", ["UC-N9"], "timeline[1].verifies[1]", "Did you mean UC-N"),
        ("timeline.0.verifies", ["FR-CR016.1a"], "timeline[1].verifies[1]", "Let a power_status verify it"),
        (
            "timeline.0.verifies",
            ["SMT-DAY"],
            "timeline[1].verifies[1]",
            "The policy of this scenario has no limit SMT-DAY",
        ),
        ("timeline.0.verifies", ["HOLE"], "timeline[1].verifies[1]", "Bend one: do: answer_fault, rule: HOLE"),
        ("timeline.0.verifies", ["text_503"], "timeline[1].verifies[1]", "No complaint text_503 is declared"),
        ("timeline.0.at", 1740, "timeline[1].at", "is no day or time"),
        ("timeline.0.at", "2027-03-14T02:30", "timeline[1].at", "clocks go forward"),
        (
            "timeline.4.at",
            "2026-11-01T01:30",
            "timeline[5].at",
            "Write 2026-11-01T01:30-05:00 or 2026-11-01T01:30-06:00.",
        ),
        ("timeline.1.at", "2026-08-12T20:00:00Z", "timeline[2].at", "comes before the action above it"),
        ("timeline.1.ref", "call-0001", "timeline[2].ref", "Two actions are called call-0001"),
        ("timeline.4.of", "call-0003", "timeline[5].of", "Did you mean call-000"),
        ("timeline", [], "timeline", "at least 1"),
        ("title", 5, "title", "quotes"),
        ("name", "Not A Name", "name", "small letters, digits and hyphens"),
    ],
)
def test_lint_names_the_mistake(tmp_path: Path, field: str, value: Any, place: str, said: str) -> None:
    written = short_balance()
    put(written, field, value)
    found = [one for one in linted(tmp_path, written) if one.place.endswith(f": {place}")]
    assert found, [str(one) for one in linted(tmp_path, written)]
    assert said in str(found[0])
    assert found[0].place.startswith(f"{tmp_path / 'it.yaml'}:")
    assert found[0].mend
    for term in ("Value error", "Input should", "validation"):
        assert term not in str(found[0])


def test_every_mistake_is_told_though_they_stand_in_parts_that_rest_on_each_other(tmp_path: Path) -> None:
    written = short_balance()
    for field, value in (
        ("seed", "x"),
        ("world.tdsp", "ONCO"),
        ("world.metres", 3),
        ("account.plan", "none"),
        ("account.account_id", 5),
        ("account.cycle_last", "2026-08-01"),
        ("policy", "none"),
        ("post_at", "00:30"),
        ("timeline.1.poll_s", 0),
        ("timeline.2.expect.status", True),
    ):
        put(written, field, value)
    del written["timeline"][0]["patience_s"]
    assert {one.place.rsplit(": ", 1)[1] for one in linted(tmp_path, written)} == {
        "seed",
        "world.tdsp",
        "world.metres",
        "account.plan",
        "account.account_id",
        "account.cycle_last",
        "policy",
        "post_at",
        "timeline[1].patience_s",
        "timeline[2].poll_s",
        "timeline[3].expect.status",
    }


def test_the_first_mistake_by_line_is_the_error_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    text = BALANCE.read_text(encoding="utf-8")
    line = text.splitlines().index("seed: 20110504") + 1
    path.write_text(text.replace("plan: longhorn-thousand-24", "plan: x").replace("seed: 20110504", "seed: -1"))
    with pytest.raises(ScenarioError, match=rf"{path}:{line}: seed: -1 is out of range"):
        load_sound(path)


def test_times_without_quotes_are_times(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    text = BALANCE.read_text(encoding="utf-8")
    path.write_text(text.replace('"01:00"', "02:00").replace('"07:30"', "15:00").replace('status: "ON"', "status: ON"))
    found = load(path)
    assert (found.times.vee_at.hour, found.times.post.at.hour) == (2, 15)
    assert load_sound(path) == found


def test_a_scenario_posts_when_it_says_so_and_else_when_its_preset_does(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text((FOLDER / "tnmp.yaml").read_text() + 'post: {at: "12:00", spread_minutes: 60}\n')
    written = short_balance() | {"vee_preset": str(mine)}
    said = Scenario.model_validate(written)
    assert (said.preset.post.at.hour, said.times.post) == (12, PostTime(said.post_at or time(0)))
    del written["post_at"]
    left = Scenario.model_validate(written)
    day = date(2026, 8, 12)
    assert epoch("2026-08-13T12:00") <= left.times.posted_at(day) <= epoch("2026-08-13T13:00")
    assert left.times.post == PostTime(time(12, 0), seconds(3600))
    assert Scenario.model_validate({**written, "vee_preset": ""}).times.post == PostTime()


def test_a_key_that_stands_twice_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(BALANCE.read_text(encoding="utf-8") + "policy: store-only\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"f\.yaml:\d+: .*'policy' stands twice"):
        load(path)


def test_times_with_an_offset_are_the_local_ones(tmp_path: Path) -> None:
    written = short_balance()
    written["timeline"][0]["at"] = "2026-08-12T22:40:00Z"
    assert linted(tmp_path, written) == []
    found = load(tmp_path / "it.yaml").timeline[0].at
    assert f"{found:%Y-%m-%d %H:%M}" == "2026-08-12 17:40"


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Validator:
    """The published one."""
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_published_schema_is_made_of_the_model() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(scenario_schema()), "python -m tests.scenarios.pages"


@pytest.mark.parametrize("path", list(SCENARIOS.files().values()), ids=lambda path: path.stem)
def test_the_published_schema_takes_every_shipped_scenario_which_names_it(
    path: Path, schema: jsonschema_rs.Validator
) -> None:
    written = read_yaml_file(path).value
    schema.validate(written)
    assert not schema.is_valid(written | {"surprise": 1})
    spoilt = [written["timeline"][0] | {"expect": {"outcome": "perhaps"}}]
    assert not schema.is_valid(written | {"timeline": spoilt})
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text(encoding="utf-8"))
    assert named
    assert (path.parent / named[1]).resolve() == SCHEMA


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "schema") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"meter": {"at_least": 6, "at_most": 4}}, "expect.meter: Nothing is at least 6 and at most 4"),
        ({"meter": {"within": [9, 3]}}, "expect.meter: Nothing is at least 9 and at most 3"),
        ({"meter": {"equals": 3, "at_least": 4}}, "expect.meter: Nothing is at least 4 and at most 3"),
        ({"meter": {"equals": 3, "one_of": [4, 5]}}, "expect.meter: Nothing equals 3 and is one of the others"),
        ({"meter": {"absent": True, "equals": 4}}, "expect.meter: What is absent has no value"),
        ({"meter": {}}, "expect.meter: Nothing is expected"),
        ({"refusal": {"at_least": "x"}}, "expect.refusal.at_least: There is no field 'at_least' here"),
        ({"meter": {"atleast": 4}}, "Did you mean at_least?"),
        ({"metre": 4}, "expect.metre: There is no field 'metre' here. Did you mean meter?"),
        ({"status": "ON"}, "expect.status: There is no field 'status' here"),
        ({"retry_at": "soon"}, "'soon' is not an instant"),
        ({"meter": "many"}, "expect.meter: 'many' is not a whole number"),
        ({"meter": {"at_least": 0}}, "expect.meter: Nothing is less than 0"),
        ({"meter": {"at_least": 0, "at_most": 6}}, "expect.meter: Nothing is less than 0"),
        ({"hole_hours": {"at_least": 0}}, "expect.hole_hours: Nothing is less than 0"),
        ({"hole_hours": {"at_most": -0.5}}, "expect.hole_hours.at_most: -0.5 is out of range"),
        ({"before_hang_up": {"one_of": [False, True]}}, "expect.before_hang_up: There is no value beside these"),
        ({"outcome": {"absent": False}}, "expect.outcome: outcome is always there"),
    ],
)
def test_what_an_action_has_not_and_nothing_can_meet_is_told(tmp_path: Path, expect: Written, said: str) -> None:
    written = short_balance()
    written["timeline"][0]["expect"] = {"outcome": "answered"} | expect
    found = [str(one) for one in linted(tmp_path, written)]
    assert any(said in one and "timeline[1].expect." in one for one in found), found


def test_what_a_run_can_miss_is_expected(tmp_path: Path) -> None:
    written = short_balance()
    written["timeline"][0]["expect"] = {
        "outcome": "answered",
        "meter": {"at_least": 1},
        "store": {"within": [0, 70]},
        "bill": {"at_least": 0},
        "before_hang_up": {"one_of": [True]},
    }
    assert linted(tmp_path, written) == []


REFUSED_BY = "ami_smt_throttle_refusals_total"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ({"ami_smt_login_blocks": 2}, "SMT has no metric ami_smt_login_blocks. Did you mean ami_smt_login_blocks_"),
        ({"ami_headend_faults_total": 0}, "SMT has no metric ami_headend_faults_total"),
        ({REFUSED_BY: 1}, f"{REFUSED_BY} has the labels limit, policy. Name each of them"),
        ({f'{REFUSED_BY}{{limit="SMT-HOUR",rule="x"}}': 1}, "has the labels limit, policy"),
        ({f'{REFUSED_BY}{{policy="x",limit="y"}}': 1}, f'Write {REFUSED_BY}{{limit="y",policy="x"}}'),
        ({'ami_smt_login_blocks_total{door="api"}': 1}, "ami_smt_login_blocks_total has no label"),
        ({"ami_smt_odr_seconds_bucket": 1}, "has the labels kind, le, state"),
        ({"/login_blocks": 1}, "/login_blocks is no name of a metric. Write it as name"),
        ({'ami_smt_findings_total{rule="': 1}, "is no name of a metric"),
        ({"": 1}, "is no name of a metric"),
        ({"ami_smt_in_flight": {"at_least": 0}}, "ami_smt_in_flight: Nothing is less than 0"),
        ({f'{REFUSED_BY}{{limit="y",policy="x"}}': 1, "ami_smt_queue_depth": {"at_least": 1}}, None),
        ({'ami_smt_odr_seconds_bucket{kind="INTERVALS",le="60.0",state="COMPLETED"}': {"absent": True}}, None),
    ],
)
def test_a_metric_that_is_looked_at_is_one_with_its_labels(tmp_path: Path, at: Written, said: str | None) -> None:
    look = {"at": "2026-08-12T18:00", "do": "look", "ref": "look", "what": "metrics"}
    written = short_balance() | {"timeline": [look | {"expect": {"at": at}}]}
    found = [str(one) for one in linted(tmp_path, written)]
    # Told of the run too: what is expected of an action later is looked at alike.
    wide = [{"ref": "wide", "of": "look", "expect": {"at": at}}]
    of_run = [str(one) for one in linted(tmp_path, written | {"timeline": [look], "expect": wide})]
    for told, place in ((found, "timeline[1].expect.at"), (of_run, "expect[1].expect.at")):
        assert [said] == [one for one in [said] if any(one in it and place in it for it in told)] if said else not told


@pytest.mark.parametrize(("party", "made"), [("smt", SmtMetrics), ("headend", HeadEndMetrics)])
def test_the_metrics_that_are_known_are_those_that_a_party_tells(party: str, made: Any) -> None:
    ledger = SimpleNamespace(open_counts=dict)
    registry = made(ledger, int, int).registry
    for collector in registry._collector_to_names:
        for labels in filter(None, [getattr(collector, "_labelnames", ())]):
            collector.labels(*labels)
    told = text_string_to_metric_families(generate_latest(registry).decode())
    samples = {(one.name, *sorted(one.labels)) for family in told for one in family.samples}
    assert samples == {(name, *sorted(labels)) for name, labels in metrics_of(party).items()}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_in_a_shipped_scenario(name: str) -> None:
    assert lint(FILES[name]) == (shipped(name)[0], [])


def test_an_instant_that_is_expected_is_kept_and_told_as_it_is_written() -> None:
    form = INSTANT.model_validate({"within": ["2026-08-12T17:15", "2026-08-12T17:30"]})
    assert form.model_dump() == {"within": ["2026-08-12T17:15:00-05:00", "2026-08-12T17:30:00-05:00"]}
    assert INSTANT.model_validate_json(form.model_dump_json()) == form
    assert INSTANT(absent=True).model_dump() == {"absent": True}
    with pytest.raises(ValueError, match="at least 2026-08-12T18:00:00-05:00 and at most 2026-08-12T17:30:00-05:00"):
        INSTANT.model_validate({"at_least": "2026-08-12T18:00", "at_most": "2026-08-12T17:30"})


READ = {"at": "2026-08-12T19:00", "ref": "last", "do": "on_demand_read"}
AT_PORTAL = READ | {"do": "portal_read"}
STATUS = READ | {"do": "power_status"}
MAINTENANCE = {"kind": "smt_maintenance", "first": "2026-08-12T19:00", "until": "2026-08-12T20:00"}
REFUSED = {"outcome": "refused"}


@pytest.mark.parametrize(
    ("action", "expect", "changed", "said"),
    [
        (READ, REFUSED | {"refusal": "FR-CR016.1b"}, {}, None),
        (READ, REFUSED | {"refusal": "FR-CR016.1a"}, {}, "refuses last with FR-CR016.1a. Did you mean FR-CR016.1b?"),
        (READ, REFUSED | {"refusal": "SMT-HOUR"}, {}, "No rule refuses last with SMT-HOUR"),
        (READ, REFUSED | {"refusal": "SMT-HOUR"}, {"policy": "smt-today"}, None),
        (READ, REFUSED | {"refusal": "SMT-HOUR"}, {"policy": "store-only"}, "Choose one of: STORE-ONLY."),
        (READ, REFUSED | {"refusal": "STORE-ONLY"}, {"policy": "store-only"}, None),
        (READ, REFUSED | {"refusal": "SMT-MAINTENANCE"}, {}, "No rule refuses"),
        (READ, REFUSED | {"refusal": "SMT-MAINTENANCE"}, {"complaints": [MAINTENANCE]}, None),
        (READ, {"outcome": "failed", "error": "AC1"}, {}, None),
        (
            READ,
            {"outcome": "answered", "refusal": "FR-CR016.1b"},
            {},
            "is to be answered: no refusal FR-CR016.1b is looked",
        ),
        (STATUS, REFUSED | {"refusal": "FR-CR016.1a"}, {}, None),
        (STATUS, REFUSED | {"refusal": "FR-CR016.1b"}, {}, "Did you mean FR-CR016.1a?"),
        (STATUS, {"outcome": "failed", "refusal": "FR-CR016.1a"}, {}, "is to be failed"),
        (AT_PORTAL, REFUSED | {"refusal": "5032"}, {}, None),
        (AT_PORTAL, REFUSED | {"refusal": "AC1"}, {}, None),
        (AT_PORTAL, REFUSED | {"refusal": "5031"}, {}, "No rule refuses last with 5031"),
        (AT_PORTAL, REFUSED | {"refusal": "5031"}, {"complaints": [{"kind": "quota_used"}]}, None),
        (AT_PORTAL, REFUSED | {"refusal": "FR-CR016.1b"}, {}, "No rule refuses"),
    ],
)
def test_a_refusal_is_expected_by_a_code_that_a_rule_gives(
    tmp_path: Path, action: Written, expect: Written, changed: Written, said: str | None
) -> None:
    written = short_balance()
    written["timeline"] = [action | {"expect": expect}]
    found = linted(tmp_path, written | changed)
    if said is None:
        assert found == []
        return
    (mistake,) = found
    assert "timeline[1].expect.refusal: " in str(mistake)
    assert said in str(mistake)


def test_a_rule_of_fr_cr016_is_verified_under_a_policy_that_has_it(tmp_path: Path) -> None:
    (mistake,) = linted(
        tmp_path,
        short_balance()
        | {
            "policy": "n-per-day",
            "timeline": [STATUS | {"verifies": ["FR-CR016.1a"], "expect": {"outcome": "answered"}}],
        },
    )
    assert "timeline[1].verifies[1]: The policy of this scenario has no limit FR-CR016.1a" in str(mistake)


def test_a_limit_is_not_verified_by_a_single_request(tmp_path: Path) -> None:
    written = short_balance()
    written["timeline"] = [written["timeline"][0] | {"verifies": ["FR-CR016.1b"]}]
    (mistake,) = linted(tmp_path, written)
    assert mistake.code == "scenario.verifies.absent"
    assert "One request meets no limit" in str(mistake)


ASKS_GAP, SOME_CALL = (
    READ | {"do": "balance_call", "question": "balance", "patience_s": 60},
    READ | {"do": "http", "path": "/v2/odr/"},
)
REFUSED_THERE = {"policy": "smt-today"}
ASKING = {"on_demand_read", "portal_read", "power_status", "balance_call"}


@pytest.mark.parametrize(
    ("ident", "actions", "changed", "said"),
    [
        *((ident, [READ], {}, "Nothing in this scenario asks for the intervals of a gap") for ident in ("AMB-4", "AMB-5", "AMB-6", "AMB-7", "AMB-8", "AMB-9")),
        ("AMB-4", [READ, ASKS_GAP], {}, None),
        ("AMB-8", [READ, SOME_CALL], {}, None),
        ("AMB-11", [READ], {}, "Nothing in this scenario asks for a power status"),
        ("AMB-11", [READ, STATUS], {}, None),
        ("AMB-12", [READ, ASKS_GAP], {}, "Nothing in this scenario holds a bill that was told against another"),
        ("AMB-12", [READ, ASKS_GAP, READ | {"do": "rebill", "of": "it-1", "expect": {"within": True}}], {}, None),
        *((ident, [READ | {"do": "log_in"}], {}, "asks for a read or a power status") for ident in ("AMB-1", "AMB-2", "AMB-3")),
        ("AMB-10", [AT_PORTAL], {}, "Nothing in this scenario asks for a retailer"),
        ("AMB-3", [READ], {}, "One request shares no allowance"),
        ("AMB-3", [READ, AT_PORTAL], {}, None),
        *((ident, [READ], {}, None) for ident in ("AMB-1", "AMB-2", "AMB-10")),
        ("5031", [READ, AT_PORTAL], REFUSED_THERE, "5031 is told at the portal, so it-0 cannot verify 5031"),
        ("5031", [AT_PORTAL, READ], REFUSED_THERE, None),
        ("5031", [AT_PORTAL], {}, "Nothing in this scenario is told 5031"),
        ("5031", [AT_PORTAL], {"complaints": [{"kind": "quota_used"}]}, None),
        ("5032", [SOME_CALL, READ], {"policy": "store-only"}, "Nothing in this scenario is told 5032"),
    ],
)  # fmt: skip
def test_what_nothing_in_a_scenario_can_show_it_does_not_verify(
    tmp_path: Path, ident: str, actions: list[Written], changed: Written, said: str | None
) -> None:
    its = [one | {"ref": f"it-{at}", "at": f"2026-08-12T19:0{at}"} for at, one in enumerate(actions)]
    its = [one | ({"expect": {"outcome": "answered"}} if one["do"] in ASKING else {}) for one in its]
    its[0] = its[0] | {"verifies": [ident]}
    found = linted(tmp_path, short_balance() | {"timeline": its} | changed)
    if said is None:
        assert found == []
        return
    (mistake,) = found
    assert (mistake.code, said in str(mistake)) == ("scenario.verifies.absent", True), mistake


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"status": 404, "at": {"/usage": {"absent": True}}}, True),
        ({"status": {"one_of": [404, 410]}, "at": {"/usage": {"absent": True}}}, True),
        ({"status": {"within": [400, 499]}, "at": {"/usage": {"absent": True}, "/error": "no"}}, True),
        ({"status": {"at_least": 400}, "at": {"/usage": {"absent": True}}}, True),
        ({"status": {"one_of": [200, 404]}, "at": {"/usage": {"absent": True}}}, False),
        ({"status": 200, "at": {"/usage": {"absent": True}}}, False),
        ({"at": {"/usage": {"absent": True}}}, False),
        ({"status": 404, "at": {"/error": {"absent": False}}}, False),
    ],
)
def test_that_an_error_lacks_what_an_answer_has_shows_nothing(tmp_path: Path, expect: Written, told: bool) -> None:
    call = SOME_CALL | {"expect": expect}
    wide = [{"ref": "wide", "of": "last", "expect": expect}]
    for written in ({"timeline": [call]}, {"timeline": [SOME_CALL], "expect": wide}):
        found = linted(tmp_path, short_balance() | written)
        assert [one.code for one in found] == ["scenario.expect.idle"] * told
        assert all("No error has /usage" in str(one) for one in found)
