"""Usage files that somebody spoilt: ``make bent-plans`` reads ten thousand, the tests a few hundred.

None may end in a traceback; each that is refused says where and how to mend it, and each that is read says of what was left out how often and where first; one of twenty is billed too.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from meters.calendar import day_of_interval, seconds
from meters.errors import UserError
from meters.identity import TDSPS
from meters.load.premises import make_premise
from simulator.ror.billing.plan import shipped_plan
from simulator.ror.files.read import read_usage
from simulator.ror.statement import cycle_of, state
from tests.simulator.ror.files.written import as_exported, csv_of, days_of, feed_of, lse_of

SEED = 7
#: What a cell becomes.
CELLS = (
    "", " ", "-1", "-0.001", "0", "1e99", "nan", "9" * 40, "0.1234567", "1,5", '"', '"a,b"', "'", "x" * 3000, "02/30/2026", "08/03/0001", "99/99/9999", "2026-08-03",
    "24:00", " 01:00", "25:61", "E", "A", "Surplus Generation", "Consumption", "\0", "\u2028", "٣", "10443720000000017", "1.04437E+16", "<", "&", "]]>", "\r",
)  # fmt: skip
CHARACTERS = "\t\0\x07:,;'\"<>/&-.E0 9\n\r\u2028\ufeffé"


def sources() -> list[bytes]:
    """Small files of each form, with both days of the clock's change and a roof."""
    home = replace(make_premise(TDSPS["ONCOR"], SEED, 0), solar_w=5_000)
    found = []
    for day in (date(2026, 8, 3), date(2026, 3, 8), date(2025, 11, 2)):
        stored = days_of(home, day, day, SEED)
        found += [csv_of(stored), as_exported(csv_of(stored)), feed_of(stored).replace(b"><", b">\n<"), lse_of(stored)]
    return found


def bent(text: str, rng: random.Random) -> str:
    """The text with one to three slips."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        lines = text.split("\n")
        at = rng.choice((0, rng.randrange(min(len(lines), 40)), rng.randrange(len(lines))))
        match rng.randrange(8):
            case 0:
                lines.pop(at)
            case 1:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 2 | 3:
                parted = "," if "," in lines[at] else ">"
                cells = lines[at].split(parted)
                cells[rng.randrange(len(cells))] = rng.choice(CELLS)
                lines[at] = parted.join(cells)
            case 4:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 5:
                lines = lines[:at] if rng.random() < 0.3 else [*lines[:at], lines[at][: len(lines[at]) // 2]]
            case _:
                where = rng.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:where] + rng.choice(CHARACTERS) + lines[at][where + rng.randrange(2) :]
        text = "\n".join(lines) or "x"
    return text


def outcome(path: Path, *, billed: bool) -> str:
    """What became of a file, by its code; raises AssertionError for an error without place or mend, and whatever the product lets through."""
    try:
        usage = read_usage(path)
    except UserError as error:
        refused = error
    else:
        for one in usage.found:
            assert one.count > 0, one
            assert one.mend, one
            assert re.fullmatch(rf"{path.name}(:[1-9]\d*)?", one.place), one
        if billed:
            # A spoilt date may lie anywhere: a cycle that begins at the file's end is in reach of it.
            first = max(date(2000, 1, 1), day_of_interval(seconds(usage.record.ends[-1])) - timedelta(days=20))
            assert state(cycle_of(first), PLAN, usage.record).sentences()
        return "read"
    assert refused.code.startswith("ror.file."), refused
    assert refused.message, refused
    assert refused.mend, refused
    assert re.match(rf"{path.name}(:\d+|$)", refused.place), refused
    return refused.code


PLAN = shipped_plan("longhorn-thousand-24")


def bend(count: int, folder: Path, seed: int = 1, of: Callable[[], list[bytes]] = sources) -> Counter[str]:
    """Spoil and read so many; what became of them."""
    rng, found = random.Random(seed), Counter[str]()
    texts = [content.decode() for content in of()]
    path = folder / "bent.usage"
    for at in range(count):
        path.write_text(bent(rng.choice(texts), rng), encoding="utf-8", errors="surrogatepass", newline="")
        try:
            found[outcome(path, billed=at % 20 == 0)] += 1
        except Exception as error:
            error.add_note(f"file {at} of seed {seed}, kept: {path}")
            raise
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for what, many in bend(int(sys.argv[1]), Path(made)).most_common():
            print(f"{many:>6}  {what}")
