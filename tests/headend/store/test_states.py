"""How the collection of a day stands, after attempts and after what they brought."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headend.ports import MeterKey
from headend.store.states import Cause, MeterDay, Tried
from headend.store.store import HeadEndStore
from meters.calendar import Seconds, day_end, seconds
from tests.headend.store.readings import DAY, ESIID, MIDNIGHT, OTHER

A, B = MeterDay(MeterKey(ESIID, "1"), MIDNIGHT), MeterDay(MeterKey(OTHER, "2"), MIDNIGHT)
ENDED = day_end(DAY)
SPAN = seconds(24 * 3600)


@pytest.fixture
def store() -> Iterator[HeadEndStore]:
    kept = HeadEndStore("sqlite://")
    yield kept
    kept.close()


def _tried(store: HeadEndStore, hours: float, *causes: tuple[MeterDay, Cause]) -> None:
    store.states.note_tried({seconds(ENDED + hours * 3600): [Tried(*one) for one in causes]}, SPAN)


def _kept(store: HeadEndStore, of: MeterDay, complete: bool, at: Seconds) -> None:
    with store.together() as connection:
        store.states.note_kept(connection, {of: complete}, at)


def test_sweeps_within_a_span_are_one_attempt_and_the_next_span_begins_another(store: HeadEndStore) -> None:
    for hours in (1, 4, 23.9, 24, 30, 48):
        _tried(store, hours, (A, "silent"))
    (state,) = store.states.of_day(DAY)
    assert (state.meter, state.attempts, state.cause, state.tried_at) == (A.meter, 3, "silent", ENDED + 48 * 3600)


def test_an_answer_that_did_not_have_all_of_the_day_was_incomplete(store: HeadEndStore) -> None:
    _tried(store, 1, (A, ""), (B, "other meter"))
    assert [state.cause for state in store.states.of_day(DAY)] == ["incomplete", "other meter"]
    _kept(store, A, True, ENDED + 7200)
    # The cause of the last attempt that failed stays told.
    _tried(store, 25, (A, ""))
    (complete,) = store.states.of_day(DAY, complete=True)
    assert (complete.meter, complete.attempts, complete.cause) == (A.meter, 2, "incomplete")


def test_states_are_told_by_esi_id_completeness_and_in_pages(store: HeadEndStore) -> None:
    _tried(store, 1, (A, "silent"), (B, "silent"))
    _kept(store, B, True, ENDED + 7200)
    assert [state.esiid for state in store.states.of_day(DAY, most=1)] == [ESIID]
    assert [state.esiid for state in store.states.of_day(DAY, after=ESIID)] == [OTHER]
    assert [state.esiid for state in store.states.of_day(DAY, esiid=OTHER)] == [OTHER]
    assert [state.esiid for state in store.states.of_day(DAY, complete=False)] == [ESIID]


def test_a_change_is_told_to_those_who_ask_since_its_instant_at_the_latest(store: HeadEndStore) -> None:
    _tried(store, 1, (A, "silent"))
    _kept(store, B, False, ENDED + 100)
    assert store.states.changed_since(DAY, ENDED + 100) == [B.meter]
    assert store.states.changed_since(DAY, ENDED + 101) == []
