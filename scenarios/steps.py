"""The seven steps of the use case, judged for the first balance call: each rule looks at what the parties themselves left behind.

The customer's and the retailer's own word is held against SMT's ledger, the TDSP's journal and the files posted.
"""

from __future__ import annotations

from typing import Any

from meters.calendar import iso
from scenarios.delivery import s4, s5
from scenarios.facts import NON_VEE, Facts, ts, usd
from scenarios.findings import Mark, Rule, StepVerdict, step, without
from scenarios.timeline import BalanceCall
from scenarios.told import s6, s7


def judge_steps(facts: Facts) -> tuple[StepVerdict, ...]:
    """Judge S1 to S7 of the first balance call; none without one.

    A scenario that expects ``not_needed`` ends at S2 by the retailer's decision: S3 to S5 are not needed. One that expects the
    request refused or failed is held to S1 to S3; what follows is not reached, and the check of the call judges how it ended.
    """
    call = facts.first_call
    if call is None:
        return ()
    told = facts.action(call.ref)
    steps = [_s1(facts, call, told), _s2(facts, call, told)]
    match call.expect.outcome:
        case "answered":
            steps += [_s3(facts, call, told), s4(facts, call, told), s5(facts, call, told)]
            steps += [s6(facts, call, told), s7(facts, call, told)]
        case "not_needed":
            steps += [without(one, Mark.NOT_NEEDED, "S2 decided that no more is needed.") for one in ("S3", "S4", "S5")]
            steps += [s6(facts, call, told), s7(facts, call, told)]
        case outcome:
            steps.append(_s3(facts, call, told))
            reason = f"The scenario expects the request to be {outcome}; see the check {call.ref}."
            steps += [without(one, Mark.NOT_REACHED, reason) for one in ("S4", "S5", "S6", "S7")]
    return tuple(steps)


def _s1(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    rule = Rule()
    note = facts.note("ROR", "S1.called", call.ref)
    account = facts.scenario.account
    rule.equal("the call is noted once, at the scenario's time", facts.at(call), note.get("at"))
    rule.equal("ESI ID of the caller's account", facts.esiid, note.get("esiid"))
    rule.equal("account", account.account_id, note.get("account"))
    rule.equal("question", call.question.value, note.get("question"))
    happened = f"{account.customer_name} calls the retailer at {call.at:%Y-%m-%d %H:%M} and asks about the {_QUESTION[call.question.value]}."
    evidence = {
        "call": call.ref,
        "account": note.get("account"),
        "esiid": note.get("esiid"),
        "asked_at": told.get("asked_at"),
        "patience_s": call.patience_s,
    }
    return step("S1", happened, evidence, rule)


_QUESTION = {"balance": "balance of the running bill", "last_bill": "last bill"}


def _s2(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    """The retailer decides on its own record and the VEE data that SMT has, and the decision is the one that the scenario expects."""
    rule = Rule()
    note = facts.note("ROR", "S2.decided", call.ref)
    decision = told.get("decision") or {}
    needs_more = call.expect.outcome != "not_needed"
    rule.equal("the retailer decides that more is needed", needs_more, decision.get("needs_more"))
    rule.equal("the decision as it was noted", decision.get("needs_more"), note.get("needs_more"))
    rule.holds("the decision has a reason", bool(decision.get("reason")), "a reason", decision.get("reason"))
    rule.equal("SMT gave the VEE data", None, told.get("trouble"))
    own = told.get("own_record") or {}
    paid, billed = usd(own.get("paid_usd")), usd(own.get("last_bill_usd"))
    due = None if paid is None or billed is None else str(billed - paid)
    rule.equal("amount due by the retailer's own record", due, own.get("amount_due_usd"))
    evidence: dict[str, Any] = {
        "own_record_due_usd": own.get("amount_due_usd"),
        "last_bill_usd": own.get("last_bill_usd"),
    }
    happened = "The retailer reviews its own record"
    shows: tuple[str, ...] = ()
    if call.question.value != "last_bill":
        shows = ("PRE1", "A3", "A4")
        at = facts.at(call)
        last = facts.last_lse(at)
        vee_end = facts.vee_end(at)
        known = [end for end, _, quality, _ in facts.usage("at_call") if quality != NON_VEE]
        rule.holds("an LSE file is on SMT's site", last is not None, "a file with every record accepted", None)
        rule.equal("end of the VEE data that the retailer saw", vee_end, max(known, default=None))
        rule.equal(
            "end of the VEE data that the decision names", vee_end, ts((decision.get("facts") or {}).get("vee_end"))
        )
        rule.holds("VEE intervals fetched", note.get("vee_intervals", 0) > 0, "at least one", note.get("vee_intervals"))
        evidence |= {
            "last_lse_file": None if last is None else last.file,
            "vee_end": None if vee_end is None else iso(vee_end),
            "vee_intervals": note.get("vee_intervals"),
            "intervals_unknown": (decision.get("facts") or {}).get("gap_intervals"),
        }
        happened += " and the VEE usage at SMT"
    happened += f" and decides that {'more is' if decision.get('needs_more') else 'no more is'} needed. {decision.get('reason', '')}"
    return step("S2", happened, evidence, rule, *shows)


def _s3(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    rule = Rule()
    note = facts.note("ROR", "S3.requested", call.ref)
    filed = facts.requests(call.ref)
    request = told.get("request") or {}
    entry = filed[0] if filed else {}
    rule.equal("on-demand requests of this call in SMT's ledger", 1, len(filed))
    rule.equal("ESI ID asked for", facts.esiid, note.get("esiid"))
    rule.equal("read type asked for", "INTERVALS", note.get("read_type"))
    rule.equal("kind in the ledger", "INTERVALS", entry.get("kind"))
    rule.equal("login that asked", facts.recording.world["ror"]["username"], entry.get("username"))
    rule.equal("instant of submission", ts(request.get("requested_at")), ts(entry.get("submitted")))
    if call.expect.outcome == "answered":
        rule.equal("correlation id that the retailer was given", entry.get("key"), request.get("correlation_id"))
    evidence = {
        "call_reference": entry.get("call_reference"),
        "correlation_id": entry.get("key"),
        "read_type": note.get("read_type"),
        "requested_at": entry.get("submitted"),
    }
    happened = f"The retailer asks SMT for the non-VEE intervals of the gap, for this call alone ({call.ref})."
    return step("S3", happened, evidence, rule, "UC-N1", "UC-N2")
