"""The check of AC2: what SMT tells a retailer by the market API and the customer at the portal is the same."""

from __future__ import annotations

from scenarios.check_parts import verdict
from scenarios.facts import Facts
from scenarios.findings import CheckVerdict, Rule
from scenarios.timeline import SameAnswers
from simulator.customer.same_answers import QUESTIONS


def same_answers_check(facts: Facts, action: SameAnswers) -> CheckVerdict:
    """Every question has an answer at both doors, and it is one answer."""
    rule = Rule()
    told = facts.action(action.ref)
    market, portal = told.get("market") or {}, told.get("portal") or {}
    trouble = told.get("trouble") or {}
    rule.equal("trouble in asking", None, trouble.get("reason"))
    for question in QUESTIONS:
        rule.holds(f"{question} by the market API", bool(market.get(question)), "an answer", "nothing")
        rule.holds(
            f"{question} at the portal",
            portal.get(question) == market.get(question),
            "what the market API tells",
            "something else" if portal.get(question) else "nothing",
        )
    usage, meter = market.get("usage") or [], market.get("meter") or [{}]
    evidence = {
        "usage_days": sorted({row.get("DT") for row in usage}),
        "channels": sorted({row.get("RT") for row in usage}),
        "meter_serial_number": meter[0].get("meterSerialNumber"),
        "meter_attributes": len(meter[0]),
        "premise": (market.get("premise") or {}).get("address"),
        "han_devices": len(market.get("devices") or []),
    }
    happened = (
        f"Market API and portal API tell the same: {len(evidence['usage_days'])} operating days of usage, "
        f"{evidence['meter_attributes']} meter attributes, the premise, {evidence['han_devices']} HAN device"
        f"{'' if evidence['han_devices'] == 1 else 's'}."
    )
    if rule.failures:
        happened = f"Market API and portal API do not tell the same. {trouble.get('reason', '')}"
    title = f"The same answers {action.at:%m-%d %H:%M}"
    return verdict(action.ref, title, happened, evidence, rule, action.verifies)
