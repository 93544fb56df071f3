"""A scenario in words: the world, what goes on from the beginning, and the timeline, each field by its name."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from scenarios.file.schema import Scenario

_WIDTH, _INDENT = 100, 20


def in_words(scenario: Scenario) -> str:
    """Lines of at most 100 columns; fields that were left out of the file are not told."""
    written = scenario.model_dump(exclude_unset=True)
    timeline = written.pop("timeline")
    lines = _folded("", f"{written.pop('name')}: {written.pop('title')}")
    for name, value in written.items():
        lines += _folded(f"  {_name(name):<{_INDENT - 2}}", _words(value))
    for action in timeline:
        lines += ["", *_action(action)]
    return "\n".join(lines)


def _action(action: dict[str, Any]) -> Iterator[str]:
    at, what, ref = action.pop("at"), action.pop("do"), action.pop("ref")
    expected, shows = action.pop("expect", None), action.pop("verifies", ())
    head = f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    yield from _folded(f"{head:<{_INDENT}}", f"{_name(what)} {ref}{': ' if action else ''}{_words(action)}")
    for name, value in (("must come to", expected), ("shows", shows)):
        if value:
            yield from _folded(f"  {name:<{_INDENT - 2}}", _words(value))


def _words(value: Any) -> str:
    """A value and what is in it: fields by name, several behind each other."""
    match value:
        case dict():
            return ", ".join(_field(name, one) for name, one in value.items())
        case list() | tuple():
            return ("; " if any(isinstance(one, dict) for one in value) else ", ").join(_words(one) for one in value)
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def _field(name: str, value: Any) -> str:
    said = _words(value)
    if isinstance(value, dict):
        return f"{_name(name)} ({said})"
    if isinstance(value, list | tuple):
        return f"{_name(name)} [{said}]"
    return f"{_name(name.removesuffix('_s'))} {said}{' s' if name.endswith('_s') else ''}"


def _name(field: str) -> str:
    # A place of a document, or a metric with its labels, is no field.
    return field.replace("_", " ") if field.isidentifier() else field


def _folded(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * _INDENT,
        # A metric with its labels is a word of any length.
        break_long_words=True,
        break_on_hyphens=False,
    ) or [head.rstrip()]
