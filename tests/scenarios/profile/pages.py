"""Makes the profile of the tables that act, the pages and the closed forms: ``python -m tests.scenarios.profile.pages``."""

from __future__ import annotations

import hashlib
import json
import runpy
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

import scenarios.profile
from headend.lse.zoo import animals
from meters.calendar import epoch, iso
from scenarios import twins
from scenarios.rules.registry import REGISTRY
from simulator.ror.billing.plan import PLANS, TDU
from tests.headend.lse.test_lse import DUNS, ESIID, ORDINARY
from tests.scenarios.profile import closed
from tests.simulator.openapi_pages import FOLDER as OPENAPI
from tests.simulator.ror.billing.hand_bills import FOLDER as BILLS
from tests.simulator.ror.billing.hand_bills import hand_bills

FOLDER = Path(scenarios.profile.__path__[0])
#: Counted up by whoever changes what a vector or a requirement says.
VERSION = 2
TWIN = Path(twins.__path__[0]) / "headend.py"
Vector = dict[str, Any]


def vector(kind: str, ident: str, requirements: str, given: Vector, out: Vector) -> Vector:
    return {"id": f"{kind}.{ident}", "kind": kind, "requirements": requirements.split(), "in": given, "out": out}


def gaps() -> Iterator[Vector]:
    for ident, requirements, vee_to, now in closed.GAPS:
        yield vector("gap", ident, requirements, {"vee_to": vee_to, "now": now}, closed.gap(vee_to, now))


def days() -> Iterator[Vector]:
    for on in closed.DAYS:
        yield vector("day", on, "03", {"day": on}, closed.day(on))
    for on, numbers in closed.QUARTERS.items():
        for number in numbers:
            given = {"day": on, "number": number}
            yield vector("quarter", f"{on}-{number}", "03", given, closed.quarter(on, number))


def bills() -> Iterator[Vector]:
    """The bills that were worked by hand, each with its plan as text that is not rounded."""
    for one in hand_bills():
        of: Vector = {
            name: one.of[name] for name in ("first", "last", "whole_days", "cycle_last", "register") if one.of[name]
        }
        of |= {name: used(one.of[name]) for name in ("taken", "given") if one.of[name]}
        lines = [[line.kind, str(line.amount)] for line in one.lines]
        yield vector(
            "bill",
            one.name,
            "S6",
            {"plan": plan(one.of["plan"])} | of,
            {"lines": lines, "total_usd": str(one.total)},
        )


def projections() -> Iterator[Vector]:
    """Golden bills of whole cycles, of which the days after one are expected and not known yet."""
    whole = {one["id"]: one for one in bills()}
    for name, last, taken, expected in PROJECTED:
        given, out = (whole[f"bill.{name}"][which] for which in ("in", "out"))
        split = {"last": last, "cycle_last": given["last"], "taken": used(taken), "expected": used(expected)}
        yield vector("bill", f"{name}-projected", "S6", given | split, out)


#: Of a golden bill the last day that is known, what is taken until then, and what the days left are expected to bring.
PROJECTED = (
    ("credit-2000", "2025-06-12", "900 kWh", "1100 kWh"),
    ("dated-after", "2026-05-12", "100 Wh", "100 Wh"),
)


def plan(name: str) -> Vector:
    shipped = PLANS / f"{name}.yaml"
    path = shipped if shipped.exists() else BILLS / f"{name}.yaml"
    written: Vector = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
    written.pop("fact_label", None)
    if isinstance(written["tdu"], str):
        written["tdu"] = yaml.load((TDU / f"{written['tdu']}.yaml").read_text("utf-8"), yaml.BaseLoader)["charges"]
    return written


def used(written: str) -> Vector:
    """``500 kWh``, or ``100 Wh; 20:00-05:00 300 Wh``: of each quarter hour, by the local clock at which it begins."""
    rest, _, window = written.partition("; ")
    amount, unit = rest.split()
    within = {"within": {"hours": window.split()[0], "wh": window.split()[1]}} if window else {}
    return {"kwh" if unit == "kWh" else "wh": amount} | within


def files() -> Iterator[Vector]:
    """The zoo; ``times``: so often ``content`` stands in the file."""
    for animal in animals():
        name, content = animal.file(DUNS, ESIID, ORDINARY)
        text, times = content.decode(), 1
        if len(text) > 100_000:
            text = text.splitlines(keepends=True)[0]
            times = len(content) // len(text)
        made = (animal.day or ORDINARY) + timedelta(days=2)
        given = {"name": name, "content": text, "times": times, "at": iso(epoch(f"{made}T07:30"))}
        finding = {"code": animal.code, "line": animal.line, "field": animal.field}
        yield vector("lse", animal.id, animal.code, given | {"duns": DUNS, "esiids": [ESIID]}, {"findings": [finding]})


