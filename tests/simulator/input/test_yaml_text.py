"""YAML of a user: values as they look, a line for each, no key twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.input.yaml_text import ExactLoader, YamlDocument, YamlProblem, field_name, read_yaml

#: Ten lines that stand for 10^9 values.
BOMB = "a: &a0 [x]\n" + "".join(f"a{of + 1}: &a{of + 1} [{', '.join([f'*a{of}'] * 10)}]\n" for of in range(9))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("15:00", "15:00"),
        ("1:30:00", "1:30:00"),
        ("ON", "ON"),
        ("no", "no"),
        ("true", True),
        ("010", 10),
        ("-5", -5),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("2026-08-12", "2026-08-12"),
        ("2026-08-12T17:40:00", "2026-08-12T17:40:00"),
        ("2026-13-45", "2026-13-45"),
        ("0b11", "0b11"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, value: Any) -> None:
    found = read_yaml(f"it: {text}", "x").value["it"]
    assert found == value
    assert type(found) is type(value)


def test_the_exact_loader_reads_fractions_as_decimals() -> None:
    assert read_yaml("a: 15.44", "x", ExactLoader).value == {"a": Decimal("15.44")}


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: 2\na: 3", "'a' stands twice", 3),
        ("a:\n  - {x: 1}\n  - {x: 1, x: 2}", "'x' stands twice", 3),
        ("a: [", ".", 1),
        ("a: b\n\tc: d", ".", 2),
        ("a: 1\n---\nb: 2", ".", 2),
        ("a: &x [*x]\nb: *y", ".", 2),
        ("a: 1\nb: &x {c: [*x]}", "contains itself", 2),
        (BOMB, "an alias of aliases: written out it has more than 1,000,000 values", 7),
        ("a: b\x00", "character", 1),
        ("? [a]\n: b", ".", 1),
        ("a: !!python/object:os.system x", ".", 1),
        (f"a: 1\nb: {'9' * 5000}", "no whole number", 2),
        (f"a: 1\nb: 0x{'f' * 5000}", "no whole number", 2),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(YamlProblem, match=problem) as caught:
        read_yaml(text, "x")
    assert caught.value.place == f"x:{line}"


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(YamlProblem, match="surrogate") as problem:
        read_yaml('a: 1\nb: "\\ud800"\n', "f.yaml")
    assert problem.value.place == "f.yaml:2"


def test_what_is_nested_too_deeply_is_a_problem_and_no_crash() -> None:
    with pytest.raises(YamlProblem, match="deeply"):
        read_yaml("[" * 1001, "x")


def test_merged_keys_are_no_doubles() -> None:
    found = read_yaml("base: &base {a: 1, b: 2}\nit: {<<: *base, b: 3}", "x")
    assert found.value["it"] == {"a": 1, "b": 3}
    assert found.where(("it", "b")) == "x:2: it.b"


def test_a_place_is_file_line_and_field_with_entries_counted_from_1() -> None:
    found = read_yaml("world:\n  faults:\n    - kind: gap\n    - kind: dead\n      meter: 3\n", "f.yaml")
    assert found.where(("world", "faults", 1, "meter")) == "f.yaml:5: world.faults[2].meter"
    assert found.where(("world", "faults", 1, "first")) == "f.yaml:4: world.faults[2].first"
    assert found.where(()) == "f.yaml"
    assert found.where(("world", "faults", 2)) == "f.yaml:2: world.faults[3]"
    assert found.where(("world", "faults", 0, "kind", "of")) == "f.yaml:3: world.faults[1].kind.of"
    assert field_name(("a", 0, "b")) == "a[1].b"
    assert YamlDocument("f.yaml", {"a": 1}).where(("a",)) == "f.yaml: a"
    assert read_yaml("# nothing\n", "f.yaml") == YamlDocument("f.yaml", None)


_SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc xyz:-", max_size=8)


@given(
    st.recursive(
        _SCALARS, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text("abc", min_size=1), one), max_leaves=8
    )
)
def test_what_pyyaml_writes_is_read_as_it_was(value: Any) -> None:
    assert read_yaml(yaml.safe_dump(value), "x").value == value
