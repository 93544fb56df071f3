"""The check of PRE1 from the retailer's side: what was posted lies in its own folder, split, and is what the market API tells."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from meters.calendar import day_of, intervals_in
from scenarios.check_parts import verdict
from scenarios.facts import NON_VEE, Facts
from scenarios.findings import CheckVerdict, Rule
from simulator.smt.registry.records import UsageFormat


def ror_files_check(facts: Facts) -> list[CheckVerdict]:
    """One file for each operating day on which the retailer is of record, its own ESI IDs alone, the same energy as by the market API.

    None where the retailer gets no LSE files, where it is not of record, or in a recording from before it had any.
    """
    world, market = facts.recording.world, facts.scenario.world.market
    files, ror = world.get("ror_files"), world["ror"]["duns"]
    due = facts.days_due()
    if files is None or not due or world["service_point"]["ror_of_record"] != ror:
        return []
    if market.registry is not None or market.usage_files.get(ror, UsageFormat.LSE) is not UsageFormat.LSE:
        return []
    left = min(
        (one.effective for one in market.switches if one.meter == facts.scenario.account.meter), default=date.max
    )
    rule = Rule()
    told: defaultdict[date, list[int]] = defaultdict(list)
    for one in files:
        for held in one["days"]:
            told[date.fromisoformat(held["day"])].append(held["wh"])
        rule.equal(f"faults in {one['file']}", 0, one["faults"])
        rule.equal(f"ESI IDs in {one['file']} that are not the retailer's", [], one["foreign"])
    by_api = _by_api(facts)
    for day in due:
        mine = told.get(day, [])
        rule.equal(f"files with {day}", 1 if day < left else 0, len(mine))
        if mine and day in by_api:
            rule.equal(f"Wh of {day}", by_api[day], mine[-1])
    compared = [day for day in due if day in by_api and day in told]
    evidence = {
        "files": len(files),
        "records": sum(one["records"] for one in files),
        "last_file": files[-1]["file"] if files else None,
        "days_compared_with_the_market_api": len(compared),
    }
    happened = (
        f"{len(files)} LSE file{'' if len(files) == 1 else 's'} lie in the retailer's own folder, of its own ESI IDs alone; "
        f"{len(compared)} days of the customer's are what the market API tells."
    )
    if rule.failures:
        happened = f"{len(files)} LSE files lie in the retailer's own folder; they are not what was posted for it."
    return [verdict("ror-files", "The retailer's own files", happened, evidence, rule, ("PRE1",))]


def _by_api(facts: Facts) -> dict[date, int]:
    """Wh of the whole operating days of VEE data that the retailer fetched; the later fetch counts."""
    found: dict[date, int] = {}
    for when in ("at_call", "after_posting"):
        days: defaultdict[date, list[int]] = defaultdict(list)
        for end, wh, quality, _ in facts.usage(when):
            if quality != NON_VEE:
                days[day_of(end - 1)].append(wh)
        found |= {day: sum(each) for day, each in days.items() if len(each) == intervals_in(day)}
    return found
