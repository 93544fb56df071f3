"""The checks beside the steps: what each action of the timeline was expected to come to, and what must hold of a run as a whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from meters.calendar import day_of, intervals_in
from scenarios.actions.world.complaint import strikes, struck_text
from scenarios.actions.world.load import RecordedLoad
from scenarios.actions.world.tdsp_file import loaded
from scenarios.evidence import Evidence
from scenarios.file.refusals import RULES, policy_of
from scenarios.judging.expectations import action_check, run_check
from scenarios.judging.findings import SHOWN, CheckVerdict, Rule, check
from scenarios.recording import Recording
from scenarios.records.actions import RecordedCall, RecordedRequest
from scenarios.records.journal import BentNote, VeeNote
from scenarios.records.ledger import Entry
from simulator.ror.usage import Quality
from simulator.smt.ondemand.invariants import Asking, Author, Breach, breaches, from_steps
from simulator.smt.ondemand.lifecycle import State, kind_counted
from simulator.smt.registry.records import UsageFormat
from simulator.smt.throttle.limits import Door, Kind, Limit, Requested, Scope, concerns


def judge_checks(recording: Recording) -> tuple[CheckVerdict, ...]:
    """One check per action, in the order of the timeline, then the general ones, some of them for each account."""
    timeline, run = recording.scenario.timeline, Evidence(recording)
    cast = [Evidence(recording, account) for account in recording.scenario.cast]
    return (
        *(action_check(Evidence(recording, action.account), action) for action in timeline),
        *(run_check(run, one) for one in recording.scenario.expect),
        *_posting(run),
        *_of_each(cast, _ror_files),
        *_one_request_per_call(run),
        *_throttle(run, cast),
        *_complaints(run),
    )


def _of_each(cast: list[Evidence], checks: Callable[[Evidence], list[CheckVerdict]]) -> Iterator[CheckVerdict]:
    """Checks of each account; of several they carry the account's id."""
    for its in cast:
        for one in checks(its):
            yield one if len(cast) == 1 else replace(one, id=f"{one.id} {its.account.account_id}")


def _posting(facts: Evidence) -> list[CheckVerdict]:
    """Every operating day that was due has one file on SMT's site, but for corrections, and SMT answered every record of it with 00."""
    rule = Rule()
    due, posted = facts.days_due(), facts.posted()
    if not due:
        return []
    in_doubt = {note.ident for note in facts.notes(VeeNote) if note.estimated or note.findings}
    records = 0
    for day in due:
        files = posted.get(day, [])
        # What came late for a day that was not whole goes out once with each later day's files.
        turns = {day_of(file.posted_at) for file in files} if f"{day}" in in_doubt else ()
        rule.equal(f"LSE files of {day}", max(1, len(turns)), len(files))
        for file in files:
            rule.holds(
                f"records of {file.file}",
                file.accepted,
                "all answered 00, by SMT and in the TDSP's folder",
                f"SMT {file.intake or 'nothing'}, TDSP {file.codes or 'nothing'}",
            )
            rule.equal(f"{file.file} taken in at SMT", True, file.taken_in_at is not None)
            records += file.codes.get("00", 0)
    last = facts.last_lse(facts.at(facts.scenario.timeline[-1]))
    evidence = {
        "operating_days": len(due),
        "first": due[0].isoformat(),
        "last": due[-1].isoformat(),
        "records_00": records,
        "last_lse_file": None if last is None else last.file,
    }
    count = f"{len(due)} operating day{'s' if len(due) > 1 else ''}"
    happened = f"{count} posted as LSE over FTPS, {records} records answered, every one with 00."
    if rule.failures:
        happened = f"{count} due; not all posted and answered with 00."
    return [check("lse-daily", "VEE usage posted every day", happened, evidence, rule, *SHOWN["posted"])]


