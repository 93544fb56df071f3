"""Who refuses in a scenario: its throttle, the codes of the refusals that it can meet, the rules that it can show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import ValidationError

from scenarios.actions.market.balance_call import BalanceCall
from scenarios.actions.market.exchange import known_codes
from scenarios.actions.market.http import Http
from scenarios.actions.market.on_demand import OnDemandRead, PowerStatus
from scenarios.actions.market.portal_read import PortalRead
from scenarios.actions.market.rebill import Rebill
from scenarios.actions.outside.asks_smt import AsksSmt
from scenarios.actions.outside.customer_calls import CustomerCalls
from scenarios.actions.outside.inquire import Inquire
from scenarios.actions.table import ACTIONS
from scenarios.actions.world.answer_fault import AnswerFault, faults
from scenarios.actions.world.complaint import Complaint
from scenarios.actions.world.load import Load
from scenarios.file.schema import Scenario
from scenarios.parts.expected import Expectation, Form
from scenarios.parts.setting import Act, Setting
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import Loc, Mistake
from simulator.smt.complaints.hooks import REFUSED_WITH
from simulator.smt.complaints.kinds import ComplaintKind
from simulator.smt.doors.both.refusal import STATUS_OF
from simulator.smt.errors import BUSINESS
from simulator.smt.ondemand.lifecycle import STORE_ONLY
from simulator.smt.throttle.limits import Door, Kind, Policy, Source
from simulator.smt.throttle.policy import PORTAL_CODES, parse_policy, preset, preset_names

#: Requirements that are limits of a throttle, by their codes.
RULES = ("FR-CR016.1a", "FR-CR016.1b")
#: By what a certification asks a system that is not ours, which is held to its ids by judges of their own.
CERTIFYING = (Inquire, AsksSmt)
#: What asks for a read or a power status.
ASKING = (BalanceCall, OnDemandRead, PortalRead, PowerStatus, Load)
#: What asks for a gap, and what asks for anything; as it is written, or by a system that is not ours, a call may do that too.
_GAPS, _ASKS = (BalanceCall, Load, CustomerCalls, Http), (*ASKING, CustomerCalls, Http)
#: By decision whatever can show something of it, one of which a scenario must have, and what that is in words.
_SHOWN_BY: dict[str, tuple[tuple[type[Act], ...], str]] = {
    **dict.fromkeys(("AMB-1", "AMB-2", "AMB-3"), (_ASKS, "asks for a read or a power status")),
    **dict.fromkeys(("AMB-4", "AMB-5", "AMB-6", "AMB-7", "AMB-8", "AMB-9"), (_GAPS, "asks for the intervals of a gap")),
    "AMB-10": ((BalanceCall, OnDemandRead, PowerStatus, Load, CustomerCalls, Http), "asks for a retailer"),
    "AMB-11": ((PowerStatus, Load, Http), "asks for a power status"),
    "AMB-12": ((Rebill, CustomerCalls), "holds a bill that was told against another"),
}
#: What the portal shows of a read that has failed, as a load counts it by code.
SHOWN_AT_PORTAL = {f"portal.{shown}" for shown in STATUS_OF.values()}


def policy_of(scenario: Setting) -> Policy:
    """The scenario's throttle: a preset by name, or written out."""
    if isinstance(scenario.policy, str):
        return preset(scenario.policy)
    return parse_policy(scenario.name, scenario.policy, place="policy")


def no_such_refusal(scenario: Scenario) -> Iterator[Mistake]:
    """Refusals that are expected of what is not to be refused, or by a code that nothing in the scenario gives."""
    for at, action in enumerate(scenario.timeline):
        form = action.expect.forms.get("refusal")
        codes = () if form is None or form.absent else form.one_of or (form.equals,)
        loc = ("timeline", at, "expect", "refusal")
        outcome = action.expect.of("outcome")
        for code in codes:
            if outcome not in ("refused", None):
                text = f"{action.ref} is to be {outcome.replace('_', ' ')}: no refusal {code} is looked for."
                mend = "Expect the outcome refused, or leave the code out."
                yield Mistake("scenario.refusal.unasked", loc, text, mend)
            elif code not in (known := _codes(scenario, action)):
                text = f"No rule refuses {action.ref} with {code}."
                mend = did_you_mean(code, sorted(known)) if known else "Take a policy that has such a limit."
                yield Mistake("scenario.refusal.unknown", loc, text, mend)


def no_such_limit(scenario: Scenario) -> Iterator[Mistake]:
    """Requests that are counted of a load by a limit that nothing in the scenario has, or by a code that nothing answers with: there are none of those in any run."""
    limits = policy_of(scenario).limits
    for loc, action, name, form in _counted(scenario):
        known = _codes(scenario, action) | {limit.code for limit in limits}
        text = "No rule refuses anything of {} with {}."
        if name == "by_code":
            known |= known_codes() | {limit.portal_code for limit in limits} | SHOWN_AT_PORTAL
            text = "Nothing answers a request of {} with {}."
        for code in form.equals or {}:
            if code not in known:
                mend = did_you_mean(code, sorted(known)) if known else "Take a policy that has such a limit."
                yield Mistake("scenario.refusal.unknown", (*loc, name, code), text.format(action.ref, code), mend)


