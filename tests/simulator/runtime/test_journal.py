"""The journal: one order whatever the arrival, and no more entries than a sandbox may keep."""

from __future__ import annotations

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
