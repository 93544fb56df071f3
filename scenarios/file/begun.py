"""A scenario file to begin with: another's text under a name of its own."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from scenarios.errors import ScenarioError
from scenarios.file.lint import load_sound
from scenarios.file.text import MALFORMED, read
from scenarios.parts.written import Name
from simulator.input.whole_text import whole_text


def begin(name: str, like: Path, out: Path) -> Path:
    """Write ``out``: the sound scenario of ``like`` as it is written, comments too, called ``name``. Raises ScenarioError; no file is written over."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        mend = "Write small letters, digits and hyphens, at most 64."
        raise ScenarioError(MALFORMED, f"'{name}' is no name of a scenario.", "NAME", mend) from None
    load_sound(like)
    root, text = read(like).root, whole_text(like)
    assert isinstance(root, yaml.MappingNode)
    called = next(value for key, value in root.value if key.value == "name")
    return write_new(out, _schema_from(like, text[: called.start_mark.index] + name + text[called.end_mark.index :]))


def write_new(out: Path, text: str) -> Path:
    """Write a scenario file where there is none. Raises ScenarioError; no file is written over."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ScenarioError(
            "out.exists", "There is a file of this name.", str(out), "Name another with --out."
        ) from None
    except OSError as error:
        said = f"The file cannot be written: {error.strerror}."
        raise ScenarioError("out.unusable", said, str(out), "Name another with --out.") from None
    return out


def _schema_from(like: Path, text: str) -> str:
    """A text whose head names its schema from where the other file lies, wherever it comes to lie."""
    return re.sub(r"(?<=\$schema=)\.\S+", lambda found: (like.parent / found[0]).resolve().as_posix(), text, count=1)