def honest(kind: str, may: bool) -> tuple[Vector, Vector]:
    """An inquiry for three hours, of which the store has the first half, and an honest answer to it."""
    start, sweep, end, now = (datetime.fromisoformat(f"2026-08-12T{at}-05:00") for at in INSTANTS)
    inquiry: Vector = {"correlationId": "815310784542", "kind": kind, "esiid": ESIID, "meterAllowed": may}
    inquiry |= {"submitted": (now - timedelta(seconds=25)).isoformat(), "answerBy": ANSWER_BY}
    answer: Vector = {"correlationId": "815310784542", "outcome": "completed", "meterReads": int(may)}
    answer["octets"] = 500 * may
    if kind == "POWER":
        power = {"status": "ON", "source": "reply", "switchState": "CLOSED", "voltage": 241.5, "at": now.isoformat()}
        return inquiry, answer | {"power": power}
    if kind == "REGISTER":
        return inquiry, answer | {"register": {"wh": 23_459_133, "at": now.isoformat()}}
    told: list[Vector] = []
    for number in range(12 if may else 6):
        ends = start + timedelta(minutes=15 * (number + 1))
        source, collected = ("store", sweep) if ends <= sweep else ("meter", now)
        told.append({"end": ends.isoformat(), "wh": 100 + 13 * number, "source": source})
        told[-1]["collectedAt"] = collected.isoformat()
    answer |= {"intervals": told, "missing": [], "reachesTo": told[-1]["end"]}
    inquiry |= {"start": start.isoformat(), "end": end.isoformat()}
    if not may:
        return inquiry, answer | {"outcome": "refused", "reason": "the meter is needed and may not be read"}
    seconds = round((now - end).total_seconds())
    return inquiry, answer | {
        "partial": {"from": end.isoformat(), "asOf": now.isoformat(), "seconds": seconds, "wh": 60}
    }


#: Of the gap, of the last sweep, and when the answer comes.
INSTANTS = ("14:30:00", "16:00:00", "17:30:00", "17:40:25")
#: What a fault can name.
EDGES = ("start", "end", "answerBy")
ANSWER_BY = "2026-08-12T18:25:00-05:00"


def answers() -> Iterator[Vector]:
    """What a head-end's answer is held to: of each rule the fault that breaks it and the near miss that does not."""
    changed = runpy.run_path(str(TWIN))["changed"]
    for rule, row in json.loads(TWIN.with_name("headend_faults.json").read_text("utf-8")).items():
        for which in ("fault", "near"):
            bent = row[which]
            inquiry, answer = honest(row["kind"], may=not bent.get("spent"))
            at = {"now": datetime.fromisoformat(f"2026-08-12T{INSTANTS[-1]}-05:00")}
            at |= {edge: datetime.fromisoformat(inquiry[edge]) for edge in EDGES if edge in inquiry}
            first = changed(answer, bent.get("do", []), at)
            given = {"inquiry": inquiry, "now": at["now"].isoformat(), "most_wh": 12_000, "answer": first}
            given["ack"] = bent.get("ack", {"correlationId": inquiry["correlationId"], "status": "accepted"})
            if "again" in bent:
                given["again"] = changed(first, bent["again"], at)
            out = {"rules": [rule] if which == "fault" else [], "ends": bent["ends"]}
            yield vector("answer", f"{rule}-{which}", rule, given, out)


def pages() -> dict[str, str]:
    """Each file's text by its name, the manifest last."""
    registry = [
        {"id": one.id, "source": one.source, "actor": one.actor, "conformance": one.conformance, "text": one.text}
        for one in REGISTRY.values()
    ]
    tables = {
        "gaps": gaps,
        "days": days,
        "bills": lambda: chain(bills(), projections()),
        "files": files,
        "answers": answers,
    }
    made = {"registry.json": as_lines(registry)}
    # On one line: who reads them by eye has docs/openapi.
    described = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(OPENAPI.glob("*.json"))}
    made |= {f"openapi/{name}": json.dumps(one) + "\n" for name, one in described.items()}
    made |= {f"vectors/{name}.json": as_lines(list(table())) for name, table in tables.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in made.items()}
    manifest = {"profile": "customer balance inquiry", "version": VERSION, "files": digests}
    return made | {"manifest.json": json.dumps(manifest, indent=1) + "\n"}


def as_lines(rows: list[Vector]) -> str:
    """A JSON list with a row a line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


if __name__ == "__main__":
    for file_name, content in pages().items():
        path = FOLDER / file_name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
