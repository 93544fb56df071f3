"""What sweeps collected, as head-ends send it unasked: taken in, held until the VEE data of its day are posted, and the answer to who asks for it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select, tuple_

from headend.boundaries import boundary
from headend.http.links import LinkKeys, same
from headend.ports import Driver, Journal
from headend.vee.quality import Channel
from headend.wire import InquiryResult, NonVeeBatch, NonVeeTaken, Outcome, PushedMeter, RefusedPart, ServedInterval
from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, ends_within, iso, local, seconds
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import interval_day, interval_loading, non_vee_batch, non_vee_day
from simulator.smt.errors import GatewayRefusal
from simulator.smt.ondemand.judged import COLLECTED_AHEAD_S
from simulator.smt.ondemand.lifecycle import Answered, OnDemandRequest
from simulator.smt.registry.meter_attributes import most_wh
from simulator.smt.registry.registry import Registry

#: Refused parts that the reply to a batch names; days that one statement does. Defaults of this project.
MOST_PARTS, _DAYS_AT_ONCE = 100, 200
#: TDSP keys of the links whose key was shown; None: nobody is asked for one.
Senders = Set[str] | None
_Day = tuple[str, date]


class _Found(NamedTuple):
    """What of a batch is sound, by ESI ID and day: place in the batch, when it was collected, [end, Wh or None, status word] of each; and what is not."""

    sound: defaultdict[_Day, list[tuple[int, Seconds, list[list[int | None]]]]]
    refused: int
    parts: list[RefusedPart]


class NonVee:
    """The non-VEE intervals that one SMT holds."""

    def __init__(
        self,
        driver: Driver,
        engine: Engine,
        registry: Registry,
        journal: Journal,
        keys: Mapping[str, LinkKeys] | None,
        *,
        taken: bool,
    ) -> None:
        """keys: of each link, by TDSP key; None: nobody is asked for one. taken: whether the policy has it that they are."""
        self._driver = driver
        self._engine = engine
        self._registry = registry
        self._journal = journal
        self._keys = keys
        self.taken = taken

    def senders(self, bearer: str) -> Senders:
        """Whose key came with a batch, before it is read. Raises GatewayRefusal if it is nobody's, or none are taken."""
        if self._keys is not None and not any(same(bearer, one.headend) for one in self._keys.values()):
            raise GatewayRefusal("link_key")
        if not self.taken:
            raise GatewayRefusal("not_held")
        return None if self._keys is None else {tdsp for tdsp, one in self._keys.items() if same(bearer, one.headend)}

    def take(self, batch: NonVeeBatch, senders: Senders) -> NonVeeTaken:
        """Take a batch in, once: the same again is told what became of it. Raises GatewayRefusal for another one under its id."""
        key = {"sender": min(senders or [""]), "batch_id": batch.batchId}
        digest = hashlib.blake2b(batch.model_dump_json().encode(), digest_size=8).hexdigest()
        now = self._driver.now()
        with writing(self._engine, turns=(f"non-VEE {key}",)) as connection:
            before = connection.execute(select(non_vee_batch).filter_by(**key)).first()
            if before is not None:
                if before.digest != digest:
                    raise GatewayRefusal("other_batch")
                taken = NonVeeTaken.model_validate(before.taken | {"status": "duplicate"})
            else:
                taken = self._hold(connection, batch, self._looked_at(batch, senders, now))
                row = {"digest": digest, "came_at": now, "taken": taken.model_dump(mode="json")}
                connection.execute(insert(non_vee_batch), key | row)
                boundary("non_vee.before_commit")
        boundary("non_vee.after_commit")
        facts = taken.model_dump(include={"status", "accepted", "posted", "refused"})
        note = self._journal.note
        self._driver.inject(
            "non-vee", batch.batchId, lambda: note(now, "SMT", "non-VEE intervals", batch.batchId, **facts)
        )
        return taken

    def latest_at(self) -> Seconds | None:
        """UTC epoch seconds at which the latest batch was taken; None before the first."""
        with reading(self._engine) as connection:
            latest: Seconds | None = connection.scalar(select(func.max(non_vee_batch.c.came_at)))
        return latest

    def answer(self, request: OnDemandRequest) -> Answered | None:
        """What is held of a gap, if it begins where that does and who asks may see its days."""
        filed = request.filed
        user = None if filed is None else self._registry.users.get(filed.username)
        ends = ends_within(request.start, request.end)
        days = sorted({day_of(end - INTERVAL_S) for end in ends})
        if user is None or not all(self._registry.may_see(user, request.esiid, day) for day in days):
            return None
        found = self._content(request.key, request.esiid, request.start, ends, days)
        return None if found is None else Answered(Outcome.COMPLETED, "", 0, found[0], 0, found[1])

    def of_day(self, esiid: str, day: date, now: Seconds) -> tuple[InquiryResult, Seconds] | None:
        """What is held of a day so far, and to where that reaches, UTC epoch seconds; None for nothing."""
        start = day_start(day)
        return self._content("", esiid, start, ends_within(start, min(now, day_end(day))), [day])

    def _content(
        self, key: str, esiid: str, start: Seconds, ends: Sequence[Seconds], days: list[date]
    ) -> tuple[InquiryResult, Seconds] | None:
        """What is held of the intervals with those ends, and to where it reaches without a hole."""
        held = self._held(esiid, days)
        served, missing = list[ServedInterval](), list[datetime]()
        reach = start
        for end in ends:
            if end not in held:
                continue
            if end == reach + INTERVAL_S:
                reach = end
            wh, status, at = held[end]
            if wh is None:
                missing.append(local(end))
            else:
                collected = local(at)
                served.append(
                    ServedInterval(end=local(end), wh=wh, source="store", collectedAt=collected, status=status)
                )
        if reach == start:
            return None
        content = InquiryResult(
            correlationId=key,
            outcome=Outcome.COMPLETED,
            intervals=served,
            missing=missing,
            reachesTo=local(reach),
        )
        return content, reach

    def _held(self, esiid: str, days: list[date]) -> dict[Seconds, tuple[int | None, int, Seconds]]:
        """By end: Wh, status word and when it was collected. A value beats none, a later one an earlier one."""
        rows = non_vee_day.c
        wanted = select(rows.collected_at, rows.intervals).where(rows.esiid == esiid, rows.day.in_(days))
        held: dict[Seconds, tuple[int | None, int, Seconds]] = {}
        with reading(self._engine) as connection:
            for at, intervals in connection.execute(wanted.order_by(rows.collected_at, rows.batch_id, rows.place)):
                for end, wh, status in intervals:
                    if wh is not None or end not in held:
                        held[end] = wh, status, at
        return held

    def _hold(self, connection: Connection, batch: NonVeeBatch, found: _Found) -> NonVeeTaken:
        """Keep what is sound, but for days whose VEE data are there."""
        posted = self._posted(connection, sorted(found.sound))
        rows: list[dict[str, Any]] = []
        counts = {True: 0, False: 0}
        for of_day, parts in sorted(found.sound.items()):
            esiid, day = of_day
            for place, at, intervals in parts:
                counts[of_day in posted] += len(intervals)
                if of_day not in posted:
                    row = {"esiid": esiid, "day": day, "collected_at": at, "batch_id": batch.batchId, "place": place}
                    rows.append(row | {"intervals": intervals})
        if rows:
            connection.execute(insert(non_vee_day), rows)
        return NonVeeTaken(
            batchId=batch.batchId,
            status="accepted",
            accepted=counts[False],
            posted=counts[True],
            refused=found.refused,
            parts=found.parts,
        )

    def _posted(self, connection: Connection, days: list[_Day]) -> set[_Day]:
        """Those of some days whose VEE data are there."""
        table, loading = interval_day.c, interval_loading.c
        seen = ~select(loading.file_name).where(
            loading.file_name == table.file_name, loading.posting == table.posting
        ).exists()  # fmt: skip
        found: set[_Day] = set()
        for at in range(0, len(days), _DAYS_AT_ONCE):
            some = tuple_(table.esiid, table.day).in_(days[at : at + _DAYS_AT_ONCE])
            wanted = select(table.esiid, table.day).where(some, table.channel == int(Channel.LOAD), seen)
            found.update((esiid, day) for esiid, day in connection.execute(wanted))
        return found

    def _looked_at(self, batch: NonVeeBatch, senders: Senders, now: Seconds) -> _Found:
        """Hold every interval against what answers are held to (``rules.csv``)."""
        sound: defaultdict[_Day, list[tuple[int, Seconds, list[list[int | None]]]]] = defaultdict(list)
        refused, parts = 0, list[RefusedPart]()
        told: defaultdict[str, set[Seconds]] = defaultdict(set)
        for place, meter in enumerate(batch.meters):
            wrong = self._wrong(place, meter, senders, now)
            if wrong is not None:
                refused += len(meter.intervals)
                parts.append(wrong)
                continue
            at, by_day = _s(meter.collectedAt), defaultdict[date, list[list[int | None]]](list)
            ends = [_s(one.end) for one in meter.intervals]
            broken = dict(self._breaches(place, meter, ends, told[meter.esiid], now))
            for number, (end, one) in enumerate(zip(ends, meter.intervals, strict=True)):
                if number not in broken:
                    by_day[day_of(end - INTERVAL_S)].append([end, one.wh, one.status])
            refused += len(broken)
            parts += broken.values()
            for day, intervals in by_day.items():
                sound[meter.esiid, day].append((place, at, intervals))
        return _Found(sound, refused, parts[:MOST_PARTS])

    def _wrong(self, place: int, meter: PushedMeter, senders: Senders, now: Seconds) -> RefusedPart | None:
        """Why nothing of a meter is taken."""
        point = self._registry.points.get(meter.esiid)
        if point is None or (senders is not None and point.tdsp_key not in senders):
            return RefusedPart(pointer=f"meters[{place}].esiid", rule="ESIID", value=meter.esiid)
        if _s(meter.collectedAt) > now + COLLECTED_AHEAD_S:
            value = iso(_s(meter.collectedAt))
            return RefusedPart(pointer=f"meters[{place}].collectedAt", rule="COLLECTED-AHEAD", value=value)
        return None

    def _breaches(
        self, place: int, meter: PushedMeter, ends: list[Seconds], told: set[Seconds], now: Seconds
    ) -> Iterator[tuple[int, RefusedPart]]:
        """The intervals that break a rule, by number. ends: of each. told: those of the ESI ID that came before, and come."""
        here = self._registry.meters(self._registry.point(meter.esiid, day_of(now)))
        most, collected = sum(most_wh(one.attributes) for one in here), _s(meter.collectedAt)
        for number, (end, one) in enumerate(zip(ends, meter.intervals, strict=True)):
            wh = one.wh or 0
            breaks = {
                "OFF-QUARTER": end % INTERVAL_S != 0,
                "COLLECTED-EARLY": collected < end,
                "DUPLICATE": end in told,
                "ENERGY-SIZE": wh > most,
                "ENERGY-SIGN": wh < 0,
            }
            told.add(end)
            rule = next((rule for rule, broken in breaks.items() if broken), None)
            if rule is not None:
                field, value = ("wh", str(wh)) if rule.startswith("ENERGY") else ("end", iso(end))
                yield (
                    number,
                    RefusedPart(pointer=f"meters[{place}].intervals[{number}].{field}", rule=rule, value=value),
                )


def _s(when: datetime) -> Seconds:
    return seconds(when.timestamp())
