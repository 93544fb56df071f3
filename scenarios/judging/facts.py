"""What a recording tells of one balance call: what it left, its re-bill, its usage."""

from __future__ import annotations

from meters.calendar import Seconds, day_end, day_start
from scenarios.actions.market.balance_call import OUTCOME, BalanceCall
from scenarios.actions.market.balance_call import ROWS as CALLS
from scenarios.actions.market.rebill import Rebill
from scenarios.evidence import Evidence, Recorded
from scenarios.file.refusals import policy_of
from scenarios.records.actions import RecordedCall, RecordedRebill
from simulator.smt.throttle.limits import Source


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

    @property
    def cycle(self) -> tuple[Seconds, Seconds]:
        """Begin and end of the account's cycle: its intervals alone are kept of the usage."""
        return day_start(self.account.cycle_first), day_end(self.account.cycle_last)

    @property
    def reach(self) -> Seconds | None:
        """How far the answer must reach: to the end of the gap, or as far as the store, where it is the answer by the policy. None: there is no answer."""
        served, policy = self.call and self.call.request.served, policy_of(self.scenario)
        if served is None or served.gap is None:
            return None
        end, store = served.gap.end, served.reaches_to
        if store is None or served.from_meter:
            return end
        enough = policy.source is Source.STORE_ONLY or store + policy.store_within_s >= end
        return min(end, store) if enough else end
