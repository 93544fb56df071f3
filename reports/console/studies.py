"""Load studies from a form's fields to a process: a shipped one, a policy beside today's limits, policies over whole days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reports.console.bed import BedProblem
from reports.console.children import free
from reports.console.runs import PROGRESS
from scenarios.file.shipped import STUDIES
from simulator.web.parts import Problem

#: Fields of a form that are options with one value, and with several.
_ONE, _SEVERAL = ("fleet", "storm", "post-at", "replications"), ("policy", "assume")


#: A curve of calls that was written into the form, in the folder of its study.
_CALLS = "calls.csv"


class Begun(NamedTuple):
    """A study that is to be begun: the words of its command, and its folder. ``files``: what lies there first, text by name."""

    words: list[str]
    out: Path
    files: Mapping[str, str] = {}


def begun_of(root: Path, fields: Mapping[str, str]) -> Begun:
    """What a form asks for. root: folder of runs. Raises BedProblem for a study that there is not."""
    kind = fields.get("do", "")
    if kind in ("whatif", "compare"):
        out, calls = free(root / "studies", kind), fields.get("calls", "").strip()
        files = {_CALLS: calls.replace("\r\n", "\n") + "\n"} if calls else {}
        named = [f"--calls={out / _CALLS}"] if calls else []
        # What is written is a value, never an option.
        words = [*_told_to(out), *named, *_options(fields), "--", *_words(fields.get("workloads", ""))]
        return Begun(["capacity", kind, *words], out, files)
    name = fields.get("name", "")
    if name not in STUDIES.files():
        raise BedProblem(404, Problem("console.study", "There is no such study.", "Choose one of the list."))
    out = root / "studies" / name
    return Begun(["capacity", "run", name, "--json", *_told_to(out)], out)


def _told_to(out: Path) -> list[str]:
    # One process, so that a bed beside it keeps its clock.
    return [f"--out={out}", "--workers=1", f"--progress={out / PROGRESS}"]


def _options(fields: Mapping[str, str]) -> list[str]:
    one = [f"--{name}={text}" for name in _ONE if (text := fields.get(name, "").strip())]
    return [*one, *(f"--{name}={text}" for name in _SEVERAL for text in _words(fields.get(name, "")))]


def _words(text: str) -> list[str]:
    return [one for one in re.split(r"[,\s]+", text) if one]