def _ror_files(facts: Evidence) -> list[CheckVerdict]:
    """One file for each operating day, and for each that the TDSP posted besides, on which the retailer is of record, its own ESI IDs alone, the same energy as by the market API.

    None where the retailer gets no LSE files, where it is not of record, or in a recording from before it had any.
    """
    premise, market = facts.premise, facts.scenario.world.market
    files, ror = premise.ror_files, premise.ror.duns
    due = [day for day in facts.days_due() if not facts.withheld(day)]
    if files is None or not due or premise.service_point.ror_of_record != ror:
        return []
    if market.registry is not None or market.usage_files.get(ror, UsageFormat.LSE) is not UsageFormat.LSE:
        return []
    switches = sorted(
        ((one.effective, one.to == ror) for one in market.switches if one.meter == facts.account.meter),
    )
    rule = Rule()
    by_file: defaultdict[date, list[int]] = defaultdict(list)
    for file in files:
        for held in file.days:
            by_file[held.day].append(held.wh)
        rule.equal(f"faults in {file.file}", 0, file.faults)
        rule.equal(f"ESI IDs in {file.file} that are not the retailer's", [], file.foreign)
    by_api, posted = _by_api(facts), facts.posted()
    for day in due:
        mine = by_file.get(day, [])
        # Before the first switch it is whoever the switch is not to.
        came = [to_us for effective, to_us in switches if effective <= day]
        of_record = came[-1] if came else not (switches and switches[0][1])
        least = int(of_record) and 1 + loaded(facts, day)
        # Of a correction that is of others alone it has none.
        most = least and least + max(0, len(posted.get(day, ())) - 1)
        rule.holds(f"files with {day}", least <= len(mine) <= most, least, len(mine))
    compared = [day for day in due if day in by_api and day in by_file]
    other = [f"{day}: {by_file[day][-1]} Wh, not {by_api[day]}" for day in compared if by_file[day][-1] != by_api[day]]
    rule.none("days with other Wh than the market API told", other, len(compared))
    evidence = {
        "files": len(files),
        "records": sum(file.records for file in files),
        "last_file": files[-1].file if files else None,
        "days_compared_with_the_market_api": len(compared),
    }
    told = (
        f"{len(compared)} days of the customer's are what the market API tells."
        if compared
        else "the market API told no day of them."
    )
    happened = f"{len(files)} LSE file{' lies' if len(files) == 1 else 's lie'} in the retailer's own folder, of its own ESI IDs alone; {told}"
    if rule.failures:
        happened = f"{len(files)} LSE files lie in the retailer's own folder; they are not what was posted for it."
    return [check("ror-files", "The retailer's own files", happened, evidence, rule, "PRE1")]


def _by_api(facts: Evidence) -> dict[date, int]:
    """Wh of the whole operating days of VEE data that the retailer fetched; the later fetch counts."""
    found: dict[date, int] = {}
    its = [action.ref for action in facts.scenario.timeline if facts.scenario.account_of(action) == facts.account]
    at_calls, after = ([usage(ref) for ref in its] for usage in (facts.usage_at, facts.usage_after))
    for usage in (*at_calls, *after):
        days: defaultdict[date, list[int]] = defaultdict(list)
        for interval in usage:
            if interval.quality is not Quality.NON_VEE:
                days[day_of(interval.end - 1)].append(interval.wh)
        found |= {day: sum(each) for day, each in days.items() if len(each) == intervals_in(day)}
    return found


def _one_request_per_call(facts: Evidence) -> list[CheckVerdict]:
    """AMB-10: the audit shows request <-> call."""
    # A customer at the portal makes no call to the retailer.
    entries = [request for request in facts.recording.ledger if request.door is not Door.PORTAL]
    if not entries:
        return []
    rule = Rule()
    refs = {action.ref for action in facts.scenario.timeline}
    loads = {one for ref in refs if (load := facts.action(RecordedLoad, ref)) for one in load.references}
    of_loads = sum(entry.call_reference in loads for entry in entries)
    refs |= loads
    rule.equal("requests of no call", [], [entry.key for entry in entries if entry.call_reference not in refs])
    per_call = Counter(entry.call_reference for entry in entries)
    rule.equal("calls with more than one request", [], [ref for ref, count in per_call.items() if count > 1])
    rule.equal("ids given twice", len(entries), len({entry.key for entry in entries}))
    evidence = {"requests": len(entries), "calls": len(per_call)} | ({"of_loads": of_loads} if loads else {})
    happened = f"SMT's audit shows {len(entries)} on-demand requests, each of one call."
    if rule.failures:
        happened = f"SMT's audit shows {len(entries)} on-demand requests of {len(per_call)} calls."
    return [check("one-per-call", "Requests belong to calls", happened, evidence, rule, *SHOWN["asked"])]


