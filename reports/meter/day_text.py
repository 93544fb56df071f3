"""What ``ami meters show`` prints of a meter's day: who it is, the figures, the chart and what its marks mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meters.calendar import INTERVAL_S, local
from meters.load.replay import ReplayedLoad
from reports.meter.day import MeterDay, fault_text, wire_text
from reports.text_chart import Glyphs, chart

if TYPE_CHECKING:
    from rich.text import Text

#: Faults that are told one by one.
_MOST_FAULTS = 8


def day_lines(shown: MeterDay, count: int, width: int, glyphs: Glyphs) -> Iterator[Text]:
    """Every line, without trailing blanks. count: meters of the fleet. width: characters of the chart's lines."""
    from rich.text import Text

    yield Text(f"ESI ID {shown.found.meter.identity.esiid}, {', '.join(_where(shown, count))}", style="bold")
    if shown.found.place is None:
        advice = "No meter of that fleet is at this ESI ID: look at its digits, or give the fleet's --count; 'ami meters list' names them."
        yield Text(advice, style="yellow")
    yield Text(", ".join(_what(shown)))
    if shown.found.note:
        yield Text(f"magic: {shown.found.note}; up since 12:00 of this day")
    if shown.found.beside:
        yield Text(f"another meter is at this ESI ID: --meter {', '.join(shown.found.beside)}")
    yield Text()
    yield from (Text(line.rstrip()) for line in _figures(shown))
    for line in _trouble(shown):
        yield Text(line, style="yellow")
    yield Text()
    yield from chart(shown, width, glyphs)
    if shown.marked:
        yield Text()
        yield from (Text(f"  {mark.letter}  {mark.says}") for mark in shown.marked)


def _where(shown: MeterDay, count: int) -> list[str]:
    found = shown.found
    words = [f"meter number {shown.identity.meter_number}", found.tdsp.name]
    if found.place is None:
        return [*words, f"not one of the fleet of {count} meters"]
    if found.place.meter is not None:
        words.append(f"meter {found.place.meter} of {count}")
    return [*words, f"gateway {found.place.gateway}", f"unit {found.place.unit}"]


def _what(shown: MeterDay) -> list[str]:
    premise, identity = shown.found.premise, shown.identity
    words = [
        f"{premise.klass}, zone {premise.zone}, scale {premise.scale:.2f}",
        "three phases" if identity.three_phase else "split phase",
        f"multiplier {shown.multiplier}",
    ]
    if isinstance(shown.found.load, ReplayedLoad):
        own = shown.day in shown.found.load.given
        words = [*words[1:], f"load replayed, {'a day of the file' if own else 'a like day of the file'}"]
    elif premise.solar_w:
        words.append(f"roof {premise.solar_w / 1000:.1f} kW")
    if premise.ev_wh and not isinstance(shown.found.load, ReplayedLoad):
        words.append(f"car {premise.ev_wh / 1000:.1f} kWh a day")
    return words


def _figures(shown: MeterDay) -> Iterator[str]:
    n = len(shown.ends)
    hours = {92: ", the clock goes forward at 02:00", 100: ", 01:00 to 02:00 comes twice"}.get(n, "")
    yield f"{shown.day:%a %Y-%m-%d}, {n} intervals{hours}; as read at {local(shown.now):%H:%M} the next morning"
    yield f"{'':<17}{'delivered':>14}{'received':>14}"
    for name, taken in (("register at 00:00", shown.begin), ("register at 24:00", shown.end)):
        if taken is None:
            yield f"{name:<17}{'none held':>14}{'none held':>14}"
        else:
            yield _pair(name, taken, "kWh" if shown.multiplier == 1 else f"kWh raw, x {shown.multiplier}")
    by = shown.by_registers
    if by is not None:
        yield _pair("  apart", by, "kWh")
    elif shown.begin is not None and shown.end is not None:
        yield f"{'  apart':<17}{'-':>14}{'-':>14}  a register fell"
    missing = n - int(shown.present.sum())
    yield _pair("intervals", shown.totals, "kWh" + (f", {missing} of {n} without a value" if missing else ""))
    if shown.used is not None:
        used = (int(shown.used.delivered.sum()), int(shown.used.received.sum()))
        if used != shown.totals:
            yield _pair("premise's load", used, "kWh")
    for name, highest in (("highest", True), ("lowest", False)):
        at = shown.extreme(shown.delivered, highest=highest)
        if at is not None:
            wh = int(shown.delivered[at])
            yield f"{name:<17}{wh:>14,}{'':>14}  Wh {shown.span_text(at)}, {wh * 3600 / INTERVAL_S / 1000:,.2f} kW"
    if shown.received.any():
        at = shown.extreme(shown.received, highest=True)
        if at is not None:
            wh = int(shown.received[at])
            yield f"{'highest':<17}{'':>14}{wh:>14,}  Wh {shown.span_text(at)}, {wh * 3600 / INTERVAL_S / 1000:,.2f} kW"


def _pair(name: str, wh: tuple[int, int], unit: str) -> str:
    return f"{name:<17}{wh[0] / 1000:>14,.3f}{wh[1] / 1000:>14,.3f}  {unit}"


def _trouble(shown: MeterDay) -> Iterator[str]:
    if shown.reply.wire != "answer" or shown.reply.delay_s:
        yield f"asked then, {wire_text(shown.reply)}"
    if shown.identity.multiplier != shown.multiplier:
        yield f"its header says multiplier {shown.identity.multiplier}"
    if shown.identity.meter_number != shown.found.meter.identity.meter_number:
        yield f"exchanged: {shown.found.meter.identity.meter_number} was here before"
    apart = shown.found.meter.clock(shown.now) - shown.now
    if apart:
        yield f"its clock is {abs(apart):,} s {'fast' if apart > 0 else 'slow'}"
    for fault in shown.faults[:_MOST_FAULTS]:
        yield f"fault: {fault_text(fault)}"
    if len(shown.faults) > _MOST_FAULTS:
        yield f"and {len(shown.faults) - _MOST_FAULTS} faults more: --json tells all"
    for one in shown.lookalikes:
        yield f"no fault: {fault_text(one)}"
