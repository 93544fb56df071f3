"""The pages of a bed as a table: what each asks, of whom, and which words of its address go along."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from reports.console.bed import Bed, BedProblem
from simulator.web.parts import Problem


class Asked(NamedTuple):
    """One call. ``{day}`` and ``{call}`` stand for those words of the address."""

    path: str
    #: Words of the address that go along as they are, and what goes along always.
    words: tuple[str, ...] = ()
    always: Mapping[str, str] = {}
    of_head_end: bool = False
    of_desk: bool = False
    #: Ask only if the address has this word.
    needs: str = ""


class Look(NamedTuple):
    """A page. ``path``: below the root; ``day``: how many days before today its own day is, unless the address names one; -1: it has none."""

    path: str
    title: str
    about: str
    calls: Mapping[str, Asked]
    day: int = -1

    @property
    def template(self) -> str:
        """Its template."""
        return f"{self.path or 'picture'}.html.j2"


_CLOCK, _BED = Asked("/control/clock"), Asked("/control/bed")
LOOKS: tuple[Look, ...] = (
    Look(
        "",
        "Test bed",
        "The path of a read, from the meters to those who ask. Counts are of the model's present day.",
        {
            "bed": _BED,
            "counts": Asked("/control/counts"),
            "meters": Asked("/control/meters", always={"most": "0"}),
            "smt": Asked("/healthz"),
            "headend": Asked("/healthz", of_head_end=True),
            "batch": Asked("/batches/{day}", of_head_end=True),
        },
        day=1,
    ),
    Look(
        "meters",
        "Meters",
        "By the truth of the emulated meters, whatever the head-end has heard of them.",
        {"meters": Asked("/control/meters", ("state", "esiid", "skip"), {"most": "50"})},
    ),
    Look(
        "collection",
        "Collection",
        "What the head-end has collected of an operating day, and of which meters something lacks.",
        {
            "batch": Asked("/batches/{day}", of_head_end=True),
            "lacking": Asked("/collection/{day}", ("esiid",), {"complete": "false", "limit": "100"}, of_head_end=True),
        },
        day=1,
    ),
    Look(
        "vee",
        "VEE",
        "The head-end's batch of an operating day: its runs, and what the rules found.",
        {
            "batch": Asked("/batches/{day}", of_head_end=True),
            "found": Asked("/findings", ("day", "esiid", "rule"), {"most": "100"}, of_head_end=True),
        },
        day=1,
    ),
    Look(
        "files",
        "LSE files",
        "What TDSPs posted on a day, and what became of each record.",
        {"posted": Asked("/control/postings", ("day", "esiid"), {"most": "20"}), "counts": Asked("/control/counts", ("day",))},
        day=0,
    ),
    Look(
        "requests",
        "Requests",
        "On-demand requests as SMT's ledger has them, the latest first.",
        {
            "listed": Asked("/control/requests", ("esiid", "day", "correlationId", "callReference"), {"most": "50"}),
            "counts": Asked("/control/counts", ("day",)),
        },
    ),
    Look(
        "throttle",
        "Throttle",
        "How much of each limit is used that concerns an ESI ID. Nothing is reserved by looking.",
        {"bed": _BED, "throttle": Asked("/control/throttle", ("esiid", "username"), needs="esiid")},
    ),
    Look(
        "calls",
        "Calls",
        "What the retailer's desk told callers by the latest calls, and what VEE data made of it.",
        {
            "bed": _BED,
            "listed": Asked("/calls", always={"most": "50"}, of_desk=True),
            "one": Asked("/calls/{call}", of_desk=True, needs="call"),
        },
    ),
    Look("clock", "Clock", "The model's time.", {"clock": _CLOCK}),
    Look(
        "faults",
        "Faults of meters",
        "They begin now, or with the next quarter hour where they take whole ones; what a meter has shown stays as it was.",
        {"faults": Asked("/control/faults"), "bed": _BED},
    ),
    Look(
        "complaints",
        "Complaints",
        "What users of SMT complain of, on purpose: for an ESI ID or for everybody.",
        {"complaints": Asked("/control/complaints"), "bed": _BED},
    ),
)  # fmt: skip


async def told_of(look: Look, bed: Bed, asked: Mapping[str, str]) -> dict[str, Any]:
    """What its calls answer, by name; what the head-end has nothing of is None. Raises BedProblem."""
    clock = await bed.get("/control/clock")
    words = {name: text for name, text in asked.items() if text}
    if look.day >= 0:
        words.setdefault("day", f"{date.fromisoformat(clock['now'][:10]) - timedelta(days=look.day)}")
    if "day" in words:
        words["day"] = _day(words["day"])
    called = {name: one for name, one in look.calls.items() if not one.needs or one.needs in words}
    answers = await asyncio.gather(*(_told(bed, one, words) for one in called.values()))
    return {"clock": clock, "asked": words, **dict.fromkeys(look.calls), **dict(zip(called, answers, strict=True))}


async def _told(bed: Bed, one: Asked, words: Mapping[str, str]) -> Any:
    query = {**one.always, **{name: words[name] for name in one.words if name in words}}
    path = one.path
    for name in ("day", "call"):
        path = path.replace(f"{{{name}}}", quote(words.get(name, ""), safe=""))
    if one.of_desk:
        return await bed.desk(path, query)
    if not one.of_head_end:
        return await bed.get(path, query)
    try:
        return await bed.head_end(path, query)
    except BedProblem as problem:
        # VEE has not run over that day: a page says so.
        if problem.status == 404:
            return None
        raise


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        problem = Problem("day", "This is no day.", "Write it as 2026-08-12.")
        raise BedProblem(400, problem) from None
