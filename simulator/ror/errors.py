"""What can go wrong at the retailer: a plan file, a record, and SMT's answers, each with a code and a sentence."""

from __future__ import annotations

from meters.calendar import Seconds
from simulator.errors import SimulatorError


class RorError(SimulatorError):
    """A bad input to the retailer: a plan file, an account, a usage record."""


class SmtError(RorError):
    """SMT answered with an error, with something that is no answer, or not at all."""


class SmtRefused(RorError):  # noqa: N818 (a refusal by rule is an answer, not an error)
    """SMT or the TDSP refused an on-demand request by rule; ``retry_at`` tells when to come back (UTC epoch seconds)."""

    def __init__(self, code: str, reason: str, retry_at: Seconds | None) -> None:
        """Keep the rule's code, its reason and the time to come back."""
        super().__init__(code, reason, mend="Come back at the time given, or use what the store holds.")
        # simpy makes an exception anew from its args when it hands it to a process.
        self.args = (code, reason, retry_at)
        self.reason = reason
        self.retry_at = retry_at
