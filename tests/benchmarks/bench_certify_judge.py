"""A flight's bundle judged again, whose exchanges were repeated until they are a million, beside ``json.loads`` of each line; and the memory
that its process takes at most, beside that of the flight as it was: what it takes before it reads a line is its modules and the compiled bill.

The flight is played once, a customer's first calls of two strangers' systems. The lines of that step are then written again and again by the tap's own
writer, so that the chain holds and every one of them lies within a call; the verdict has to be that of the flight. CPU time of a process that does nothing else.

``certify_judge_apart``: as of a retailer that has thousands of inquiries made, each time they are written their ids are others. Nothing is said again, and each
is judged by itself.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from meters.calendar import micros
from scenarios.certify.observed import PLAN, STEPS
from scenarios.recording import WIRE
from simulator.tap.chain import check_chain
from simulator.tap.log import WireLog
from tests.scenarios.certify.flights import flown

MANY, STEP, IDS = 1_000_000, "ror-balance", ("AMB-10",)
#: Exchanges where inquiries are all different, about 50 to each.
APART = 250_000

#: Judges a folder in a process of its own; tells CPU seconds, the most memory that it ever took in MB, and the marks.
JUDGES = """
import json, sys, time
from pathlib import Path
from scenarios.certify.bundle import judged_again
began = time.process_time()
found = judged_again(Path(sys.argv[1]))
spent = time.process_time() - began
memory = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
ids = {one["id"]: one["mark"] for its in found["parties"].values() for one in its["ids"]}
print(json.dumps([spent, memory, ids]))
"""


def repeated(folder: Path, many: int, *, apart: bool = False) -> int:
    """Make the exchanges of a step as many by repeating them, and have the plan name what came of it. apart: with other inquiries each time. Gives how many there are."""
    path = folder / STEPS / STEP / WIRE
    texts = [line.split('",', 1)[1][:-1] for line in path.read_text(encoding="ascii").splitlines()[1:-1]]
    asked = sorted({*re.findall(r'"correlationId":"(\d{12})"', "".join(texts))})
    path.unlink()
    log = WireLog(path, lambda: micros(0), {})
    if apart:
        # None whose answer is cut off.
        many -= many % len(texts)
    for at in range(0, many, len(texts)):
        turn = texts[: many - at]
        for number, ident in enumerate(asked if apart else (), at):
            turn = [text.replace(ident, f"{number:012}") for text in turn]
        log._write(turn)
    log.close()
    plan = json.loads((folder / PLAN).read_text("utf-8"))
    for one in plan["steps"]:
        if one["name"] == STEP:
            one["wire"] = check_chain(path).head
    (folder / PLAN).write_text(json.dumps(plan), "utf-8")
    return len(asked) * (many // len(texts) if apart else 1)


def judged(folder: Path) -> tuple[float, float, dict[str, str]]:
    """CPU seconds, MB and marks of a judgement."""
    out = subprocess.run([sys.executable, "-c", JUDGES, str(folder)], check=True, capture_output=True, text=True)
    spent, memory, ids = json.loads(out.stdout)
    return spent, memory, ids


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "flight"
        flown(folder, only=IDS)
        other = Path(shutil.copytree(folder, Path(made) / "apart"))
        before = judged(folder)
        inquiries = repeated(other, APART, apart=True)
        of_each, _, marks_apart = judged(other)
        repeated(folder, MANY)
        spent, memory, marks = judged(folder)
        began = time.process_time()
        with (folder / STEPS / STEP / WIRE).open("rb") as file:
            lines = sum(bool(json.loads(line)) for line in file) - 2
        base = time.process_time() - began
    # A request that comes again is one too many, and so are polls in one instant: nothing else changes.
    for its in (marks, marks_apart):
        assert {ident for ident, mark in its.items() if mark != before[2][ident]} <= {"UC-N1", "UC-N5", "S2"}, its
    assert lines == MANY
    rate, plain = MANY / spent, MANY / base
    told = {"unit": "exchanges/CPU s", "baseline": "json.loads of each", "baseline_value": plain}
    return [
        {"name": "certify_judge", "value": rate, **told, "ratio": rate / plain},
        {
            "name": "certify_judge_apart",
            "value": APART / of_each,
            "unit": f"exchanges/CPU s, {inquiries:,} inquiries",
            "baseline": "the same two again and again",
            "baseline_value": rate,
            "ratio": APART / of_each / rate,
        },
        {
            "name": "certify_judge_memory",
            "value": memory,
            "unit": "MB at most",
            "baseline": "the process that judges the flight as it was, MB",
            "baseline_value": before[1],
            "ratio": memory / before[1],
        },
    ]
