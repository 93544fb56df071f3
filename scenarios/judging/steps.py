"""The seven steps of the use case, judged for every balance call: each rule looks at what the parties themselves left behind.

The customer's and the retailer's own word is held against SMT's ledger, the TDSP's journal and the files posted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headend.wire import InquiryKind
from scenarios.actions.market.balance_call import BalanceCall
from scenarios.evidence import Recorded, iso_of, usd_of
from scenarios.judging.answer import s6, s7
from scenarios.judging.delivery import s4, s5
from scenarios.judging.facts import Facts, calls
from scenarios.judging.findings import SHOWN, Rule, StepVerdict, step, without
from scenarios.records.journal import CalledNote, DecidedNote, RequestedNote
from simulator.ror.call.analysis import Question
from simulator.ror.usage import Quality
from simulator.smt.ondemand.eligibility import OBJECTIONS
from simulator.verdicts import Mark


def judge_steps(recording: Recorded) -> tuple[StepVerdict, ...]:
    """Judge S1 to S7 of every balance call. Of calls after the first, steps that they end without are left out: their checks say it.

    One that is expected to be ``not_needed`` ends at S2 by the retailer's decision: S3 to S5 are not needed. One that is expected to be
    refused or to fail is held to S1 to S3; what follows is not reached, and the check of the call judges how it ended.
    """
    asked = calls(recording)[: 1 if recording.first_call_alone else None]
    its = [(action, _steps(Facts(recording, action), action)) for action in asked]
    return tuple(
        replace(one, call=action.ref if len(its) > 1 else None)
        for at, (action, steps) in enumerate(its)
        for one in steps
        if at == 0 or one.mark is not Mark.NOT_EXERCISED
    )


def _steps(facts: Facts, action: BalanceCall) -> list[StepVerdict]:
    steps = [_s1(facts, action), _s2(facts, action)]
    match facts.outcome:
        case "answered":
            steps += [_s3(facts, action), s4(facts, action), s5(facts, action), s6(facts, action), s7(facts, action)]
        case "not_needed":
            steps += [without(one, "S2 decided that no more is needed.") for one in ("S3", "S4", "S5")]
            steps += [s6(facts, action), s7(facts, action)]
        case outcome:
            steps.append(_s3(facts, action))
            reason = f"The scenario expects the request to be {outcome}; see the check {action.ref}."
            steps += [without(one, reason) for one in ("S4", "S5", "S6", "S7")]
    return steps


def _s1(facts: Facts, action: BalanceCall) -> StepVerdict:
    rule = Rule()
    note, account = facts.note(CalledNote, action.ref), facts.account
    rule.equal("the call is noted once, at the scenario's time", facts.at(action), note and note.at)
    rule.equal("ESI ID of the caller's account", facts.esiid, note and note.esiid)
    rule.equal("account", account.account_id, note and note.account)
    rule.equal("question", action.question, note and note.question)
    happened = f"{account.customer_name} calls the retailer at {facts.at_local(action):%Y-%m-%d %H:%M} and asks about the {_QUESTION[action.question]}."
    evidence = {
        "call": action.ref,
        "account": note and note.account,
        "esiid": note and note.esiid,
        "asked_at": iso_of(facts.call and facts.call.asked_at),
        "patience_s": action.patience_s,
    }
    return step("S1", happened, evidence, rule)


_QUESTION = {Question.BALANCE: "balance of the running bill", Question.LAST_BILL: "last bill"}


def _s2(facts: Facts, action: BalanceCall) -> StepVerdict:
    """The retailer decides on its own record and the VEE data that SMT has, and the decision is the one that the scenario expects."""
    rule = Rule()
    note, call = facts.note(DecidedNote, action.ref), facts.call
    decision, own = (None, None) if call is None else (call.decision, call.own_record)
    needs_more = facts.outcome != "not_needed"
    rule.equal("the retailer decides that more is needed", needs_more, decision and decision.needs_more)
    rule.equal("the decision as it was noted", decision and decision.needs_more, note and note.needs_more)
    reason = "" if decision is None else decision.reason
    rule.holds("the decision has a reason", bool(reason), "a reason", reason or None)
    rule.equal("SMT gave the VEE data", None, call and call.trouble)
    due = own and own.last_bill_usd - own.paid_usd
    rule.equal("amount due by the retailer's own record", due, own and own.amount_due_usd)
    evidence: dict[str, Any] = {
        "own_record_due_usd": usd_of(own and own.amount_due_usd),
        "last_bill_usd": usd_of(own and own.last_bill_usd),
    }
    happened = "The retailer reviews its own record"
    shows: tuple[str, ...] = ()
    if action.question is not Question.LAST_BILL:
        shows = SHOWN["usage reviewed"]
        at = facts.at(action)
        last, vee_end = facts.last_lse(at), facts.vee_end(at)
        known = [interval.end for interval in facts.at_call if interval.quality is not Quality.NON_VEE]
        named = decision and decision.facts.vee_end
        rule.holds("an LSE file is on SMT's site", last is not None, "a file with every record accepted", None)
        first, end = facts.cycle
        seen = None if vee_end is None or vee_end <= first else min(vee_end, end)
        rule.equal("end of the VEE data that the retailer saw, of the cycle", seen, max(known, default=None))
        rule.equal("end of the VEE data that the decision names", vee_end, named)
        fetched = note and note.vee_intervals
        some = "none" if vee_end is None else "at least one"
        rule.holds("VEE intervals fetched", bool(fetched) is (vee_end is not None), some, fetched)
        evidence |= {
            "last_lse_file": last and last.file,
            "vee_end": iso_of(vee_end),
            "vee_intervals": fetched,
            "intervals_unknown": decision and decision.facts.gap_intervals,
        }
        happened += " and the VEE usage at SMT"
    more = "more is" if decision is not None and decision.needs_more else "no more is"
    return step("S2", f"{happened} and decides that {more} needed. {reason}", evidence, rule, *shows)


def _s3(facts: Facts, action: BalanceCall) -> StepVerdict:
    rule = Rule()
    note, filed = facts.note(RequestedNote, action.ref), facts.requests(action.ref)
    request, entry = facts.call and facts.call.request, next(iter(filed), None)
    trouble = request and request.trouble
    # Whom SMT may not ask for is told so at its door, and nothing is filed.
    taken = trouble is None or trouble.code.removeprefix("smt.") not in OBJECTIONS
    rule.equal("on-demand requests of this call in SMT's ledger", int(taken), len(filed))
    rule.equal("ESI ID asked for", facts.esiid, note and note.esiid)
    rule.equal("read type asked for", "INTERVALS", note and note.read_type)
    if taken:
        asked_at = iso_of(request and request.requested_at)
        rule.equal("kind in the ledger", InquiryKind.INTERVALS, entry and entry.kind)
        rule.equal("login that asked", facts.premise.ror.username, entry and entry.username)
        rule.equal("instant of submission", asked_at, iso_of(entry and entry.submitted))
    if facts.outcome == "answered":
        rule.equal(
            "correlation id that the retailer was given", entry and entry.key, request and request.correlation_id
        )
    evidence = {
        "call_reference": entry and entry.call_reference,
        "correlation_id": entry and entry.key,
        "read_type": note and note.read_type,
        "requested_at": iso_of(entry and entry.submitted),
    }
    happened = f"The retailer asks SMT for the non-VEE intervals of the gap, for this call alone ({action.ref})."
    return step("S3", happened, evidence, rule, *SHOWN["S3"])
