"""``ami plan list``, ``lint``, ``show``, ``label`` and ``value`` as a user has them."""

from __future__ import annotations

import json
from pathlib import Path

from meters.errors import UserError
from simulator.capacity.value import read_value
from simulator.ror.billing.plan import shipped_plans
from tests.simulator.processes import invoked

WRONG = "name: Mine\ntdu: oncor\nenergy: [{cents_per_kwh: -1}]\nsurprise: 1\n"
DIFFERS = """
name: Mine
tdu: oncor
energy: [{cents_per_kwh: 10}]
fact_label: {on: 2025-09-01, prices: [{kwh: 500, cents_per_kwh: 16.4}, {kwh: 1000, cents_per_kwh: 16.0}, {kwh: 2000, cents_per_kwh: 17}]}
"""


def asked(*words: str, code: int = 0) -> tuple[str, str]:
    done = invoked("plan", *words)
    assert done.exit_code == code, done.exception or done.output
    return done.stdout, done.stderr


def refused(*words: str) -> UserError:
    done = invoked("plan", *words)
    assert isinstance(done.exception, UserError), done.exception or done.output
    return done.exception


def file_of(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_shipped_plans_are_listed_and_sound() -> None:
    listed = asked("list")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(shipped_plans())
    assert len(listed) == 6
    assert [one["plan"] for one in json.loads(asked("list", "--json")[0])] == list(shipped_plans())
    assert asked("lint")[0].count("sound") == 6


def test_every_mistake_is_a_line_with_its_mend(tmp_path: Path) -> None:
    told = asked("lint", file_of(tmp_path, WRONG), code=2)[1].splitlines()
    assert [line.split(": ")[1] for line in told] == ["mine.yaml:4", "mine.yaml:3"]
    (row,) = json.loads(asked("lint", "--json", file_of(tmp_path, WRONG), code=2)[0])
    assert [one["code"] for one in row["mistakes"]] == ["ror.plan.field"] * 2
    assert not row["sound"]


def test_a_label_that_differs_is_a_mistake_of_lint_and_of_label(tmp_path: Path) -> None:
    mine = file_of(tmp_path, DIFFERS)
    assert "prints 17 c/kWh at 2000 kWh; the plan gives 15.8115" in asked("lint", mine, code=2)[1]
    rows = asked("label", mine, code=2)[0].splitlines()
    assert [row.endswith("differs") for row in rows] == [False, False, True]
    assert json.loads(asked("label", mine, "--json", code=2)[0])[2] == {
        "kwh": "2000",
        "printed": "17",
        "computed": "15.8115",
    }
    assert "differs" not in asked("label", "bluebonnet-saver-12")[0]


def test_dollars_against_kwh_are_shown_with_the_edges_and_drawn(tmp_path: Path) -> None:
    png = tmp_path / "plan.png"
    shown = asked("show", "caprock-credit-1000", "--png", str(png))[0]
    # $214.62 and $89.83 with 3.16 % of them.
    edge = "-- bill credit of $125.00 is earned at 1,000 kWh: $221.61 before, $92.67 at it"
    assert edge in shown
    assert png.read_bytes().startswith(b"\x89PNG")
    curve = json.loads(asked("show", "caprock-credit-1000", "--json")[0])
    assert [1_000_000, 9267] in curve["wh_cents"]
    assert curve["edges"][0]["wh"] == 1_000_000


def test_what_cannot_be_shown_is_one_line() -> None:
    assert refused("show", "nowhere.yaml").code == "ror.plan.unreadable"
    assert refused("show", "caprock-credit-1000", "--on", "2024-01-01").code == "ror.plan.tdu_undated"


def test_what_a_read_is_worth_is_told_from_the_shipped_table_and_made_anew(tmp_path: Path) -> None:
    told, said = asked("value", "--plan", "caprock-credit-1000", "--png", str(tmp_path / "v.png"))
    assert told.startswith("20,000 generated homes")
    assert "Plan '" not in said
    assert (tmp_path / "v.png").read_bytes().startswith(b"\x89PNG")
    of = json.loads(asked("value", "--json")[0])["plans"]
    assert [one["plan"] for one in of] == list(shipped_plans())
    assert of[2]["ways"][5] == {"way": "store + meter", "mean_usd": 0.0, "unsatisfied": 0.0}
    mine = file_of(tmp_path, "name: Mine\ntdu: oncor\nenergy: [{cents_per_kwh: 10}]\n")
    out, rows = tmp_path / "mine.parquet", tmp_path / "mine.csv"
    made = asked("value", "--plan", mine, "--homes", "1", "--out", str(out), "--csv", str(rows))[0]
    assert made.startswith("1 generated homes")
    assert f"written: {out}" in made
    assert read_value(out).plans == ["mine"]
    assert rows.read_text(encoding="utf-8").startswith('"season","kind","hour"')


def test_what_cannot_be_valued_is_one_line(tmp_path: Path) -> None:
    mine = file_of(tmp_path, "name: Mine\ntdu: oncor\nenergy: [{cents_per_kwh: 10}]\n")
    assert refused("value", "--plan", mine).code == "ror.value.unknown_plan"
    assert refused("value", "--seed", "2").code == "ror.value.seed"
    assert refused("value", "--plan", "nowhere.yaml").code == "ror.plan.unreadable"
    assert refused("value", "--homes", "1", "--out", str(tmp_path / "no" / "v.parquet")).code == "ror.value.unwritable"
    assert refused("value", "--homes", "1", "--png", str(tmp_path)).code == "ror.value.unwritable"
    asked("value", "--homes", "0", code=2)
