"""A recording that is none, or damaged, is refused by the key in plain words; it is never judged."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from copy import copy
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.judging.result import result_of
from scenarios.judging.verdict import judge
from scenarios.recording import Recording, load, parse
from scenarios.rules.requirements import REQUIREMENTS
from scenarios.run import JudgedRun
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.short import UNCITED, mutated
from tests.simulator.processes import ran


@pytest.fixture
def content(balance_run: JudgedRun) -> dict[str, Any]:
    written: dict[str, Any] = json.loads((balance_run.out / "recording.json").read_text(encoding="utf-8"))
    return written


#: What a run may end without: an action that was not over, usage that SMT would not give.
MAY_LACK = (("actions", "call-0001"), ("usage", "call-0001", "after_posting"))


def kept(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_recording_is_read_as_it_was_written(balance_run: JudgedRun, last_bill_run: JudgedRun) -> None:
    for run in (balance_run, last_bill_run):
        assert load(run.out / "recording.json").dumps() == run.recording.dumps()


@pytest.mark.parametrize("text", ["", "[]", "5", "{}", '{"format": 1}', "[" * 100_000, "\x00"])
def test_what_is_no_recording_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    assert ran("scenario", "judge", str(path)) == 2
    assert capsys.readouterr().err.startswith(f"recording.malformed: {path}: This is ")


def test_a_result_is_told_as_one(balance_run: JudgedRun) -> None:
    with pytest.raises(ScenarioError, match=r"recording\.malformed: .*This is a result, not a recording"):
        load(balance_run.out / "result.json")


@pytest.mark.parametrize(
    ("way", "value", "place"),
    [
        (("journal",), None, "journal"),
        (("ledger",), {}, "ledger"),
        (("ledger", 0, "transitions"), [], "ledger[1].transitions"),
        (("ledger", 0, "transitions", 0, "at_us"), "soon", "ledger[1].transitions[1].at_us"),
        (
            ("world", "accounts", "LS-100017", "service_point", "ams"),
            None,
            "world.accounts.LS-100017.service_point.ams",
        ),
        (("policy", "name"), None, "policy.name"),
        (("journal", 0), "note", "journal[1]"),
        (("actions", "call-0001", "request"), None, "actions.call-0001.request"),
        (("actions", "call-0001", "with_gap", "to"), "then", "actions.call-0001.with_gap.to"),
        (("actions", "call-0001", "with_gap", "bill", "lines"), 5, "actions.call-0001.with_gap.bill.lines"),
        (("actions", "rebill-0001", "vee_usd"), "much", "actions.rebill-0001.vee_usd"),
        (("actions", "call-0001", "with_gap", "bill", "total_usd"), "NaN", "actions.call-0001.with_gap.bill.total_usd"),
        (("actions", "answers-0001", "market", "usage"), "none", "actions.answers-0001.market.usage"),
        (("ledger", 0, "transitions", 0, "state"), "flying", "ledger[1].transitions[1].state"),
        (("usage", "call-0001", "at_call", "wh"), [], "usage.call-0001.at_call"),
        (("usage", "call-0001", "at_call", "quality", 7), 9, "usage.call-0001.at_call.quality[8]"),
        (("usage", "call-0001", "served"), None, "usage.call-0001.served"),
        (("scenario", "account", "plan"), None, "scenario.account.plan"),
        (("scenario", "timeline", 1, "ref"), "call-0001", "scenario"),
    ],
)
def test_damage_is_named_by_its_key(
    content: dict[str, Any], tmp_path: Path, way: tuple[str | int, ...], value: Any, place: str
) -> None:
    at: Any = content
    for part in way[:-1]:
        at = at[part]
    at[way[-1]] = value
    path = kept(tmp_path / "recording.json", content)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert caught.value.code == "recording.malformed"
    assert caught.value.place == f"{path}: {place}"


def _keys(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key below the journal's first notes, the ledger's first entry, the first call and the world."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
        yield from ((*way, key) for key in value)
    elif isinstance(value, list):
        items = [(0, value[0])] if value else []
    for key, inner in items:
        yield from _keys(inner, (*way, key))


def damaged(content: Any, way: tuple[str | int, ...], lost: bool) -> Any:
    """It without what lies at the end of a way, or with something else there."""
    at = whole = copy(content)
    for part in way[:-1]:
        at[part] = copy(at[part])
        at = at[part]
    if lost:
        del at[way[-1]]
    else:
        at[way[-1]] = {"?": []}
    return whole


@pytest.mark.parametrize("fifth", few(1, range(5)))
def test_no_damage_is_judged_as_a_failed_step_or_gets_out_as_another_error(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], fifth: int
) -> None:
    looked_at = {part: content[part] for part in ("world", "policy", "ledger", "journal", "usage")}
    looked_at["actions"] = {"call-0001": content["actions"]["call-0001"]}
    path, codes = tmp_path / "r.json", set()
    for way, lost in [*product(_keys(looked_at), (True, False))][fifth::5]:
        written = damaged(content, way, lost)
        try:
            recording = parse(written, str(path))
            verdict = judge(recording)
            result_of(recording, verdict)
            assert verdict.mark is Mark.PASSED or way in MAY_LACK, way
        except ScenarioError as error:
            said = str(error)
            assert said.startswith("recording."), (way, said)
            assert not re.search(r"Error\b|NoneType|__init__|ami\.internal", said), (way, said)
            if error.code not in codes:
                # What the command makes of it is the same for all.
                assert ran("scenario", "judge", str(kept(path, written)), "--json") == 2
                assert capsys.readouterr().err == f"{said}\n"
                codes.add(error.code)
    assert codes == {"recording.malformed"}


def test_a_recording_of_format_3_is_judged_as_it_was_then(tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "data" / "format-3.json.gz").read_bytes()))
    kept = load(path)
    verdict = judge(kept)
    assert {one.label: one.failures for one in verdict.judged if one.failures} == {}
    # It kept the usage of its first call alone, and of the second that it was refused.
    assert [one.mark for one in verdict.steps[:7]] == [Mark.PASSED] * 7
    assert verdict.requirements == {
        **dict.fromkeys(REQUIREMENTS, "passed"),
        **{"POST1": "partly", "POST2": "partly", "I1": "evidence", "AMB-12": "partly"},
        **dict.fromkeys(UNCITED, "not exercised"),
    }
    assert load_text(kept.dumps(), tmp_path).dumps() == kept.dumps()


def load_text(text: str, folder: Path) -> Recording:
    (folder / "again.json").write_text(text, encoding="utf-8")
    return load(folder / "again.json")


def test_what_a_head_end_told_below_zero_is_kept(balance_run: JudgedRun) -> None:
    def negative(written: dict[str, Any]) -> None:
        written["usage"]["call-0001"]["served"]["wh"][4] = -1

    assert mutated(balance_run.recording, negative).usage["call-0001"].served.intervals[4].wh == -1
