"""The check of PRE1 from the retailer's side: what was posted lies in its own folder, split, and is what the market API tells."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from meters.calendar import day_of, intervals_in
from scenarios.judging.check_parts import verdict
from scenarios.judging.facts import Facts
from scenarios.judging.findings import CheckVerdict, Rule
from simulator.ror.usage import Quality
from simulator.smt.registry.records import UsageFormat


def ror_files_check(facts: Facts) -> list[CheckVerdict]:
    """One file for each operating day on which the retailer is of record, its own ESI IDs alone, the same energy as by the market API.

    None where the retailer gets no LSE files, where it is not of record, or in a recording from before it had any.
    """
    world, market = facts.recording.world, facts.scenario.world.market
    files, ror = world.ror_files, world.ror.duns
    due = facts.days_due()
    if files is None or not due or world.service_point.ror_of_record != ror:
        return []
    if market.registry is not None or market.usage_files.get(ror, UsageFormat.LSE) is not UsageFormat.LSE:
        return []
    left = min(
        (switch.effective for switch in market.switches if switch.meter == facts.scenario.account.meter),
        default=date.max,
    )
    rule = Rule()
    by_file: defaultdict[date, list[int]] = defaultdict(list)
    for file in files:
        for held in file.days:
            by_file[held.day].append(held.wh)
        rule.equal(f"faults in {file.file}", 0, file.faults)
        rule.equal(f"ESI IDs in {file.file} that are not the retailer's", [], file.foreign)
    by_api = _by_api(facts)
    for day in due:
        mine = by_file.get(day, [])
        rule.equal(f"files with {day}", 1 if day < left else 0, len(mine))
        if mine and day in by_api:
            rule.equal(f"Wh of {day}", by_api[day], mine[-1])
    compared = [day for day in due if day in by_api and day in by_file]
    evidence = {
        "files": len(files),
        "records": sum(file.records for file in files),
        "last_file": files[-1].file if files else None,
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
    for usage in (facts.at_call, facts.after_posting):
        days: defaultdict[date, list[int]] = defaultdict(list)
        for interval in usage:
            if interval.quality is not Quality.NON_VEE:
                days[day_of(interval.end - 1)].append(interval.wh)
        found |= {day: sum(each) for day, each in days.items() if len(each) == intervals_in(day)}
    return found
