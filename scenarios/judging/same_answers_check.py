"""The check of AC2: what SMT tells a retailer by the market API and the customer at the portal is the same."""

from __future__ import annotations

from scenarios.judging.check_parts import verdict, why
from scenarios.judging.facts import Facts
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.recording.actions import DoorAnswers, RecordedAnswers
from scenarios.timeline import SameAnswers
from simulator.customer.same_answers import QUESTIONS


def same_answers_check(facts: Facts, action: SameAnswers) -> CheckVerdict:
    """Every question has an answer at both doors, and it is one answer."""
    rule = Rule()
    answers = facts.action(RecordedAnswers, action.ref)
    market, portal = (DoorAnswers(), DoorAnswers()) if answers is None else (answers.market, answers.portal)
    trouble = answers and answers.trouble
    rule.equal("trouble in asking", None, trouble and trouble.reason)
    for question in QUESTIONS:
        by_api, at_portal = getattr(market, question), getattr(portal, question)
        rule.holds(f"{question} by the market API", bool(by_api), "an answer", "nothing")
        rule.holds(
            f"{question} at the portal",
            at_portal == by_api,
            "what the market API tells",
            "something else" if at_portal else "nothing",
        )
    meter = market.meter[0] if market.meter else {}
    days, devices = sorted({row.DT for row in market.usage}), len(market.devices)
    evidence = {
        "usage_days": days,
        "channels": sorted({row.RT for row in market.usage}),
        "meter_serial_number": meter.get("meterSerialNumber"),
        "meter_attributes": len(meter),
        "premise": market.premise.get("address"),
        "han_devices": devices,
    }
    happened = (
        f"Market API and portal API tell the same: {len(days)} operating days of usage, {len(meter)} meter attributes, "
        f"the premise, {devices} HAN device{'' if devices == 1 else 's'}."
    )
    if rule.failures:
        happened = f"Market API and portal API do not tell the same. {why(trouble)}"
    title = f"The same answers {action.at:%m-%d %H:%M}"
    return verdict(action.ref, title, happened, evidence, rule, action.verifies)
