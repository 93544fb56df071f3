"""JSON that somebody else has written, whatever he has written."""

from __future__ import annotations

import json

import pytest

from headend.http.foreign import document


@pytest.mark.parametrize("said", [None, True, "a", 1, 0.25, [], {}, {"a": [1, {"b": None}]}, [[{"c": "[[[["}] * 500]])
def test_what_is_json_is_read_as_it_is(said: object) -> None:
    assert document(json.dumps(said)) == document(json.dumps(said).encode()) == said


@pytest.mark.parametrize(
    "text",
    ["", "{", "not json", "NaN", '{"a": Infinity}', '{"a": [-Infinity]}', '{"a": 1e999}', b"\xff\xfe\x80", "1" * 5000],
)
def test_what_is_no_json_or_holds_what_is_no_number_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"no number|Expecting|decode|digits"):
        document(text)


@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_what_is_nested_deeper_than_anybody_means_is_refused(depth: int) -> None:
    assert document("[" * 64 + "]" * 64)
    for one in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        with pytest.raises(ValueError, match="nested deeper"):
            document(one)
