"""Named boundaries at which a test kills the process, SMT's or the head-end's: before and after each commit, call-out, call-back and reply.

Passing one does nothing, unless the process is a test's (``AMI_TEST_BUILD=1``) and ``AMI_CRASH_AT=name[:n]`` names it: then the n-th passing is
the process's last act, by SIGKILL, so that nothing is tidied up.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass

#: SMT's, in the order in which a request meets them.
SMT_BOUNDARIES = (
    "request.before_commit",
    "request.after_commit",
    "reply.before",
    "reply.after",
    "queued.before_commit",
    "queued.after_commit",
    "sent.before_commit",
    "sent.after_commit",
    "inquiry.before_call",
    "inquiry.after_call",
    "pending.before_commit",
    "pending.after_commit",
    "call_back.before",
    "call_back.after",
    "answered.before_commit",
    "answered.after_commit",
    "end.before_commit",
    "end.after_commit",
    "recovery.before_commit",
    "recovery.after_commit",
)
#: The head-end's, in the order in which an inquiry meets them.
HEADEND_BOUNDARIES = (
    "headend.accept.before_commit",
    "headend.accept.after_commit",
    "headend.reply.before",
    "headend.reply.after",
    "headend.read.before",
    "headend.read.after",
    "headend.answer.before_commit",
    "headend.answer.after_commit",
    "headend.call_back.before",
    "headend.call_back.after",
    "headend.end.before_commit",
    "headend.end.after_commit",
    "headend.recovery.before",
    "headend.recovery.after",
)
#: Those that a posted file meets: some of its records are written; they are loaded; a ROR's file lies in its folder and is still owed.
INTAKE_BOUNDARIES = ("intake.staged", "intake.loaded", "usage_file.laid")
#: Those that each partition of a head-end's day meets, all planned at once; ``posting``: its file is at SMT's site, under its name not yet.
DAY_BOUNDARIES = (
    "headend.planned.before_commit",
    "headend.planned.after_commit",
    "headend.validated.before_commit",
    "headend.validated.after_commit",
    "headend.named.before_commit",
    "headend.named.after_commit",
    "headend.posting",
    "headend.posted.before_commit",
    "headend.posted.after_commit",
)
#: Those that what a sweep collected meets on its way to SMT: at the head-end, at SMT, at the head-end.
PUSH_BOUNDARIES = (
    "headend.push.before",
    "non_vee.before_commit",
    "non_vee.after_commit",
    "headend.push.after",
    "headend.pushed.before_commit",
    "headend.pushed.after_commit",
)
BOUNDARIES = SMT_BOUNDARIES + INTAKE_BOUNDARIES + HEADEND_BOUNDARIES


@dataclass(slots=True)
class _Death:
    """Where to die, and at which passing."""

    name: str = ""
    left: int = 0


_DEATH = _Death()


def arm(environment: Mapping[str, str] = os.environ) -> None:
    """Read where to die. Raises ValueError for a boundary that does not exist, so that no test waits for it in vain."""
    setting = environment.get("AMI_CRASH_AT", "") if environment.get("AMI_TEST_BUILD") == "1" else ""
    name, _, turn = setting.partition(":")
    known = (*BOUNDARIES, *DAY_BOUNDARIES, *PUSH_BOUNDARIES)
    if name and name not in known:
        raise ValueError(f"AMI_CRASH_AT: there is no boundary '{name}'; there are {', '.join(known)}")
    _DEATH.name, _DEATH.left = name, int(turn or 1)


def boundary(name: str) -> None:
    """Pass a boundary."""
    if _DEATH.name != name:
        return
    _DEATH.left -= 1
    if _DEATH.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm()
