"""Puts the recording of a run together, of what its parties hold and what the player saw."""

from __future__ import annotations

from datetime import date
from typing import Any

from headend.lse.writer import read
from headend.vee.quality import Channel
from meters.calendar import days, iso, to_s
from meters.faults.ledger import LedgerEntry
from scenarios.recording.ledger import Entry, Transition
from scenarios.recording.recording import FORMAT, Recording, parse
from scenarios.running.player import Player
from scenarios.schema import Scenario
from simulator.parties.sandbox import Sandbox
from simulator.ror.billing.plan import RatePlan
from simulator.smt.registry.registry import Registry
from simulator.world.market import ROR_LOGIN

_FILED = ("key", "kind", "door", "call_reference", "username", "duns", "requester_class")


def record(
    scenario: Scenario, plan: RatePlan, sandbox: Sandbox, faults: list[LedgerEntry], player: Player
) -> Recording:
    """Put together what a run has left behind by now. faults: the ledger of the world's faults."""
    world, policy = sandbox.settings.world, sandbox.settings.policy
    esiid = world.esiid(scenario.account.meter)
    first, last = scenario.timeline[0].at.date(), scenario.timeline[-1].at.date()
    return parse(
        {
            "format": FORMAT,
            "scenario": scenario.model_dump(mode="json"),
            "world": {
                "tdsp": world.tdsp.key,
                "esiid": esiid,
                "meters": len(world.meters),
                "faults": [fault.to_json() for fault in faults],
                "plan": plan.name,
                "plan_terms": plan.model_dump(mode="json"),
                "ror": {"username": ROR_LOGIN.username, "duns": ROR_LOGIN.duns},
                "ror_files": _ror_files(sandbox, esiid),
                "service_point": _service_point(sandbox.market.registry, esiid, first),
            },
            "policy": {"name": policy.name, "title": policy.title, "source": policy.source.value},
            "actions": player.actions,
            "ledger": _ledger(sandbox, esiid, first, last),
            "journal": sandbox.journal.entries(),
            "usage": player.usage,
        }
    )


def _service_point(registry: Registry, esiid: str, day: date) -> dict[str, Any]:
    """What SMT's registry says of the ESI ID on a day: A1 to A4 and who serves it."""
    point = registry.point(esiid, day)
    duns = registry.ror_of_record(esiid, day)
    return {
        "ams": point.ams,
        "provisioned": point.provisioned,
        "receiving": point.receiving,
        "lse": point.lse,
        "energized": point.energized,
        "ror_of_record": duns,
        "ror_name": None if duns is None else registry.entities[duns].name,
    }


def _ror_files(sandbox: Sandbox, esiid: str) -> list[dict[str, Any]]:
    """The LSE files in the retailer's own folder: what each holds of the ESI ID by day, and of whom it holds what is not the retailer's."""
    registry = sandbox.market.registry
    found = []
    for path in sorted(sandbox.files.home(ROR_LOGIN.username).glob("*.lse")):
        parsed = read(path.read_bytes(), path.name)
        mine = [held for held in parsed.records if held.esiid == esiid and held.channel is Channel.LOAD]
        found.append(
            {
                "file": path.name,
                "records": len(parsed.records),
                "faults": len(parsed.findings),
                "days": [{"day": held.day.isoformat(), "wh": int(held.wh.sum())} for held in mine],
                "foreign": sorted(
                    {
                        held.esiid
                        for held in parsed.records
                        if registry.ror_of_record(held.esiid, held.day) != ROR_LOGIN.duns
                    }
                ),
            }
        )
    return found


def _ledger(sandbox: Sandbox, esiid: str, first: date, last: date) -> list[Entry]:
    """SMT's audit of an ESI ID's on-demand requests: request and call (AMB-10), every transition and its instant."""
    found = []
    for entry in (entry for day in days(first, last) for entry in sandbox.smt.ledger.audit(esiid, day)):
        filed = entry.filed
        found.append(
            Entry.model_validate(
                {name: getattr(filed, name) for name in _FILED}
                | {
                    "submitted": iso(to_s(filed.submitted_us)),
                    "gap": {"start": iso(filed.start), "end": iso(filed.end)} if filed.end else None,
                    "transitions": [
                        Transition.model_validate(transition, from_attributes=True) for transition in entry.transitions
                    ],
                }
            )
        )
    return found
