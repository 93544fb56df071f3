"""One emulated AMS meter: the premise's load seen through a place, a register, a clock and faults, at whatever instant one asks.

What it shows follows from its identity, load and faults, and from the few commands it was given (switch, clock); a day is computed when
asked for and kept only while it is among the last few.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, floor_interval, seconds
from meters.device import clock as meter_clock
from meters.device.counting import Counting
from meters.device.energy import WHOLE, Energy, Share
from meters.device.record import Record, recorded, running, shown_at
from meters.device.supply import Switch, declared_open, outages, united
from meters.errors import MeterError
from meters.events import EventKind, MeterEvent
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import FaultKind
from meters.faults.lookalike import Lookalike, unread_midnights
from meters.faults.overlay import overlay
from meters.faults.replies import reply
from meters.identity import MeterIdentity, Premise, esiid_hash
from meters.kernels.philox import philox4x32, words
from meters.load.lookalikes import fits, with_lookalikes
from meters.load.premises import service_wh
from meters.load.truth import ERA, GeneratedLoad, PremiseLoad
from meters.shown import Command, CommandKind, Live, Power, Reply, Window, Wire, WriteResult
from meters.status import has_value, lacks_received

#: A clock is set by at most so much at once, from what it shows. Default of this project.
CLOCK_LIMIT_S = seconds(3600)
#: Commands for switch and clock that a meter takes, each: what it shows depends on all of them, and memory is bounded.
MOST_COMMANDS = 1000
_REMEMBERED_DAYS = 4
#: As many as are shown, and the next.
_REMEMBERED_MIDNIGHTS = 41
#: Counter word of the voltage draw, which the load's blocks never use.
_VOLTAGE = np.uint64(0xFF)


#: Keeps a command of a meter; False if it cannot.
Keep = Callable[["EmulatedMeter", Command], bool]


class EmulatedMeter:
    """A meter at a premise. Instants called ``now`` or ``at`` are true UTC epoch seconds; labels of intervals are by its own clock."""

    def __init__(
        self,
        identity: MeterIdentity,
        premise: Premise,
        seed: int,
        faults: Sequence[Fault] = (),
        *,
        load: PremiseLoad | None = None,
        share: Share = WHOLE,
        energy: Energy | None = None,
        keep: Keep | None = None,
        lookalikes: Sequence[Lookalike] = (),
    ) -> None:
        """load: what the premise uses; generated for it unless given. share: of two meters at one ESI ID. energy: instead of both.

        keep: keeps a command before it is carried out; False: it cannot be kept, and the meter does not obey. lookalikes: of the premise.

        Raises MeterError when identity, premise and faults are not of one ESI ID (but for a swap), or the premise has no load curve.
        """
        swapped = {fault.other for fault in faults if fault.kind is FaultKind.SWAP}
        strangers = {fault.esiid for fault in faults if fault.esiid != identity.esiid}
        strangers |= {premise.esiid} - (swapped or {identity.esiid})
        if len(swapped) > 1:
            raise MeterError(
                "meters.fault.swap",
                "A meter cannot be swapped with two others.",
                place=identity.esiid,
                mend="Keep one.",
            )
        if strangers:
            raise MeterError(
                "meters.meter.mixed",
                f"Meter {identity.meter_number} is at {identity.esiid}, but its premise or faults are at {min(strangers)}.",
                place=identity.esiid,
            )
        self.identity = identity
        self.premise = premise
        self.seed = seed
        self.faults = tuple(faults)
        self._hash = esiid_hash(identity.esiid)
        self.lookalikes = tuple(one for one in lookalikes if fits(one, premise))
        self._unread = unread_midnights(self.lookalikes, seed)
        usual = load if load is not None else GeneratedLoad(seed, premise)
        used = with_lookalikes(usual, self.lookalikes, premise, identity.multiplier)
        self._energy = energy or Energy(used, service_wh(identity.multiplier), share)
        self._energy.without_power([(outage.first, outage.until) for outage in outages(faults)] + declared_open(faults))
        self._switch = Switch()
        self._clock_writes: list[tuple[Seconds, Seconds]] = []
        self.keep = keep
        self._clock = meter_clock.pieces(faults, ())
        self._counting = Counting(identity, faults, self._energy)
        self._outages = outages(faults)
        self._days: OrderedDict[tuple[date, int, int, int], Window] = OrderedDict()
        self._midnights: OrderedDict[tuple[Seconds, int], tuple[int, int]] = OrderedDict()

    # What it is, and what time it has.

    @property
    def commands(self) -> int:
        """How many commands have changed its switch or clock."""
        return len(self._clock_writes) + len(self._switch.operations)

    @property
    def load(self) -> PremiseLoad:
        """What the premise uses, look-alikes and all."""
        return self._energy.load

    @property
    def restless(self) -> bool:
        """Whether it may have something to tell: a power or clock fault, or a command that it was given."""
        kinds = (FaultKind.OUTAGE, FaultKind.DISCONNECTED, FaultKind.CLOCK_DRIFT, FaultKind.CLOCK_SET)
        return bool(self.commands) or any(fault.kind in kinds for fault in self.faults)

    @property
    def coarse(self) -> bool:
        """Whether a pulse of it is more than a Wh."""
        return max(self.identity.multiplier, self._counting.multiplier) > 1

    def number(self, at: Seconds) -> str:
        """Number of the meter that hangs there."""
        return self._counting.identity(self._counting.exchanges(at)).meter_number

    def identity_at(self, now: Seconds) -> MeterIdentity:
        """Who answers: after an exchange another meter; one that is programmed with a wrong multiplier says so."""
        return self._counting.identity(self._counting.exchanges(self._shift(now)))

    def clock(self, now: Seconds) -> Seconds:
        """The meter's own clock."""
        now = self._shift(now)
        return self._pieces(now)[-1].at(now)

    # What it shows.

    def window(self, start: Seconds, end: Seconds, now: Seconds) -> Window:
        """The intervals labelled [start, end) as it holds them at ``now``; the caller looks no further than the meter's clock."""
        if start % INTERVAL_S or end % INTERVAL_S or start > end:
            raise MeterError("meters.window.unaligned", f"[{start}, {end}) is not a span of whole intervals.")
        now = self._shift(now)
        parts = []
        at = start
        while at < end:
            day = day_of(at)
            begins = day_start(day)
            shown = self._day(day, now)
            low = (at - begins) // INTERVAL_S
            high = min((end - begins) // INTERVAL_S, len(shown.status))
            cut = slice(low, high)
            parts.append(Window(shown.delivered[cut], shown.received[cut], shown.status[cut], shown.present[cut]))
            at = begins + high * INTERVAL_S
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Window(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0, np.bool_))
        return Window(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def midnight(self, day: date, now: Seconds) -> tuple[int, int] | None:
        """The registers, delivered and received, raw, as it took them when its clock began ``day``; None if it holds none."""
        if day < ERA or day in self._unread:
            return None
        asked, now = now, self._shift(now)
        after = self._counting.exchanges(now)
        at = shown_at(day_start(day), self._pieces(now))
        if at is None or at > now or at < self._counting.installed(after):
            return None
        if self._reads_zero(asked):
            return (0, 0)
        taken = self._midnights.get((at, after))
        if taken is None:
            taken = self._midnights[at, after] = self._counting.registers(at, after, self._counting.totals(at, after))
            if len(self._midnights) > _REMEMBERED_MIDNIGHTS:
                self._midnights.popitem(last=False)
        return taken

    def live(self, now: Seconds) -> Live:
        """What it shows at ``now``. Within the running interval energy grows linearly."""
        asked, now = now, self._shift(now)
        after, clock = self._counting.exchanges(now), self._pieces(now)
        shown = clock[-1].at(now)
        label = floor_interval(shown)
        totals = self._counting.totals(now, after)
        registers = self._counting.registers(now, after, totals)
        if self._reads_zero(asked):
            registers = totals = (0, 0)
        partial = running(label, now, self._counting, clock, after)
        return Live(
            time=shown,
            delivered_register=registers[0],
            received_register=registers[1],
            delivered_total=totals[0],
            received_total=totals[1],
            partial_delivered=partial[0],
            partial_received=partial[1],
            partial_seconds=shown - label,
            switch_closed=self._switch_closed(now),
        )

    def power(self, now: Seconds) -> Power:
        """What it shows of its line at ``now``."""
        now = self._shift(now)
        began = floor_interval(now)
        used = np.diff(self._energy.wanted(np.array([began, began + INTERVAL_S])))
        failed = any(outage.covers(now) for outage in self._outages)
        return Power(
            watts=int(used[0, 0] - used[1, 0]) * 3600 // INTERVAL_S if self._energy.powered(now) else 0,
            decivolts=0 if failed else self._decivolts(began),
            failed=failed,
        )

    def reply(self, now: Seconds) -> Reply:
        """How it behaves on the wire."""
        return reply(self.faults, self.seed, self._hash, now)

    def registers(self, at: Seconds) -> tuple[int, int]:
        """The dials at an instant, delivered and received, raw, whatever is shown of them on the wire."""
        after = self._counting.exchanges(at)
        return self._counting.registers(at, after, self._counting.totals(at, after))

    def used(self, first: Seconds, until: Seconds) -> tuple[int, int]:
        """Wh that the premise has drawn and given between two instants, or would have with power."""
        delivered, received = np.diff(self._energy.used(np.array([first, until])))[:, 0].tolist()
        return delivered, received

    def under(self, faults: Sequence[Fault]) -> EmulatedMeter:
        """This meter, at its load and with the commands that it was given, under other faults: a swap stays as it is."""
        made = EmulatedMeter(
            self.identity, self.premise, self.seed, faults, energy=self._energy.twin(), lookalikes=self.lookalikes
        )
        for at, shown in self._clock_writes:
            made.restore(Command(CommandKind.CLOCK, at, shown))
        for at, closed in self._switch.operations:
            made.restore(Command(CommandKind.SWITCH, at, int(closed)))
        return made

    # What it is told, and what it tells.

    def set_clock(self, now: Seconds, to: Seconds) -> WriteResult:
        """Set the clock to ``to``, at most ``CLOCK_LIMIT_S`` from what it shows."""
        by = to - self.clock(now)
        if abs(by) > CLOCK_LIMIT_S or len(self._clock_writes) >= MOST_COMMANDS:
            return WriteResult.REFUSED
        # By the difference: a stale display shows another clock than the one that is set.
        return self._take(Command(CommandKind.CLOCK, now, self._pieces(now)[-1].at(now) + by))

    def operate_switch(self, now: Seconds, closed: bool) -> WriteResult:
        """Open or close the service switch; a command for the position it is in changes nothing."""
        if self._switch_closed(now) == closed:
            return WriteResult.DONE
        declared = any(first <= now < until for first, until in declared_open(self.faults))
        if declared or len(self._switch.operations) >= MOST_COMMANDS:
            return WriteResult.REFUSED
        return self._take(Command(CommandKind.SWITCH, now, int(closed)))

    def suffer(self, faults: Sequence[Fault]) -> None:
        """Have other faults from now on. What differs from those before lies ahead: nothing that was shown is unsaid. Raises MeterError for a stranger's."""
        if any(fault.esiid != self.identity.esiid for fault in faults):
            raise MeterError("meters.meter.mixed", "The fault is of another ESI ID.", place=self.identity.esiid)
        self.faults = tuple(faults)
        self._clock = meter_clock.pieces(self.faults, self._clock_writes)
        self._outages = outages(self.faults)
        self._without_power()
        self._counting = Counting(self.identity, self.faults, self._energy)

    def restore(self, command: Command) -> None:
        """Carry a command out that was taken once, in the order of then."""
        if command.kind is CommandKind.CLOCK:
            self._clock_writes.append((command.at, seconds(command.to)))
            self._clock = meter_clock.pieces(self.faults, self._clock_writes)
            return
        self._switch.operations.append((command.at, bool(command.to)))
        self._without_power()

    def events(self, start: Seconds, end: Seconds) -> list[MeterEvent]:
        """What it tells unasked in [start, end), by time. Where its wire or its gateway's path is dead then, nobody hears of it, then or later."""
        happened: list[tuple[Seconds, EventKind]] = []
        for fault in self.faults:
            if fault.kind is FaultKind.OUTAGE:
                momentary = fault.until - fault.first < fault.params["momentary_s"]
                if fault.params["last_gasp"] and not momentary:
                    happened.append((fault.first, EventKind.LAST_GASP))
                restored = fault.until + int(fault.params["restoration_s"])
                # Out again before it could tell: the later outage's end does.
                if not any(other.first <= restored < other.until for other in self._outages):
                    happened.append((restored, EventKind.MOMENTARY if momentary else EventKind.RESTORATION))
            elif fault.kind is FaultKind.CLOCK_SET:
                happened += [(fault.first, EventKind.CLOCK_SET), (fault.until, EventKind.CLOCK_SET)]
            elif fault.kind is FaultKind.CLOCK_DRIFT:
                happened.append((fault.until, EventKind.CLOCK_SET))
        for first, until in united(declared_open(self.faults) + self._switch.open_spans()):
            happened += [(first, EventKind.DISCONNECTED), (until, EventKind.CONNECTED)]
        happened += [(at, EventKind.CLOCK_SET) for at, _ in self._clock_writes]
        return sorted(
            MeterEvent(at, self.identity.esiid, self.number(at), kind)
            for at, kind in happened
            if start <= at < end and at < FOR_EVER and self._heard(at, kind)
        )

    # How it comes about.

    def _heard(self, at: Seconds, kind: EventKind) -> bool:
        """Whether an event of that instant gets out by the meter's wire; a last gasp does so without the power that fails just then."""
        by = [
            fault
            for fault in self.faults
            if not (kind is EventKind.LAST_GASP and fault in self._outages and fault.first == at)
        ]
        return reply(by, self.seed, self._hash, at).wire not in (Wire.SILENT, Wire.NO_PATH)

    def _take(self, command: Command) -> WriteResult:
        if self.keep is not None and not self.keep(self, command):
            return WriteResult.FAILED
        self.restore(command)
        return WriteResult.DONE

    def _without_power(self) -> None:
        """Say anew when nothing flows."""
        spans = [(outage.first, outage.until) for outage in self._outages] + declared_open(self.faults)
        self._energy.without_power(spans + self._switch.open_spans())
        self._days.clear()
        self._midnights.clear()

    def _shift(self, now: Seconds) -> Seconds:
        """The instant that a stale display shows."""
        for fault in self.faults:
            if fault.kind is FaultKind.STALE and fault.covers(now):
                return now - int(fault.params["seconds"])
        return now

    def _reads_zero(self, now: Seconds) -> bool:
        return any(fault.kind is FaultKind.ZERO_READ and fault.covers(now) for fault in self.faults)

    def _pieces(self, now: Seconds) -> Sequence[meter_clock.Piece]:
        return meter_clock.known(self._clock, now)

    def _switch_closed(self, now: Seconds) -> bool:
        declared = any(first <= now < until for first, until in declared_open(self.faults))
        return self._switch.closed(now) and not declared

    def _day(self, day: date, now: Seconds) -> Window:
        """The day of labels, as shown at ``now`` and after, until something changes that it depends on."""
        key = (day, len(self._pieces(now)), self._counting.exchanges(now), len(self._clock_writes))
        if key in self._days:
            self._days.move_to_end(key)
            return self._days[key]
        delivered, received, status = self._recorded(day, now)
        overlay(self.faults, day_start(day), delivered, received, status, lambda at: self._recorded_value(at, now))
        present = has_value(status)
        delivered[~present], received[lacks_received(status)] = 0, 0
        made = Window(delivered, received, status, present)
        for column in made:
            column.flags.writeable = False
        self._days[key] = made
        if len(self._days) > _REMEMBERED_DAYS:
            self._days.popitem(last=False)
        return made

    def _recorded_value(self, at: Seconds, now: Seconds) -> tuple[int, int]:
        delivered, received, _ = self._recorded(day_of(at), now)
        place = (at - day_start(day_of(at))) // INTERVAL_S
        return int(delivered[place]), int(received[place])

    def _recorded(self, day: date, now: Seconds) -> Record:
        after = self._counting.exchanges(now)
        return recorded(day, self._energy, self._counting, self._pieces(now), after, self._outages)

    def _decivolts(self, began: Seconds) -> int:
        """Within 1.7 % of the nominal 240 V between two legs, or 208 V between two phases; another value each interval."""
        low, high = words(self._hash)
        word = philox4x32(low, high, np.uint64(began // INTERVAL_S), _VOLTAGE, *words(self.seed))[0]
        return 2045 + int(word) % 71 if self.identity.three_phase else 2360 + int(word) % 81
