"""Puts the recording of a run together, of what its parties hold and what its actions left."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from headend.lse.writer import read
from headend.vee.quality import Channel
from meters.calendar import day_of, days, iso, to_s
from meters.faults.ledger import LedgerEntry
from scenarios.parts.setting import AccountSpec
from scenarios.recording import FORMAT, Recording, parse
from scenarios.records.ledger import Entry, Transition
from scenarios.stage import Stage
from simulator.parties.sandbox import Sandbox
from simulator.smt.registry.registry import Registry
from simulator.world.market import Login, logins

_FILED = ("key", "kind", "door", "call_reference", "username", "duns", "requester_class")


def record(stage: Stage, faults: list[LedgerEntry]) -> Recording:
    """Put together what a run has left behind by now. faults: the ledger of the world's faults."""
    scenario, sandbox, world = stage.scenario, stage.sandbox, stage.world
    policy = sandbox.settings.policy
    own = dict.fromkeys(world.esiid(account.meter) for account in scenario.cast.values())
    others = [esiid for esiid in sandbox.market.registry.points if esiid not in own]
    return parse(
        {
            "format": FORMAT,
            "scenario": scenario.model_dump(mode="json", exclude_none=True, serialize_as_any=True),
            "world": {
                "tdsp": world.tdsp.key,
                "meters": len(world.meters),
                "faults": [fault.to_json() for fault in faults],
                "accounts": {ident: _premise(stage, account) for ident, account in scenario.cast.items()},
            },
            "policy": {"name": policy.name, "title": policy.title, "source": policy.source.value},
            "actions": stage.actions,
            "begun": stage.begun,
            "ledger": _ledger(stage, own),
            "others": _ledger(stage, others),
            "journal": sandbox.journal.entries(),
            "usage": stage.usage,
        }
    )


def _premise(stage: Stage, account: AccountSpec) -> dict[str, Any]:
    """What a run knows of an account."""
    esiid, plan = stage.world.esiid(account.meter), account.rates
    ror = logins(stage.scenario.world.market)[account.ror]
    return {
        "esiid": esiid,
        "plan": plan.name,
        "plan_terms": plan.model_dump(mode="json"),
        "ror": {"username": ror.username, "duns": ror.duns},
        "ror_files": _ror_files(stage.sandbox, esiid, ror),
        "service_point": _service_point(stage.sandbox.market.registry, esiid, stage.scenario.timeline[0].at.date()),
    }


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


def _ror_files(sandbox: Sandbox, esiid: str, ror: Login) -> list[dict[str, Any]]:
    """The LSE files in the retailer's own folder: what each holds of the ESI ID by day, and of whom it holds what is not the retailer's."""
    registry = sandbox.market.registry
    found = []
    for path in sorted(sandbox.files.home(ror.username).glob("*.lse")):
        parsed = read(path.read_bytes(), path.name)
        mine = [held for held in parsed.records if held.esiid == esiid and held.channel is Channel.LOAD]
        found.append(
            {
                "file": path.name,
                "records": len(parsed.records),
                "faults": len(parsed.findings),
                "days": [{"day": held.day.isoformat(), "wh": int(held.wh.sum())} for held in mine],
                "foreign": sorted(
                    {held.esiid for held in parsed.records if registry.ror_of_record(held.esiid, held.day) != ror.duns}
                ),
            }
        )
    return found


def _ledger(stage: Stage, esiids: Collection[str]) -> list[Entry]:
    """SMT's audit of on-demand requests for some ESI IDs: request and call (AMB-10), every transition and its instant."""
    first, last = stage.scenario.timeline[0].at.date(), day_of(stage.runtime.now())
    audit, filing = stage.sandbox.smt.ledger.audit, stage.sandbox.smt.desk.filing
    asked = [(entry, of) for day in days(first, last) for of in esiids for entry in audit(of, day)]
    found = []
    for entry, its in asked:
        filed = entry.filed
        found.append(
            Entry.model_validate(
                {name: getattr(filed, name) for name in _FILED}
                | {
                    "esiid": its,
                    "scopes": filing.request(filed).requested.scopes,
                    "submitted": iso(to_s(filed.submitted_us)),
                    "gap": {"start": iso(filed.start), "end": iso(filed.end)} if filed.end else None,
                    "transitions": [
                        Transition.model_validate(transition, from_attributes=True) for transition in entry.transitions
                    ],
                }
            )
        )
    return found
