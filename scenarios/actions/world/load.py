"""``load``: a workload is played: everybody in it asks at the planned instant through his door, and polls as its users do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from meters.calendar import Seconds, day_of, days, epoch, seconds, to_s, to_us
from meters.errors import UserError
from scenarios.actions.action import Played, Row, Seen
from scenarios.errors import ScenarioError
from scenarios.parts.expected import AMOUNT, COUNT, Fact, Places
from scenarios.parts.setting import Act
from scenarios.records.values import Count, Record
from simulator.capacity.workload.columns import CLASSES
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import YamlDocument
from simulator.smt.throttle.limits import Door

if TYPE_CHECKING:
    from scenarios.stage import Stage
    from simulator.capacity.workload.columns import Workload
    from simulator.capacity.workload.plan import Plan
    from simulator.load.player import LoadPlayer
    from simulator.smt.ondemand.ledger import Entry

#: More than these are no scenario: each is several exchanges on real sockets.
MOST_REQUESTS = 1_000
#: How a request ends for who asked.
ENDS = ("completed", "refused", "failed", "unanswered")

#: By what it is: of a mapping it is not told that it is no text.
NamedOrWritten = Annotated[
    Annotated[str, Tag("str")] | Annotated[WorkloadSpec, Tag("WorkloadSpec")],
    Discriminator(lambda written: "WorkloadSpec" if isinstance(written, (Mapping, WorkloadSpec)) else "str"),
]


class Load(Act):
    """A workload is played: everybody in it asks at its planned instant through its door, and polls as that door's users do."""

    workload: NamedOrWritten = Field(
        description="A shipped workload ('ami capacity workload'), the path of a file, or its fields; name and day are the action's unless given."
    )
    minutes: int = Field(ge=1, le=1440, description="What it plans from 'at' on for so long is played.")
    requests: int | None = Field(
        default=None, ge=1, le=MOST_REQUESTS, description="At most so many of it, evenly spread."
    )
    replication: int = Field(default=0, ge=0, le=1_000_000, description="Which draw of it.")
    spared: tuple[int, ...] = Field(default=(), description="Meters that it asks nothing of, by ordinal.")

    @model_validator(mode="before")
    @classmethod
    def _of_the_day(cls, written: Any) -> Any:
        if isinstance(written, Mapping) and isinstance(fields := written.get("workload"), Mapping):
            own = {"name": written.get("ref"), "day": f"{written.get('at')}"[:10]}
            return {**written, "workload": {**own, **fields}}
        return written

    @model_validator(mode="after")
    def _at_its_time(self) -> Load:
        if self.after is not None:
            raise ValueError("a load is played at the time that it is planned at; write at, and leave after out")
        return self

    @property
    def lasts(self) -> Seconds:
        """See ``Act``."""
        return seconds(60 * self.minutes)

    def part(self) -> Workload:
        """The requests that are played. Raises a UserError for a workload that is none, or has none, or too many, in that time."""
        # What reads and draws a workload loads Parquet's library, which a scenario without one can do without.
        import numpy as np

        from simulator.capacity.workload.draw import draw

        plan, mistakes = self.planned()
        if plan is None:
            raise mistakes[0]
        begin = epoch(self.at)
        end = begin + self.lasts
        if begin < plan.begins or end > plan.ends:
            first, last = day_of(plan.begins), day_of(plan.ends - 1)
            text = f"{plan.spec.name} is of {first} to {last}, and {self.at:%Y-%m-%d %H:%M} and {self.minutes} min after lie beyond it."
            raise ScenarioError("scenario.load.span", text, mend="Play it on its days, or for a shorter time.")
        hours = [at for at, began in enumerate(plan.hours.begins) if began < end and began + 3600 > begin]
        drawn = draw(plan, self.replication, range(hours[0], hours[-1] + 1))
        planned = drawn.requests.planned_us
        rows = np.flatnonzero((planned >= to_us(begin)) & (planned < to_us(end)))
        if not len(rows):
            text = f"Nobody of {plan.spec.name} asks in that time."
            raise ScenarioError("scenario.load.nobody", text, mend="Play another time, or more minutes.")
        if self.requests is None and len(rows) > MOST_REQUESTS:
            text = f"{len(rows):,} requests are planned in that time; a scenario plays {MOST_REQUESTS:,} at most."
            mend = "Say with 'requests' how many are played, or play fewer minutes."
            raise ScenarioError("scenario.load.many", text, mend=mend)
        if self.requests is not None and len(rows) > self.requests:
            rows = rows[np.linspace(0, len(rows) - 1, self.requests).astype(np.int64)]
        return replace(drawn, requests=drawn.requests.take(rows))

    def planned(self) -> tuple[Plan | None, list[UserError]]:
        """Its workload ready to be drawn, or everything that is wrong with it."""
        from simulator.capacity.workload.chosen import read_workload
        from simulator.capacity.workload.plan import plan_of

        if isinstance(self.workload, str):
            return read_workload(self.workload)
        return plan_of(YamlDocument("", {}), self.workload)


