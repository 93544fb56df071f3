"""Which scenarios a command line names: files, folders, shipped ones, all of them; those with a tag."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.errors import ScenarioError
from scenarios.file.lint import load_cases
from scenarios.file.schema import Scenario
from scenarios.file.shipped import SCENARIOS
from simulator.input.mistakes import did_you_mean


def files_of(given: Sequence[Path], *, every: bool) -> list[Path]:
    """The files that are named, each once, in the order in which they are. every: all shipped ones too."""
    named = [file for one in given for file in SCENARIOS.all_in(one)]
    return list({file.resolve(): file for file in (*(SCENARIOS.files().values() if every else ()), *named)}.values())


def chosen(given: Sequence[Path], *, every: bool = False, tag: str | None = None) -> list[Scenario]:
    """The sound scenarios that are named; of them, or of all shipped ones, those with the tag. Raises ScenarioError if there are none."""
    files = files_of(given, every=every or (tag is not None and not given))
    if not files:
        mend = "Name files or folders, or a tag with --tag, or take all shipped ones with --all."
        raise ScenarioError("scenario.none_named", "No scenario is named.", mend=mend)
    found = [(file, one) for file in files for one in load_cases(file)]
    if tag is not None:
        tags = sorted({its for _, one in found for its in one.tags})
        found = [(file, one) for file, one in found if tag in one.tags]
        if not found:
            text = f"None of {len(files)} scenarios has the tag '{tag}'."
            raise ScenarioError("scenario.no_tag", text, mend=did_you_mean(tag, tags) if tags else "They have no tags.")
    by_name: dict[str, Path] = {}
    for file, one in found:
        if one.name in by_name:
            text = f"{by_name[one.name]} holds a scenario named {one.name} too."
            raise ScenarioError("scenario.double", text, str(file), "Rename one.")
        by_name[one.name] = file
    return [one for _, one in found]
