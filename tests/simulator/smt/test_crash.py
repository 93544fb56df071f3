"""SMT and head-end killed at their named boundaries and started again: some kills here, a hundred by ``make crash``."""

from __future__ import annotations

import pytest

from tests.simulator.smt import crash_day
from tests.simulator.smt.crash_headend_play import play_headend
from tests.simulator.smt.crash_play import play
from tests.simulator.smt.crash_push_play import play_push
from tests.simulator.smt.rig import NEIGHBOUR

pytestmark = pytest.mark.process

#: Where, and whose meter fails.
KILLS = [
    ("request.before_commit:2", ()),
    ("request.after_commit:1", ()),
    ("reply.after:3", ()),
    ("sent.before_commit:1", ()),
    ("inquiry.after_call:2", ()),
    ("call_back.before:1", (NEIGHBOUR,)),
    ("answered.after_commit:2", ()),
    ("end.before_commit:1", ()),
    ("end.after_commit:2", (NEIGHBOUR,)),
    ("recovery.before_commit:2", ()),
]


@pytest.mark.parametrize(("crash_at", "fails"), KILLS)
def test_killed_at_a_boundary_no_request_is_lost_and_no_allowance_spent_on_a_failure(
    crash_at: str, fails: tuple[str, ...]
) -> None:
    told = play(crash_at, frozenset(fails))
    assert told.killed, "it never came to that boundary"
    if not crash_at.startswith("request"):
        assert told.acknowledged


#: At the head-end: where, and whose meter has no power.
HEADEND_KILLS = [
    ("headend.accept.before_commit:1", ()),
    ("headend.read.before:1", (NEIGHBOUR,)),
    ("headend.answer.before_commit:1", ()),
    ("headend.call_back.after:1", ()),
    ("headend.recovery.after:1", ()),
]


@pytest.mark.parametrize(("crash_at", "silent"), HEADEND_KILLS)
def test_an_inquiry_at_a_head_end_killed_at_a_boundary_is_answered_once_and_soon(
    crash_at: str, silent: tuple[str, ...]
) -> None:
    assert play_headend(crash_at, frozenset(silent)).killed, "it never came to that boundary"


#: One of each state of a partition: of a first run, within its posting, and of a later run on which another day leans.
BATCH_KILLS = ["headend.validated.before_commit:2", "headend.posting:4", "headend.validated.after_commit:7"]


@pytest.mark.parametrize("crash_at", BATCH_KILLS)
def test_a_batch_killed_at_a_boundary_leaves_what_an_undisturbed_one_leaves(crash_at: str) -> None:
    crash_day.check(crash_at)


#: At the head-end when SMT has it, and does not know; at SMT before it keeps it, and before it says so.
PUSH_KILLS = ["headend.pushed.before_commit", "non_vee.before_commit", "non_vee.after_commit"]


@pytest.mark.parametrize("crash_at", PUSH_KILLS)
def test_what_a_sweep_collected_is_at_smt_once_whoever_is_killed_on_its_way(crash_at: str) -> None:
    assert play_push(crash_at), "it never came to that boundary"


def test_without_a_crash_the_play_ends_as_asked() -> None:
    told = play("", frozenset((NEIGHBOUR,)))
    assert not told.killed
    assert sorted(entry.last.state.value for entry in told.entries) == ["completed", "completed", "failed", "refused"]
