"""The journal: one order whatever the arrival, and no more entries than a sandbox may keep."""

from __future__ import annotations

import json
from pathlib import Path

from headend.http.log import logging_to
from meters.calendar import seconds
from simulator.runtime.journal import RunJournal


def test_entries_of_one_instant_are_ordered_by_party_and_ident_and_a_cause_stays_before_its_effect() -> None:
    journal = RunJournal()
    for party, kind, ident in (
        ("TDSP", "a", "1"),
        ("SMT", "z cause", "2"),
        ("SMT", "a effect", "2"),
        ("SMT", "x", "1"),
    ):
        journal.note(seconds(5), party, kind, ident)
    journal.note(seconds(4), "TDSP", "earlier", "9")
    assert [entry["kind"] for entry in journal.entries()] == ["earlier", "x", "z cause", "a effect", "a"]


def test_a_limited_journal_keeps_the_latest() -> None:
    journal = RunJournal(limit=3)
    for at in range(10):
        journal.note(seconds(at), "SMT", "k", "1")
    assert [entry["at"] for entry in journal.entries()] == [7, 8, 9]


def test_what_is_noted_is_logged_with_the_reference_of_a_call_by_its_name(tmp_path: Path) -> None:
    journal, log = RunJournal(), tmp_path / "log"
    journal.note(seconds(0), "SMT", "unheard", "1")
    with logging_to(str(log)):
        journal.note(seconds(0), "ROR", "asked", "x1", call="C-7", trans_id="")
    (line,) = map(json.loads, log.read_text().splitlines())
    assert {key: line[key] for key in line if key not in ("time", "level")} == {
        "event": "asked",
        "at": "1969-12-31T18:00:00-06:00",
        "party": "ROR",
        "correlation_id": "x1",
        "call_reference": "C-7",
    }