def _throttle(run: Evidence, cast: list[Evidence]) -> Iterator[CheckVerdict]:
    """Every limit of the policy held against the whole ledger, without the throttle's code: nothing was let in, or read, that it had no room for, and nothing refused that it had.

    FR CR016.1's are told of each account, any other one of the run, where it counted anything.
    """
    entries = [*run.recording.ledger, *run.recording.others]
    asked = from_steps(
        (one.key, Requested(kind_counted(one.kind), one.door, {Scope.ESIID: one.esiid} | one.scopes), one.transitions)
        for one in entries
    )
    # Of a recording that does not say what else requests were counted under, limits per ESI ID alone can be held.
    known = set(Scope).intersection(*(one.requested.scopes for one in asked))
    policy = policy_of(run.recording.scenario)
    policy = replace(policy, limits=tuple(limit for limit in policy.limits if limit.scope in known))
    by_key = {one.key: one for one in entries}
    for one in asked:
        one.cited = tuple(_cited(run, by_key[one.key], [it for it in policy.limits if concerns(it, one.requested)]))
    # What an action had the head-end say is that action's, and its check tells whether SMT found it.
    bent = {note.ident for note in run.notes(BentNote)}
    over = [
        one for one in breaches(policy, asked) if one.limit and not (one.author is Author.HEAD_END and one.key in bent)
    ]
    for limit in policy.limits:
        counted = [one for one in asked if concerns(limit, one.requested)]
        whose = cast if limit.code in RULES else [None]
        for its in whose:
            mine = [one for one in counted if its is None or one.requested.scopes[Scope.ESIID] == its.esiid]
            if not mine:
                continue
            keys = {one.key for one in mine}
            found = [one for one in over if one.limit == limit.name and one.key in keys]
            yield _limit(limit, mine, found, bent, its.account.account_id if its and len(cast) > 1 else "")


def _cited(run: Evidence, entry: Entry, limits: Sequence[Limit]) -> Iterator[str]:
    """Which limits refused a request, by what SMT said of it, or told the action that asked where it took the request on without an allowance."""
    said = entry.last.reason if entry.last.state is State.REFUSED else ""
    ref = entry.call_reference or ""
    call, request = run.action(RecordedCall, ref), run.action(RecordedRequest, ref)
    request = call.request if call else request
    told = request.trouble.code if request and request.trouble else None
    for limit in limits:
        if said.startswith(limit.rule) or limit.code == told:
            yield limit.name


def _limit(limit: Limit, asked: Sequence[Asking], over: Sequence[Breach], bent: set[str], account: str) -> CheckVerdict:
    """A limit and what it counted, and what was over it."""
    rule = Rule()
    turned_away = {one.key for one in asked if limit.name in one.cited and not one.admitted}
    refused = [one for one in over if one.author is Author.SMT and one.key in turned_away]
    over = [one for one in over if one not in refused]
    if turned_away:
        what = f"requests that the limit {limit.name} refused though it had room"
        rule.equal(what, [], [f"{day_of(one.at)}: {one.key}" for one in refused])
    found = [f"{day_of(one.at)}: {one.key} was {one.what} ({one.author.value})" for one in over]
    days = [day_of(one.at) for one in asked if one.success or (one.unallowed and one.key not in bent)]
    evidence = {"requests": len(asked), "successes_with_reads": len(days), "days": len(set(days))}
    happened = f"{len(asked)} requests, {len(days)} successful at the meter"
    if limit.code not in RULES:
        rule.none(f"requests beyond the limit {limit.name}", found, sum(one.admitted for one in asked) + len(found))
        title = f"The limit {limit.name}"
        told = f"{len(over)} beyond it" if over else "none beyond it"
        return check(f"limit-{limit.name}", title, f"{happened}: {told}.", evidence, rule, limit.code)
    what = "power status" if limit.kind is Kind.STATUS else "meter read"
    rule.none(f"days with more than one successful {what} request", found, len(days))
    told = "more than one on a day" if over else "at most one per day" if days else "no day to count"
    ident = f"rule-{limit.code[-2:]}{f' {account}' if account else ''}"
    return check(ident, f"One successful {what} a day", f"{happened}: {told}.", evidence, rule, limit.code)


def _complaints(facts: Evidence) -> list[CheckVerdict]:
    """One check for each complaint that was on from the beginning."""
    return [
        _struck(facts, f"complaint-{number}", complaint.kind.value)
        for number, complaint in enumerate(facts.scenario.complaints, 1)
    ]


def _struck(facts: Evidence, ident: str, kind: str) -> CheckVerdict:
    """A complaint: one that never struck shows nothing."""
    rule, evidence = Rule(), strikes(facts, ident)
    rule.holds("it struck", evidence["strikes"] > 0, "at least once", evidence["strikes"])
    return check(ident, f"Complaint {kind}", struck_text(kind, evidence["strikes"]), evidence, rule)