class RecordedLoad(Record):
    """What came of a load. references: of its requests at the market API. by_class, by_login: by ``/who/end``, where ``sent`` is one too.

    by_limit: by SMT's ledger, which has meter_reads and octets too.
    """

    sent: Count
    ends: dict[str, Count]
    by_code: dict[str, Count]
    by_limit: dict[str, Count]
    by_class: dict[str, Count]
    by_login: dict[str, Count]
    p50_s: float | None
    p95_s: float | None
    meter_reads: Count
    octets: Count
    calls: Count
    portal_calls: Count
    left_out: Count
    esiids: Count
    references: list[str]


SeenLoad = Seen[Load, RecordedLoad]


def _play(stage: Stage, action: Load) -> Played:
    # The player knows rows of the compiled engine, whose compiler a scenario without one can do without.
    from simulator.load.cast import cast
    from simulator.load.player import LoadPlayer
    from simulator.world.callers import rights_of

    spared = {stage.world.esiid(meter) for meter in action.spared}
    rights = rights_of(stage.sandbox.market, day_of(stage.runtime.now()))
    given = cast(action.part(), [one for one in rights if one.esiid not in spared])
    player = LoadPlayer(stage.runtime, [stage.http], given, name=action.ref)
    yield from player.run()
    return _told(player, _entries(stage, player))


def _entries(stage: Stage, player: LoadPlayer) -> list[Entry]:
    """Its requests in SMT's ledger. Who asks at the portal gives no reference, and is known by who asked for what at what instant."""
    rights, rows = player.cast.rights, player.rows
    asked = {
        (rights[right].login.username, rights[right].esiid, int(at_us))
        for right, at_us in zip(player.cast.right.tolist(), player.asked_us.tolist(), strict=True)
    }
    references = {player.reference(row) for row in range(len(rows))}
    first, last = (day_of(to_s(at_us)) for at_us in (rows.planned_us.min(), rows.done_us.max()))
    audit = stage.sandbox.smt.ledger.audit
    return [
        entry
        for esiid in sorted({esiid for _, esiid, _ in asked})
        for day in days(first, last)
        for entry in audit(esiid, day)
        if entry.filed.call_reference in references
        or (entry.filed.door is Door.PORTAL and (entry.filed.username, esiid, entry.filed.submitted_us) in asked)
    ]


def _told(player: LoadPlayer, entries: list[Entry]) -> dict[str, Any]:
    from simulator.capacity.ends import COMPLETED, REFUSED
    from simulator.load.told import quantile

    rows, rights = player.rows, player.cast.rights
    ends = [
        ENDS[3] if end < 0 else ENDS[0] if end == COMPLETED else ENDS[1] if end == REFUSED else ENDS[2]
        for end in rows.end.tolist()
    ]
    classes = [CLASSES[one].value for one in rows.requester_class.tolist()]
    logins = [rights[one].login.username for one in player.cast.right.tolist()]
    took_s = (rows.done_us - rows.planned_us)[rows.end == COMPLETED] / 1e6
    refusals = [entry.last.refusal for entry in entries]
    return {
        "sent": len(rows),
        "ends": {end: ends.count(end) for end in ENDS},
        "by_code": _counts(player.codes[code] for code in rows.code.tolist() if code >= 0),
        "by_limit": _counts(one.code for one in refusals if one is not None),
        "by_class": _of_each(classes, ends),
        "by_login": _of_each(logins, ends),
        "p50_s": quantile(took_s, 0.5),
        "p95_s": quantile(took_s, 0.95),
        "meter_reads": sum(entry.last.meter_reads for entry in entries),
        "octets": sum(entry.last.octets for entry in entries),
        "calls": player.calls,
        "portal_calls": player.portal_calls,
        "left_out": sum(player.cast.left_out.values()),
        "esiids": player.cast.esiids[1],
        "references": [player.reference(row) for row in range(len(rows)) if not player.at_portal(row)],
    }


