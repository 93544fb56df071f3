"""What a desk can judge of a call without the truth (AMB-12). Pure."""

from __future__ import annotations

from meters.calendar import Seconds, epoch, iso, seconds
from simulator.ror.call.analysis import Question
from simulator.ror.desk.wire import Call, CallState, Satisfied

#: Who calls again so soon was not satisfied (AMB-12).
REPEAT_S = seconds(24 * 3600)


def satisfied(call: Call, now: Seconds) -> Satisfied:
    """The verdict as of an instant (UTC epoch seconds), with its reason. None while something that it takes is still to come."""
    if call.state is CallState.UNDER_WAY:
        return Satisfied(verdict=None, reason="The call is under way.")
    if call.state is CallState.LOST:
        return Satisfied(verdict=False, reason="The desk was stopped before it had an answer.")
    if call.state is CallState.FAILED or call.answer is None:
        return Satisfied(verdict=False, reason=f"The desk had no answer: {call.trouble.reason if call.trouble else ''}")
    waited = f"answered after {call.answer['seconds_to_answer']} s of {call.patience_s} s patience"
    if not call.answer["before_hang_up"]:
        return Satisfied(verdict=False, reason=f"The caller had hung up: {waited}.")
    if call.repeated_by is not None:
        return Satisfied(verdict=False, reason=f"The customer called again within 24 h: {call.repeated_by}.")
    bill = "nothing but the books was asked for"
    if call.question is Question.BALANCE:
        again = call.rebill or {}
        if call.told_usd is None:
            return Satisfied(verdict=False, reason="No bill of the running cycle could be told.")
        if again.get("satisfied") is None:
            left = "VEE data do not reach to what was told" if again else "it was not billed again from VEE data"
            if call.rebill_due is not None and not again:
                left = "the re-bill on VEE data is to come at noon"
            return Satisfied(verdict=None, reason=f"So far {waited}; {left}.")
        bill = f"${call.told_usd} was told, and VEE data make it ${again['vee_usd']}"
        if not again["satisfied"]:
            return Satisfied(verdict=False, reason=f"More than 2 % and $1 apart: {bill}.")
    over = epoch(call.asked_at) + REPEAT_S
    if now < over:
        return Satisfied(verdict=None, reason=f"So far {waited}; {bill}. Who calls again does so by {iso(over)}.")
    return Satisfied(verdict=True, reason=f"No call again within 24 h, {waited}; {bill}.")
