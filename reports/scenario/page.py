"""The report of a scenario's run: verdict first, then the seven steps with their evidence, the usage, the bills, the rule, what it rests on.

Reads a ``Recording``, the exchanges and the facts of the run that lie beside it, and nothing else; the same folder gives the same page, byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from meters.calendar import Micros, to_s
from reports.scenario.charts import charts
from reports.scenario.sequence import NARROW, WIDE, scenes, sequence, spoken
from reports.scenario.timeline import timeline
from reports.scenario.wording import bill_rows, evidence_text, instant_name, kwh_text, rests_rows, tally
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.judging.facts import Facts
from scenarios.judging.result import label, result_of
from scenarios.judging.verdict import judge
from scenarios.recording import Recording, digest_of
from scenarios.records.actions import RecordedBill, RecordedCall, RecordedRequest
from scenarios.rules.registry import REGISTRY
from scenarios.rules.requirements import REQUIREMENTS, registry_text
from scenarios.run import JudgedRun
from scenarios.stamps import plain, stamp
from simulator.ror import pattern
from simulator.ror.account import WORTH_ASKING
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.expected import likely
from simulator.runtime.folder import write_whole
from simulator.verdicts import Mark
from simulator.web.frame import framed, templates


def _defaults() -> tuple[str, ...]:
    """Decisions and figures of this project where no document tells [D], as a reader of the page needs them."""
    return (
        "A day is the Central calendar day of submission (AMB-1); a read is successful when every complete interval of the gap was delivered or reported missing by the meter (AMB-2).",
        "The allowance is the ESI ID's, whoever asks (AMB-3); what the store alone answers spends nothing (AMB-9).",
        "The gap ends at the last whole quarter hour before the inquiry; what the meter shows beyond is given apart and not billed (AMB-6).",
        "A customer is satisfied when answered before hang-up and when the bill told lies within the tolerance of the re-bill (AMB-12). That they do not call again within 24 hours cannot be observed here: who calls is written in the scenario.",
        f"A usual day is the mean of the last {pattern.RECENT_DAYS} whole VEE days by hour. Where a cycle goes is told by what came after like days of {likely.DRAWS} other homes; eight of ten lie in the range.",
        f"What is not known of the bill to date is billed as the middle of those ways has it. The meter is asked where that loses more than ${WORTH_ASKING} in the mean, edges of the plan included, unless the account says otherwise.",
        "The caller's patience is fixed by the scenario; the middle tier's time is fixed by it or drawn from its law.",
        "The read of intervals (readType INTERVALS) is an extension of SMT's /odr/ of our own, and so is the file of result codes.",
        "TDU charges are read second-hand [S]; plan, names, ESI IDs and meter numbers are invented.",
    )


def render(recording: Recording, out: Path) -> Path:
    """Judge a recording, by the exchanges that lie in a folder, and write its ``report.html`` there; gives its path."""
    traffic = traffic_of(recording, out)
    return _written(
        recording, result_of(recording, judge(recording), traffic), traffic, out, digest_of(recording.dumps())
    )


def render_run(run: JudgedRun) -> Path:
    """Write the ``report.html`` of a run that has been judged."""
    return _written(run.recording, run.result, run.traffic, run.out, run.digest)


def _written(recording: Recording, result: dict[str, Any], traffic: Traffic | None, out: Path, digest: str) -> Path:
    facts = Facts(recording)
    pages = templates(Path(__file__).parent)
    pages.filters |= {"plain": plain, "stamp": stamp, "kwh": kwh_text, "instant": _instant, "spoken": spoken}
    content = _content(facts, result) | _wires(facts, traffic) | {"charts": charts(facts)}
    content["filed"] = _filed(recording, traffic, out, digest)
    account, asked = result["account"], facts.about or facts.scenario.timeline[-1]
    about = f"ESI ID {account['esiid']}, {recording.world.tdsp}, plan {account['plan']}, cycle {account['cycle_first']} to {account['cycle_last']}"
    dated = f"operating day {asked.at:%Y-%m-%d}"
    path = out / "report.html"
    write_whole(path, framed(facts.scenario.title, about, dated, pages.get_template("page.html.j2").render(content)))
    return path


def _content(facts: Facts, result: dict[str, Any]) -> dict[str, Any]:
    scenario, world = facts.scenario, facts.recording.world
    posted = "posted when it has it" if scenario.post_at is None else f"posted at {scenario.post_at:%H:%M}"
    return {
        "result": result,
        "scenario": scenario,
        "headline": _headline(result),
        "steps": [_judged(step) for step in result["steps"]],
        "checks": [_judged(check) for check in result["checks"]],
        "bills": bill_rows(result),
        "bill_lines": _bill_lines(facts),
        "rests_on": rests_rows(result),
        "at_once": facts.call.instant.sentences
        if facts.call and facts.call.told_at > facts.call.instant.told_at
        else [],
        "edges": facts.call.edges if facts.call else [],
        "refusals": _refusals(facts),
        "requirements": [_requirement(ident, state, result) for ident, state in result["requirements"].items()],
        "faults": world.faults,
        "defaults": _defaults(),
        "fixed": [
            ("Scenario", f"{scenario.name}, seed {scenario.seed}"),
            (
                "World",
                f"{world.tdsp}, {world.meters} meters behind {scenario.world.gateways} gateways, from {scenario.world.first_day} on",
            ),
            (
                "Policy",
                f"{result['policy']['title']} ({result['policy']['name']}, {result['policy']['source'].replace('_', ' ')})",
            ),
            (
                "Collection",
                f"a sweep every {scenario.sweep_every_h} h, VEE by the preset {scenario.vee_preset or world.tdsp.lower()} at {scenario.vee_at:%H:%M}, {posted}",
            ),
            ("Middle tier", _middle(scenario.middle)),
            ("Clock", "manual: no model time passes while anything real is in flight"),
        ],
    }


def _wires(facts: Facts, traffic: Traffic | None) -> dict[str, Any]:
    """What the page tells of the exchanges."""
    told = scenes(traffic) if traffic else []
    beside = traffic.beside if traffic else Counter()
    wires, days = (sorted({key[part] for key in beside}) for part in (1, 0))
    return {
        "traffic": traffic,
        "timeline": timeline(facts),
        "sequences": {width: sequence(told, width) for width in (WIDE, NARROW)},
        "scenes": told,
        "beside_total": beside.total(),
        "beside_wires": wires,
        "beside": [(day, [beside[day, wire] for wire in wires]) for day in days],
    }


def _filed(recording: Recording, traffic: Traffic | None, folder: Path, digest: str) -> list[tuple[str, str, str]]:
    """What was judged by what: when it was run and by which versions, where its ``run.json`` tells that, and the digests (SHA-256)."""
    rows = []
    if (folder / "run.json").is_file():
        ran = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        rows.append(("Run", f"{ran['began']}, on {', '.join(' '.join(one) for one in ran['versions'].items())}", ""))
    scenario = recording.scenario
    rows += [
        ("Scenario", f"{scenario.name}, seed {scenario.seed}", digest_of(scenario.model_dump_json())),
        ("Registry", f"{len(REQUIREMENTS)} requirements", digest_of(registry_text())),
        ("Recording", f"format {recording.format}", digest),
    ]
    if traffic:
        rows.append(("Exchanges", f"{traffic.chain.exchanges:,}, the last line", traffic.chain.head))
    return rows


def _instant(at_us: Micros) -> str:
    return stamp(to_s(at_us), seconds=True)


def _middle(middle: Any) -> str:
    return (
        "drawn from its law"
        if middle is None
        else f"{middle.pickup_s:g} s to the pick-up, {middle.return_s:g} s back, fixed"
    )


def _headline(result: dict[str, Any]) -> str:
    failed = [label(judged) for judged in (*result["steps"], *result["checks"]) if judged["mark"] == Mark.FAILED]
    if failed:
        return f"Failed: {', '.join(failed)}."
    return f"{result['mark'].capitalize()}: {tally(result)}."


def _judged(judged: dict[str, Any]) -> dict[str, Any]:
    return {**judged, "facts": evidence_text(judged["evidence"]), "spans": _spans(judged.get("exchanges", []))}


def _spans(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as the first and the last of each run."""
    runs = [[key for _, key in run] for _, run in groupby(enumerate(numbers), key=lambda one: one[1] - one[0])]
    return [(run[0], run[-1]) for run in runs]


