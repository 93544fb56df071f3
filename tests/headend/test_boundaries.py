"""Boundaries at which only a test's process dies."""

from __future__ import annotations

import os
import signal

import pytest

from headend import boundaries
from headend.boundaries import BOUNDARIES


def test_a_boundary_is_passed_unless_the_process_is_a_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_CRASH_AT", "request.before_commit")
    boundaries.arm()
    boundaries.boundary("request.before_commit")
    monkeypatch.setenv("AMI_TEST_BUILD", "1")
    monkeypatch.setenv("AMI_CRASH_AT", "nowhere")
    with pytest.raises(ValueError, match="there is no boundary 'nowhere'"):
        boundaries.arm()
    monkeypatch.undo()
    boundaries.arm(os.environ)
    assert len(set(BOUNDARIES)) == len(BOUNDARIES)


def test_the_passing_that_was_named_is_the_last_act(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, by: ended.append((pid, by)))
    boundaries.arm({"AMI_TEST_BUILD": "1", "AMI_CRASH_AT": "reply.before:2"})
    seen = []
    for name in ("reply.before", "reply.after", "reply.before"):
        boundaries.boundary(name)
        seen.append(len(ended))
    assert (seen, ended) == ([0, 0, 1], [(os.getpid(), signal.SIGKILL)])
    boundaries.arm({})
    boundaries.boundary("reply.before")
    assert len(ended) == 1
