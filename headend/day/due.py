"""What is due when an operating day has ended: its own VEE, and again that of the days before it of which something came late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from headend.day.power import newly_told
from headend.day.storm import resumed
from headend.day.validated import validate_day
from headend.ports import MeterKey
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from headend.vee.records import VeeDay
from headend.vee.revise import leaning
from meters.calendar import Seconds, days


def validate_due(
    store: HeadEndStore, esiids: Sequence[str], day: date, preset: Preset, now: Callable[[], Seconds]
) -> list[VeeDay]:
    """Validate an ended operating day, and again what came late of the days before it, as far back as is collected. Blocking.

    In their order, since a day leans on those before it. Each result has the meters that were looked at; what changes is kept as a revision, in one
    commit with the run that is to be posted. now: gives UTC epoch seconds. What was seen already is not looked at again.
    """
    done: list[VeeDay] = []
    before: set[MeterKey] = set()
    for one in days(day - timedelta(days=preset.over_days), day):
        run = store.runs.latest(one)
        if run is None:
            before = set()
            if one == day:
                done.append(validate_day(store, esiids, day, preset, now)[0])
            continue
        came = {*store.states.changed_since(one, run.began_at), *newly_told(store.events, one, run.began_at)}
        late = {meter for meter in came if _late_counts(store, preset, meter)} | resumed(store, one, preset, now())
        lean = leaning(store.vee_day(sorted({meter.esiid for meter in before}), one), before) if before else set()
        before = lean
        if late | lean:
            batch, changed = validate_day(store, esiids, one, preset, now, late | lean)
            before |= set(changed)
            done.append(batch)
    return done


def _late_counts(store: HeadEndStore, preset: Preset, meter: MeterKey) -> bool:
    """Whether the ladder of the meter's class has the rung of the late actual."""
    address = store.records.addresses.get(meter)
    return preset.late_actual[int(address is not None and address.multiplier > 1)]