def _bill_lines(facts: Facts) -> list[tuple[str, RecordedBill]]:
    """The bills line by line: as told at once, with the gap, projected, re-billed."""
    call, stand = facts.call, facts.call and facts.call.ahead
    instant = call and call.instant.stand
    kinds = [part.kind for part in instant.rests_on] if instant else []
    found = [
        (instant_name(call.told_on if call else "", kinds), instant and instant.bill),
        ("With the gap, as told", call and call.with_gap and call.with_gap.bill),
        ("Projected, whole cycle", stand and stand.projected_bill),
        ("Re-billed on VEE data", facts.rebilled and facts.rebilled.vee_bill),
    ]
    return [(name, bill) for name, bill in found if bill is not None]


def _refusals(facts: Facts) -> list[dict[str, Any]]:
    """Every refusal of the run: which request, by which rule, why, when to come back, what the store holds."""
    found = []
    for action in facts.scenario.timeline:
        call, request = facts.action(RecordedCall, action.ref), facts.action(RecordedRequest, action.ref)
        request = call.request if call else request
        if request and request.end is RequestEnd.REFUSED and request.trouble:
            what = action.do.replace("_", " ")
            found.append({"ref": action.ref, "what": what, "trouble": request.trouble, "served": request.served})
    return found


def _requirement(ident: str, state: str, result: dict[str, Any]) -> dict[str, Any]:
    shown = [label(judged) for judged in (*result["steps"], *result["checks"]) if ident in judged["requirements"]]
    known = REGISTRY[ident]
    return {
        **{"id": ident, "text": known.text, "source": known.source, "state": state, "shown": shown},
        "untested": known.untested,
    }
