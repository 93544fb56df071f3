"""The parts of ``docs/lse-format.md`` that are made: result codes, faults, a file to copy. Written by ``python -m tests.headend.lse.pages``, held equal by a test."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np

from headend.lse.format import FAULT_KINDS, RESULT_CODES, LseRecord
from headend.lse.writer import dumps
from headend.vee.quality import Channel
from meters.calendar import epoch

PAGE = Path(__file__).parents[3] / "docs" / "lse-format.md"
_PART = re.compile(r"(<!-- made: (?P<name>\S+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def codes() -> str:
    """Each result code."""
    rows = (f"| `{code}` | {what} |" for code, what in RESULT_CODES.items())
    return "\n".join(["| code | |", "|---|---|", *rows, ""])


def faults() -> str:
    """Each kind of fault, errors first."""
    kinds = sorted(FAULT_KINDS.values(), key=lambda kind: kind.code == "00")
    rows = (f"| {kind.field} | `{kind.code}` | {kind.what} | {kind.mend} |".replace("<", "&lt;") for kind in kinds)
    return "\n".join(["| field | code | what is wrong | mend |", "|---|---|---|---|", *rows, ""])


def example() -> bytes:
    """A file of one record: a home that uses more from hour to hour."""
    wh = np.repeat(np.arange(24, dtype=np.int32) * 10 + 150, 4)
    estimated = np.zeros(96, np.bool_)
    estimated[40:44] = True
    begins, posted = 24_002_915, epoch("2026-08-12T07:30")
    registers = (begins, begins + int(wh.sum()))
    return dumps([LseRecord("10443720000000017", Channel.LOAD, date(2026, 8, 11), *registers, wh, estimated, posted)])


def page() -> str:
    """The page with its parts made anew."""
    made = {"codes": codes(), "faults": faults(), "file": f"```\n{example().decode()}```\n"}
    return _PART.sub(lambda part: part[1] + made[part["name"]], PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
