"""An HTTP archive becomes a scenario of made people, which is sound, runs, and ends as the archive did."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.file.lint import load_sound
from scenarios.run import run_and_judge
from scenarios.taken import taken
from scenarios.taken.taken import Taken, take
from simulator.verdicts import Mark
from tests.scenarios.taken.archive import PERSONAL, archive, entry
from tests.simulator.processes import ran


def made(folder: Path, content: Any, **how: Any) -> tuple[Taken, dict[str, Any], str]:
    """What is told of it, its actions by ref, and the text of the file."""
    file = folder / "incident.har"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    told = take(file, folder / "incident.yaml", **how)
    scenario = load_sound(told.out)
    return told, {one.ref: one for one in scenario.timeline}, told.out.read_text(encoding="utf-8")


def test_calls_become_the_actions_that_they_are(tmp_path: Path) -> None:
    told, actions, text = made(tmp_path, archive())
    assert list(actions) == ["http-1", "log-in-2", "http-3", "usage-read-4", "portal-read-5", "portal-read-6", "http-7", "http-8"]  # fmt: skip
    assert f"{actions['http-1'].at:%Y-%m-%d %H:%M:%S}" == "2026-08-12 18:20:05"
    assert re.findall(r"at: (\+\w+)", text) == ["+3s", "+7s", "+10s", "+10s", "+59m30s", "+1m40s", "+1m"]
    assert actions["log-in-2"].password == "wrong"
    read = actions["usage-read-4"]
    assert (f"{read.first}", f"{read.last}", read.door) == ("2026-08-10", "2026-08-11", "portal")
    assert actions["portal-read-5"].expect.of("outcome") == "answered"
    assert (actions["portal-read-6"].expect.of("outcome"), actions["portal-read-6"].expect.of("refusal")) == ("refused", "5032")  # fmt: skip
    assert actions["http-7"].body == {"esiid": "$esiid", "note": "for $meter_number"}
    assert (actions["http-8"].account, actions["http-8"].body) == ("account-2", {"esiid": "$esiid"})
    assert told.told[0].endswith("8 actions of 17 entries, 8 of which are part of another's action; 1 could not be carried.")  # fmt: skip
    assert "  # Entry 4 is not carried: it is no call that a test bed serves.\n" in text


def test_nothing_of_real_people_is_carried_and_it_is_said_how_much_was_left_out(tmp_path: Path) -> None:
    told, _, text = made(tmp_path, archive())
    assert [one for one in PERSONAL if one in text] == []
    assert "Left out: 3 addresses, 2 cookies, 2 passwords, 1 token." in told.told
    assert "ESI IDs and meter numbers are those of meters 1, 2, in order of appearance." in told.told


def test_it_ends_as_the_archive_did(tmp_path: Path) -> None:
    told, _, _ = made(tmp_path, archive())
    run = run_and_judge(load_sound(told.out), tmp_path / "run")
    assert run.verdict.mark is Mark.PASSED, [one.failures for one in run.verdict.judged if one.failures]
    again = take(tmp_path / "run" / "wire.jsonl", tmp_path / "again.yaml", "incident")
    assert load_sound(again.out) == load_sound(told.out)


def test_another_day_takes_world_and_cycle_along(tmp_path: Path) -> None:
    told, actions, _ = made(tmp_path, archive(), day=date(2026, 9, 1))
    scenario = load_sound(told.out)
    assert f"{actions['http-1'].at:%Y-%m-%d %H:%M:%S}" == "2026-09-01 18:20:05"
    assert (f"{scenario.world.first_day}", f"{scenario.account.cycle_first}") == ("2026-08-30", "2026-08-30")
    (tmp_path / "incident.yaml").unlink()
    with pytest.raises(ScenarioError, match=r"from\.unsound: .*does not fit"):
        made(tmp_path, archive(), day=date(2019, 1, 5))


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("no JSON", "from.not_json", "This is not JSON"),
        ("[]", "from.unknown", "JSON of something else"),
        ({"log": {}}, "from.unknown", "no list of entries"),
        ({"log": {"entries": []}}, "from.no_entries", "It has no entries"),
        ({"log": {"entries": [entry(0, "/assets/logo.png")]}}, "from.no_entries", "Nothing of it can be carried"),
        ({"log": {"entries": [entry(0, "/") | {"startedDateTime": ""}]}}, "from.no_time", "entry 1"),
        ({"log": {"entries": [entry(0, "/") | {"request": {}}]}}, "from.unknown", "entry 1"),
    ],
)
def test_what_cannot_be_taken_is_told(tmp_path: Path, content: Any, code: str, said: str) -> None:
    with pytest.raises(ScenarioError) as told:
        made(tmp_path, content)
    assert told.value.code == code
    assert said in str(told.value)
    assert not (tmp_path / "incident.yaml").exists()


def test_limits_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken, "MOST_ACTIONS", 5)
    with pytest.raises(ScenarioError, match="It makes 8 actions: at most 5 are carried"):
        made(tmp_path, archive())
    monkeypatch.setattr(taken, "MOST_OCTETS", 0)
    with pytest.raises(ScenarioError, match=r"from.too_large: .* MiB: at most 0 are read"):
        made(tmp_path, archive())


def test_the_command_writes_over_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Last Month.har").write_text(json.dumps(archive()), encoding="utf-8")
    assert ran("scenario", "from", "Last Month.har") == 0
    said = capsys.readouterr()
    assert said.out.startswith("last-month.yaml: 8 actions of 17 entries;")
    assert "entry 4: GET /assets/logo.png is not carried: it is no call that a test bed serves" in said.err
    assert ran("scenario", "from", "Last Month.har") == 2
    assert ran("scenario", "from", "nowhere.har") == 2
    assert ran("scenario", "from", "Last Month.har", "--name", "Not A Name") == 2
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["out.exists", "from.unreadable", "from.name"]  # fmt: skip
