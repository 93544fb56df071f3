"""A bundle that somebody altered and then chained anew: what does not hold together is told by its place, and what no exchange shows is never passed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import micros
from meters.errors import UserError
from scenarios.certify.bundle import judged_again
from scenarios.certify.observed import PLAN, STEPS, TRUTH
from scenarios.recording import WIRE
from simulator.tap.chain import check_chain
from simulator.tap.log import WireLog
from simulator.verdicts import Mark
from tests.scenarios.certify.matrix import certified
from tests.simulator.tap.written import told

IDS, STEP = ("HE-LAST-GASP", "HE-POWER-BACK"), "power-fails"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a certification of one step has left."""
    out = tmp_path_factory.mktemp("played") / "out"
    assert marks(certified("headend", out, only=IDS)) == dict.fromkeys(IDS, Mark.PASSED)
    return out


@pytest.fixture
def copy(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "copy"))


def marks(result: dict[str, Any], ids: tuple[str, ...] = IDS) -> dict[str, str]:
    return {one["id"]: one["mark"] for one in result["ids"] if one["id"] in ids}


def chained(copy: Path, change: Callable[[Line], Line | None], step: str = STEP) -> None:
    """Write other exchanges, none for None, as the tap would have, and have the plan name what came of it."""
    path = copy / STEPS / step / WIRE
    kept = [new for line in told(path) if (new := change(line))]
    path.unlink()
    log = WireLog(path, lambda: micros(0), {})
    log._write([json.dumps({name: line[name] for name in line if name not in ("n", "prev")})[1:-1] for line in kept])
    log.close()
    plan = json.loads((copy / PLAN).read_text("utf-8"))
    played = next(one for one in plan["steps"] if one["name"] == step)
    played["wire"] = check_chain(path).head
    (copy / PLAN).write_text(json.dumps(plan), "utf-8")


@pytest.mark.process
@pytest.mark.parametrize("wires", [("inquiries", "call-backs", "events", "modbus"), ("inquiries",), ("call-backs",)])
def test_no_id_passes_whose_exchanges_were_taken_out(copy: Path, wires: tuple[str, ...]) -> None:
    chained(copy, lambda line: None if line["wire"] in wires else line)
    result = judged_again(copy)
    assert (result["certificate"], result["mark"]) == (False, Mark.INCONCLUSIVE)
    assert marks(result) == dict.fromkeys(IDS, Mark.INCONCLUSIVE)
    assert "is among no exchanges" in result["why"]


@pytest.mark.process
def test_no_id_of_a_meter_passes_of_whose_reading_an_exchange_was_taken_out(tmp_path: Path) -> None:
    out, ids = tmp_path / "out", ("MT-SLOTS", "MT-AGAIN", "MT-MARK")
    played = certified("meter", out, only=ids)
    assert marks(played, ids) == dict.fromkeys(ids, Mark.PASSED)
    step, n = next(one for one in played["ids"] if one["id"] == "MT-AGAIN")["exchanges"][-1].split(":")
    chained(out, lambda line: None if line["n"] == int(n) else line, step)
    result = judged_again(out)
    assert "A request to the meter of" in result["why"]
    assert marks(result, ids)["MT-AGAIN"] == Mark.INCONCLUSIVE


@pytest.mark.process
def test_an_exchange_that_no_party_of_ours_writes_leaves_its_ids_open(copy: Path) -> None:
    chained(copy, lambda line: line | {"ask": line["ask"] | {"body": "{}"}} if line["wire"] == "events" else line)
    result = judged_again(copy)
    assert (result["certificate"], result["mark"]) == (False, Mark.INCONCLUSIVE)
    assert Mark.INCONCLUSIVE in marks(result).values()
    assert any(one["said"].startswith("What is there cannot be judged (KeyError") for one in result["ids"])


@pytest.mark.process
@pytest.mark.parametrize(
    ("altered", "place"),
    [
        ({"reply_s": "soon"}, "reply_s"),
        ({"connection": [True]}, "connection[1]"),
        ({"steps": [{"name": "../../elsewhere"}]}, "steps[1].name"),
        ({"more": 1}, "more"),
    ],
)
def test_a_plan_that_is_not_as_it_was_written_is_told_by_its_field(
    copy: Path, altered: dict[str, Any], place: str
) -> None:
    plan = json.loads((copy / PLAN).read_text("utf-8"))
    (copy / PLAN).write_text(json.dumps(plan | altered), "utf-8")
    with pytest.raises(UserError) as refused:
        judged_again(copy)
    assert refused.value.code == "certify.plan"
    assert place in refused.value.place


@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "text"),
    [(PLAN, "7"), (PLAN, "[" * 100_000), (TRUTH, '"'), (TRUTH, "esiid\n" + "1" * 200_000), (TRUTH, "end,given_wh,known_from\n0,0,soon")],
)  # fmt: skip
def test_a_file_that_is_none_is_told_by_the_bundle(copy: Path, file: str, text: str) -> None:
    (copy / file).write_text(text, "utf-8")
    with pytest.raises(UserError) as refused:
        judged_again(copy)
    assert refused.value.code in ("certify.bundle", "certify.plan")
    assert str(copy) in refused.value.place