def _counted(scenario: Scenario) -> Iterator[tuple[Loc, Load, str, Form[Any]]]:
    """What is expected of a load's requests by limit and by code, there and of the run."""
    loads = {
        one.ref: (("timeline", at, "expect"), one) for at, one in enumerate(scenario.timeline) if isinstance(one, Load)
    }
    said: list[tuple[Loc, Load, Expectation]] = [(loc, one, one.expect) for loc, one in loads.values()]
    for at, wide in enumerate(scenario.expect):
        if wide.of in loads:
            with suppress(ValidationError):
                said.append(
                    (("expect", at, "expect"), loads[wide.of][1], ACTIONS["load"].any_of.model_validate(wide.expect))
                )
    for loc, action, expected in said:
        yield from (
            (loc, action, name, form) for name, form in expected.forms.items() if name in ("by_limit", "by_code")
        )


def not_shown(scenario: Scenario) -> Iterator[Mistake]:
    """What is to be verified though nothing in the scenario can show it: a limit that its policy has not, or that a single request meets; a rule for answers
    that no answer is bent to break; a complaint that is not declared; a code that nobody is told at the portal; a decision of which nothing is asked."""
    asking = [action for action in scenario.timeline if isinstance(action, ASKING)]
    timeline = [(at, one) for at, one in enumerate(scenario.timeline) if not isinstance(one, CERTIFYING)]
    cited: list[tuple[Loc, Act | None, str, tuple[str, ...]]]
    cited = [(("timeline", at), action, action.ref, action.verifies) for at, action in timeline]
    cited += [(("expect", at), None, one.ref, one.verifies) for at, one in enumerate(scenario.expect)]
    for loc, action, ref, verifies in cited:
        for place, ident in enumerate(verifies):
            if wrong := _unshown(scenario, action, ident, len(asking)):
                text, mend = wrong
                text = f"{text}, so {ref} cannot verify {ident}."
                yield Mistake("scenario.verifies.absent", (*loc, "verifies", place), text, mend)


def _unshown(scenario: Scenario, action: Act | None, ident: str, asking: int) -> tuple[str, str] | None:
    """Why nothing can show an id, and the mend."""
    if ident in _limits():
        return _no_limit(scenario, action, ident, asking)
    if ident in PORTAL_CODES:
        return _not_at_portal(scenario, action, ident)
    if ident in _SHOWN_BY:
        by, what = _SHOWN_BY[ident]
        if not _has(scenario, *by):
            return f"Nothing in this scenario {what}", "Leave it out, or have something that does."
        if ident == "AMB-3" and asking < 2 and not _has(scenario, Load, CustomerCalls, Http):
            return "One request shares no allowance", "Ask again as somebody else, or leave it out."
    bent = {one.rule for one in scenario.timeline if isinstance(one, AnswerFault)}
    if ident in faults() and ident not in bent:
        return f"No answer of this scenario comes near {ident}", f"Bend one: do: answer_fault, rule: {ident}."
    declared = [one.declare for one in scenario.timeline if isinstance(one, Complaint) and one.declare]
    if ident in set(ComplaintKind) and ident not in {one.kind for one in (*scenario.complaints, *declared)}:
        return f"No complaint {ident} is declared", "Declare it, or leave it out."
    return None


def _has(scenario: Scenario, *kinds: type[Act]) -> bool:
    return any(isinstance(one, kinds) for one in scenario.timeline)


def _no_limit(scenario: Scenario, action: Act | None, ident: str, asking: int) -> tuple[str, str] | None:
    kinds = {limit.kind for limit in policy_of(scenario).limits if limit.code == ident}
    if not kinds:
        return f"The policy of this scenario has no limit {ident}", "Leave it out, or take a policy that has it."
    if kinds == {Kind.STATUS} and isinstance(action, ASKING) and not isinstance(action, PowerStatus | Load):
        return f"{ident} limits power statuses", "Let a power_status verify it."
    if asking < 2 and not _has(scenario, Load):
        return "One request meets no limit", "Ask again within it, or leave it out."
    return None


def _not_at_portal(scenario: Scenario, action: Act | None, ident: str) -> tuple[str, str] | None:
    if isinstance(action, ASKING) and not isinstance(action, PortalRead | Load):
        return f"{ident} is told at the portal", "Let a portal_read verify it."
    told = {code for one in scenario.timeline if isinstance(one, PortalRead) for code in _codes(scenario, one)}
    if _has(scenario, Load, Http):
        told |= {limit.portal_code for limit in policy_of(scenario).limits if Door.PORTAL in limit.doors}
    if ident not in told:
        return f"Nothing in this scenario is told {ident}", "Let a portal_read ask under a policy that has it."
    return None


@cache
def _limits() -> set[str]:
    """Codes of the limits of every preset."""
    return {limit.code for name in preset_names() for limit in preset(name).limits}


def _codes(scenario: Scenario, action: Act) -> set[str]:
    """What an action can be refused with: by the policy's limits, by a complaint, and at the portal by an error of SMT's."""
    policy, portal = policy_of(scenario), isinstance(action, PortalRead)
    kind = Kind.STATUS if isinstance(action, PowerStatus) else Kind.READ
    declared = [one.declare for one in scenario.timeline if isinstance(one, Complaint) and one.declare]
    given = [REFUSED_WITH[one.kind] for one in (*scenario.complaints, *declared) if one.kind in REFUSED_WITH]
    if policy.source is Source.STORE_ONLY:
        given.append((STORE_ONLY.code, STORE_ONLY.portal_code))
    else:
        door = Door.PORTAL if portal else Door.API
        its = [limit for limit in policy.limits if limit.kind in (None, kind) and door in limit.doors]
        given += [(limit.code, limit.portal_code) for limit in its if limit.told or portal]
    return {portal_code for _, portal_code in given} | set(BUSINESS) if portal else {code for code, _ in given}
