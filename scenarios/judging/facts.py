"""What a recording tells of one balance call: what it left, its re-bill, its usage."""

from __future__ import annotations

from scenarios.actions.balance_call import OUTCOME, BalanceCall
from scenarios.actions.balance_call import ROWS as CALLS
from scenarios.actions.rebill import Rebill
from scenarios.evidence import Evidence, Recorded
from scenarios.records.actions import RecordedCall, RecordedRebill


def calls(recording: Recorded) -> list[BalanceCall]:
    """The balance calls of the timeline."""
    return [action for action in recording.scenario.timeline if isinstance(action, BalanceCall)]


class Facts(Evidence):
    """What a verdict asks a recording about a balance call."""

    def __init__(self, recording: Recorded, about: BalanceCall | None = None) -> None:
        """Find what became of a call and of its re-bill, and the usage that it left; of the first call unless one is given."""
        self.about = about or next(iter(calls(recording)), None)
        super().__init__(recording, None if self.about is None else self.about.account)
        ref = "" if self.about is None else self.about.ref
        #: How its request is to end: as it did, if several ends are expected.
        self.outcome = self.about and (self.about.expect.of("outcome") or OUTCOME.got(CALLS[0].seen(self, self.about)))
        self.call = self.action(RecordedCall, ref)
        its = (one for one in self.scenario.timeline if isinstance(one, Rebill) and one.of == ref)
        self.rebill = next(its, None)
        self.rebilled = None if self.rebill is None else self.action(RecordedRebill, self.rebill.ref)
        #: The cycle's intervals, and those that SMT handed on for the call.
        self.at_call = self.usage_at(ref)
        self.after_posting = self.usage_after(ref)
        self.served = self.handed_on(ref)
