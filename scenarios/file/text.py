"""A scenario file as YAML, before anybody asks what it means: whoever only reads it needs nothing of what can happen in one."""

from __future__ import annotations

from pathlib import Path

from scenarios.errors import ScenarioError
from simulator.input.yaml_text import UnreadableFile, YamlDocument, YamlProblem, read_yaml_file

MALFORMED = "scenario.malformed"


def read(path: Path) -> YamlDocument:
    """Read a scenario file's YAML. Raises ScenarioError with file, line and mend for what is no YAML, no mapping, or a load study."""
    place = str(path)
    try:
        written = read_yaml_file(path)
    except UnreadableFile as error:
        text, mend = (
            f"The scenario cannot be read: {error.problem}.",
            "Name a file, as UTF-8 text; 'ami scenario list' tells the shipped ones.",
        )
        raise ScenarioError("scenario.unreadable", text, place, mend) from None
    except YamlProblem as error:
        text = f"The YAML is wrong: {error.problem}."
        raise ScenarioError("scenario.yaml", text, error.place, "Mend the line.") from None
    if not isinstance(written.value, dict):
        text = "A scenario is a mapping with a name, a world and a timeline."
        raise ScenarioError(MALFORMED, text, place, "Look at a shipped one; 'ami scenario list' tells their files.")
    if not {"timeline", "like"} & set(written.value) and {"levels", "policies"} & set(written.value):
        mend = f"Run it with 'ami capacity run {place}'."
        raise ScenarioError("scenario.is_study", "This is a load study, not a scenario.", place, mend)
    return written
