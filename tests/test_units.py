"""Seconds and microseconds: the checker lets nobody take one for the other, and the calendar alone makes and converts them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from meters.calendar import Micros, Seconds, instants, micros, seconds, to_s, to_us

ROOT = Path(__file__).parents[1]


def wrong_units(at: Seconds, at_us: Micros, bare: int) -> Iterator[object]:
    """Never called. Each line is an error to the checker: one that it would let pass has an ignore too many, which it tells."""
    yield instants(at, at_us, at)  # type: ignore[type-var]
    yield to_s(at)  # type: ignore[call-overload]
    yield to_us(at_us)  # type: ignore[call-overload]
    yield seconds(at_us)  # type: ignore[arg-type]
    yield micros(at)  # type: ignore[arg-type]
    yield at + at_us  # type: ignore[operator]
    yield at_us - at  # type: ignore[operator]
    yield at * at_us  # type: ignore[operator]
    yield at % at_us  # type: ignore[operator]
    yield at // at_us  # type: ignore[operator]
    yield at / at_us  # type: ignore[operator]
    yield at < at_us  # type: ignore[operator]
    yield at == at_us  # type: ignore[comparison-overlap]
    yield at in (at_us,)  # type: ignore[comparison-overlap]
    given: Seconds = at_us  # type: ignore[assignment]
    given = bare  # type: ignore[assignment]
    yield given


def kept_units(at: Seconds, at_us: Micros) -> Iterator[Seconds | Micros]:
    """Never called. What keeps its unit."""
    span: Seconds = -(at - 1) + 2 * (at % 900) + (1 - at) // 2 + at // at
    span += max(at, span) + abs(to_s(at_us))
    yield from (span, to_us(at) + 1)
    yield from instants(at, at + 900, span)


def test_the_checker_tells_an_ignore_too_many() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert mypy["strict"] is True
    assert not {"warn_unused_ignores", "strict_equality"} & set(mypy)


def test_as_it_runs_both_are_plain_ints() -> None:
    assert {type(made) for made in (seconds(1.5), micros(2), to_us(seconds(1)), to_s(micros(1_500_000)))} == {int}
    assert instants(seconds(0), seconds(3), seconds(2)) == range(0, 3, 2)


@cache
def texts() -> dict[str, str]:
    """Every file of ours, but for the calendar's and this one."""
    houses = (f"{house}/**/*.py" for house in ("meters", "headend", "simulator", "scenarios", "reports", "tests"))
    files = {file for pattern in ("*.py", *houses) for file in ROOT.glob(pattern)}
    others = sorted(files - {ROOT / "meters" / "calendar.py", Path(__file__)})
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in others}


def lines_with(pattern: str, *words: str) -> list[str]:
    """Every line that says so. As ruff has formatted it, so a text tells enough. words: of which whatever says so has one; most files have none."""
    those = [(file, text) for file, text in texts().items() if any(one in text for one in words)]
    return [f"{file}: {found[0]}" for file, text in those for found in re.finditer(pattern, text)]


def test_the_calendar_alone_makes_and_converts_them() -> None:
    assert not lines_with(
        r"\b(Seconds|Micros)\(|\bcast\(\W?(Seconds|Micros)\b|NewType|[*/%] 1_000_000\b(?!\.)|\b1_000_000 [*/%]",
        *("Seconds(", "Micros(", "cast(", "NewType", " 1_000_000", "1_000_000 "),
    )


def test_no_instant_or_span_is_a_bare_int() -> None:
    # Not a rate's denominator that tokens are multiplied by, and not a value at an instant.
    named = r"\b(now|(?!per_s\b|true_at\b)\w*_(us|s|at))"
    ends = ("now", "_us", "_s", "_at")
    assert not lines_with(named + r": [^=,()\n]*\bint\b(?!\()", *(f"{end}: " for end in ends))
    assert not lines_with(r"def " + named + r"\([^)]*\) -> int\b", *(f"{end}(" for end in ends))
