"""What the head-end's wires take for an instant, a day and a text."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from headend.wire import Instant, OperatingDay, Text
from meters.calendar import YEARS, epoch, seconds


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        (OperatingDay, "2026-8-12", "write YYYY-MM-DD"),
        (OperatingDay, "20260812", "write YYYY-MM-DD"),
        (OperatingDay, "2026-02-30", "write YYYY-MM-DD"),
        (OperatingDay, 1786406400, "write YYYY-MM-DD"),
        (OperatingDay, f"{YEARS.stop}-01-01", f"it is no day of {YEARS.start} to {YEARS.stop - 1}"),
        (Instant, f"{YEARS.stop}-01-01T00:00:00-06:00", f"the year must lie in {YEARS.start} to {YEARS.stop - 1}"),
        (Instant, "2026-08-12T17:40:00", "timezone"),
        (Text, "half \ud800", "the text is not valid Unicode: it has a lone surrogate"),
        (Text, "a\0b", "the text has a NUL character"),
    ],
)
def test_what_no_other_party_could_read_is_refused_and_says_why(kind: Any, said: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        TypeAdapter(kind).validate_python(said)


def test_an_instant_keeps_its_offset_a_day_is_a_day_and_a_text_is_as_it_was() -> None:
    when = TypeAdapter(Instant).validate_python("2026-08-12T22:40:00+00:00")
    assert seconds(when.timestamp()) == epoch("2026-08-12T17:40")
    assert TypeAdapter(OperatingDay).validate_python("2024-02-29") == date(2024, 2, 29)
    assert TypeAdapter(Text).validate_python("Ü\n") == "Ü\n"