def _counts(of: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(of).items()))


def _of_each(whose: list[str], ends: list[str]) -> dict[str, int]:
    """Counts by ``/who/end``."""
    return _counts(f"/{who}/{end}" for who, end in (*zip(whose, ends, strict=True), *((who, "sent") for who in whose)))


class ByPlace(Places):
    """What counts must come to, by what they are counted by; 0 of what there was none of."""

    def idle(self, floor: Any = 0, /) -> list[str]:
        """See ``Form``."""
        return super().idle(floor)

    def looked(self, found: Any) -> list[tuple[str, Any, bool]]:
        """See ``Form``."""
        return super().looked(None if found is None else dict.fromkeys(self.equals or {}, 0) | found)


class ByEnd(ByPlace):
    """Counts by who asked and how it ended."""

    def unmeetable(self) -> list[str]:
        """See ``Form``."""
        return [
            wrong for place in self.equals or {} for wrong in self._wrong(*place.split("/"))
        ] or super().unmeetable()

    @classmethod
    def _wrong(cls, *parts: str) -> list[str]:
        if len(parts) != 3 or parts[0]:
            return [f"'{'/'.join(parts)}' is no count; write it as /who/refused"]
        if parts[2] not in (known := ("sent", *ENDS)):
            return [f"nothing ends as '{parts[2]}'; {did_you_mean(parts[2], known)}"]
        return []


class ByClass(ByEnd):
    """Counts by class of requester and how it ended."""

    @classmethod
    def _wrong(cls, *parts: str) -> list[str]:
        classes = [one.value for one in CLASSES]
        if len(parts) == 3 and parts[1] not in classes:
            return [f"there is no class '{parts[1]}'; {did_you_mean(parts[1], classes)}"]
        return super()._wrong(*parts)


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _end(name: str) -> Any:
    return lambda seen: seen.record and seen.record.ends[name]


def _quantile(name: str) -> Any:
    def got(seen: SeenLoad) -> Decimal | None:
        found = seen.record and getattr(seen.record, name)
        return None if found is None else Decimal(str(found))

    return got


def _tell(seen: SeenLoad) -> str:
    record = seen.record
    if record is None:
        return "Nothing recorded."
    codes = ", ".join(f"{count} by {code}" for code, count in record.by_limit.items())
    ended = ", ".join(f"{record.ends[end]} {end}" for end in ENDS if record.ends[end])
    late = "" if record.p95_s is None else f" Of the completed 95 % were so within {record.p95_s:g} s."
    return f"{record.sent} requests of {record.esiids} ESI IDs: {ended}{f' ({codes})' if codes else ''}.{late}"


ROWS = (
    Row(
        "load",
        "Load",
        Load,
        RecordedLoad,
        _play,
        (
            Fact("sent", COUNT, "requests sent", _of("sent")),
            *(Fact(end, COUNT, f"requests {end}, as who asked saw it", _end(end)) for end in ENDS),
            Fact("by_code", ByPlace, "requests by the code of what was wrong, as who asked saw it", _of("by_code")),
            Fact("by_limit", ByPlace, "refused requests by the code of the limit, by SMT's ledger", _of("by_limit")),
            Fact("by_class", ByClass, "requests by class of requester and end: `/ror_bulk/refused`, `sent` is one too", _of("by_class")),
            Fact("by_login", ByEnd, "requests by log-in, of RORs, CSP or customers, and end: `/pecanbend.api/refused`", _of("by_login")),
            Fact("p50_s", AMOUNT, "from the planned arrival to the end of those completed, the middle", _quantile("p50_s"), unit="s"),
            Fact("p95_s", AMOUNT, "the same, of 95 in a hundred", _quantile("p95_s"), unit="s"),
            Fact("meter_reads", COUNT, "meter reads, by SMT's ledger", _of("meter_reads")),
            Fact("octets", COUNT, "octets to and from meters, by SMT's ledger", _of("octets")),
            Fact("calls", COUNT, "HTTP calls that it made, polls among them", _of("calls")),
            Fact("portal_calls", COUNT, "those of them at the portal, log-ins too", _of("portal_calls")),
            Fact("esiids", COUNT, "ESI IDs that were asked for", _of("esiids")),
            Fact("left_out", COUNT, "requests of the workload that nobody here can make", _of("left_out")),
        ),
        _tell,
    ),
)  # fmt: skip
