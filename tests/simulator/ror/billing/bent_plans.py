"""Plan files that somebody spoilt: ``make bent-plans`` reads ten thousand, the tests a few hundred.

None may end in a traceback; each that is refused says where and how to mend it, and each that is read can be billed or says why not.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import yaml

from simulator.ror.billing.bill import bill
from simulator.ror.billing.fact_label import label_mistakes
from simulator.ror.billing.plan import RatePlan, plan_edges, plan_mistakes, shipped_plans
from simulator.ror.errors import RorError
from tests.simulator.ror.billing.hand_bills import FOLDER

SOURCES = [*shipped_plans().values(), *sorted(FOLDER.glob("*.yaml"))]
#: What a value becomes.
VALUES = (
    "", "~", "-1", "0", "1e99", "-0.0", ".inf", ".nan", "1e999999999", "9" * 40, "0.123456789", "true", "[]", "{}", "[1]", "x: y",
    "soon", "2026-13-01", "0001-01-01", "9999-12-31", "2026-02-30", "24:00-24:00", "20:00-20:00", "oncor", "{kwh: 1}", "'", '"', "\\ud800",
    "&a *a", "!!python/object:os.system x", "0x10", "٣", "a" * 5000, "[[[[]]]]", "january", "13", "whole", "above", "- 1",
)  # fmt: skip
CHARACTERS = "\t\0\x07:{}[]-#&*!|>'\"%@`,?~é\u2028\ufeff0 9\n"


def bent(text: str, rng: random.Random) -> str:
    """The text with one to three slips."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        lines = text.splitlines() or [""]
        at = rng.randrange(len(lines))
        match rng.randrange(7):
            case 0:
                lines.pop(at)
            case 1:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 2:
                lines[at] = " " * rng.randrange(1, 4) + lines[at]
            case 3 | 4:
                found = list(re.finditer(r"(?<=: )[^,}\]]+", lines[at]))
                if found:
                    one = rng.choice(found)
                    lines[at] = lines[at][: one.start()] + rng.choice(VALUES) + lines[at][one.end() :]
            case 5:
                name = re.search(r"\w+(?=:)", lines[at])
                if name:
                    lines[at] = lines[at].replace(
                        name[0], rng.choice(("surprise", name[0][:-1], name[0].upper(), "name")), 1
                    )
            case _:
                where = rng.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:where] + rng.choice(CHARACTERS) + lines[at][where + rng.randrange(2) :]
        text = "\n".join(lines) + "\n"
    return text


def outcome(path: Path) -> str:
    """What became of a file, by its code; raises AssertionError for an error without place or mend, and whatever the product lets through."""
    plan, mistakes = plan_mistakes(path)
    if plan is not None:
        return "read" if _billed(plan, path.name) else "not billed"
    assert mistakes
    for mistake in mistakes:
        assert mistake.code.startswith("ror.plan."), mistake
        assert mistake.message, mistake
        assert mistake.mend, mistake
        assert re.match(rf"{path.name}(:\d+|$)", mistake.place), mistake
        assert ":" in mistake.place or _has_no_line(path), mistake
    return mistakes[0].code


def _has_no_line(path: Path) -> bool:
    """What is no mapping, or lacks a field at its top, has no line to name."""
    try:
        return not isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
    except (yaml.YAMLError, ValueError):
        return True


def _billed(plan: RatePlan, name: str) -> bool:
    plan_edges(plan)
    for mistake in label_mistakes(plan, name):
        assert mistake.mend
    try:
        for wh in (0, 1, 999_999, 10**9):
            bill(plan, wh, date(2026, 3, 1), date(2026, 3, 30))
    except RorError as error:
        if not error.mend:
            raise
        return False
    return True


def bend(count: int, folder: Path, seed: int = 1) -> Counter[str]:
    """Spoil and read so many; what became of them."""
    rng = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    found: Counter[str] = Counter()
    path = folder / "bent.yaml"
    for at in range(count):
        path.write_text(bent(rng.choice(texts), rng), encoding="utf-8", errors="surrogatepass")
        try:
            found[outcome(path)] += 1
        except Exception as error:
            error.add_note(f"plan {at} of seed {seed}:\n{path.read_text(encoding='utf-8', errors='replace')[:3000]}")
            raise
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for what, many in bend(int(sys.argv[1]), Path(made)).most_common():
            print(f"{many:>6}  {what}")
