"""Load studies from a form's fields to a process: a shipped one, a policy beside today's limits, policies over whole days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reports.console.bed import BedProblem
from reports.console.children import free
from reports.console.runs import PROGRESS
from scenarios.shipped import STUDIES
from simulator.web.parts import Problem

#: Fields of a form that are options with one value, and with several.
_ONE, _SEVERAL = ("fleet", "storm", "post-at", "replications"), ("policy", "assume")


class Begun(NamedTuple):
    """A study that is to be begun: the words of its command, and its folder. ``goes_on``: a run into the same folder goes on."""

    words: list[str]
    out: Path
    goes_on: bool = False


def begun_of(root: Path, fields: Mapping[str, str]) -> Begun:
    """What a form asks for. root: folder of runs. Raises BedProblem for a study that there is not."""
    kind = fields.get("do", "")
    if kind in ("whatif", "compare"):
        out = free(root / "studies", kind)
        # What is written is a value, never an option.
        return Begun(
            ["capacity", kind, *_told_to(out), *_options(fields), "--", *_words(fields.get("workloads", ""))], out
        )
    name = fields.get("name", "")
    if name not in STUDIES.files():
        raise BedProblem(404, Problem("console.study", "There is no such study.", "Choose one of the list."))
    out = root / "studies" / name
    return Begun(["capacity", "run", name, "--json", *_told_to(out)], out, goes_on=True)


def _told_to(out: Path) -> list[str]:
    # One process, so that a bed beside it keeps its clock.
    return [f"--out={out}", "--workers=1", f"--progress={out / PROGRESS}"]


def _options(fields: Mapping[str, str]) -> list[str]:
    one = [f"--{name}={text}" for name in _ONE if (text := fields.get(name, "").strip())]
    return [*one, *(f"--{name}={text}" for name in _SEVERAL for text in _words(fields.get(name, "")))]


def _words(text: str) -> list[str]:
    return [one for one in re.split(r"[,\s]+", text) if one]
