"""The throttle over a table, compiled: a twin of ``counts`` and ``decision``, which say what each rule is; a machine of tests holds it to them.

Submissions ascend, so a window or an entry that the latest one has left behind is never looked at again. What a limit remembers of one scope
value is ``STRIDE`` numbers from ``OFFSET + value * APART`` on:

* calendar window: its start, what is taken in it (used and held);
* rolling successes, under way: a ring of instants, its head and length before it;
* rolling octets: head, length, sum, a ring of (instant, octets; while held: minus the estimate);
* tokens: level and instant of what is settled, level and instant after the latest take, head, length, a ring of (instant, 1 while held else 0);
* breaker: open since (0: closed), the probe that is out (0: none), head, length, a ring of the failures' instants.
"""

from __future__ import annotations

from typing import Any, Protocol

from meters.calendar import Seconds
from meters.kernels.jit import lean_kernel
from simulator.capacity.engine.table import (
    A_DAY,
    AMOUNT,
    APART,
    BURST,
    CLASSES,
    CODE,
    COOL_DOWN,
    DOORS,
    EXPECTED,
    FIELDS,
    HEADER,
    KINDS,
    MEASURE,
    METER_FAILURES,
    OCTETS,
    OFFSET,
    PER_S,
    ROLLING_DAY,
    ROLLING_HOUR,
    SCOPE,
    STRIDE,
    SUCCESSES,
    TOKENS,
    UNDER_WAY,
    WEIGHT,
    WINDOW,
    WITHIN,
    Longs,
)

_HOUR: Any = 3600
_NEVER: Any = 0


class Asking(Protocol):
    """What the throttle must know of a request: by position in their enums, or by number."""

    place: int
    ror: int
    requester_class: int
    tdsp: int
    access_point: int
    kind: int
    door: int


@lean_kernel
def _concerned(t: Longs, b: int, one: Asking) -> bool:
    """Whether a limit counts a request. Kinds are ``InquiryKind``s: a power status is the last."""
    status = 1 if one.kind == 2 else 0
    return bool((t[b + KINDS] >> status) & (t[b + DOORS] >> one.door) & (t[b + CLASSES] >> one.requester_class) & 1)


@lean_kernel
def _memory_of(t: Longs, b: int, one: Asking) -> int:
    """Where a limit remembers what concerns a request."""
    scope = t[b + SCOPE]
    if scope == 0:
        value = one.place
    elif scope == 1:
        value = one.ror
    elif scope == 2:
        value = one.requester_class
    else:
        value = one.tdsp if scope == 3 else one.access_point
    return int(t[b + OFFSET] + value * t[b + APART])


@lean_kernel
def look(t: Longs, memory: Longs, one: Asking, now: Seconds) -> tuple[int, Seconds]:
    """The number in CODE of the limit that refuses a request at ``now`` and binds longest, -1 if none does; when it lets it in again. Changes nothing."""
    refusing, longest = -1, _NEVER
    for at in range(t[0]):
        b = HEADER + at * FIELDS
        if not _concerned(t, b, one):
            continue
        ok, retry_at = _admits(t, b, memory, _memory_of(t, b, one), now)
        if not ok and (refusing < 0 or (longest != _NEVER and (retry_at == _NEVER or retry_at > longest))):
            refusing, longest = t[b + CODE], retry_at
    return refusing, longest


@lean_kernel
def take(t: Longs, memory: Longs, one: Asking, now: Seconds) -> None:
    """Hold a place in every limit that counts a request which ``look`` has let in."""
    for at in range(t[0]):
        b = HEADER + at * FIELDS
        if _concerned(t, b, one):
            _reserve(t, b, memory, _memory_of(t, b, one), now)


@lean_kernel
def end(
    t: Longs, memory: Longs, one: Asking, since: Seconds, now: Seconds, success: bool, octets: int, meter_failed: bool
) -> None:
    """End what a request of the instant ``since`` holds."""
    for at in range(t[0]):
        b = HEADER + at * FIELDS
        if _concerned(t, b, one):
            _settle(t, b, memory, _memory_of(t, b, one), since, now, success, octets, meter_failed)


@lean_kernel
def day_place(t: Longs, now: Seconds) -> int:
    """The place in the table of the operating day's start that an instant lies in; the next day's stands behind it."""
    at = t[1] + (now - t[t[1]]) // 86400
    while t[at] > now:
        at -= 1
    while t[at + 1] <= now:
        at += 1
    return int(at)


@lean_kernel
def _calendar(t: Longs, b: int, now: Seconds) -> tuple[Seconds, Seconds]:
    if t[b + WINDOW] == A_DAY:
        at = day_place(t, now)
        return t[at], t[at + 1]
    start = now - now % _HOUR
    return start, start + _HOUR


@lean_kernel
def _length(t: Longs, b: int) -> int:
    """Seconds of a rolling window, 0 of one by the calendar."""
    return _HOUR if t[b + WINDOW] == ROLLING_HOUR else 24 * _HOUR if t[b + WINDOW] == ROLLING_DAY else 0


@lean_kernel
def _admits(t: Longs, b: int, memory: Longs, p: int, now: Seconds) -> tuple[bool, Seconds]:
    measure, amount = t[b + MEASURE], t[b + AMOUNT]
    if measure == TOKENS:
        return _bucket_admits(t, b, memory, p, now)
    if measure == METER_FAILURES:
        if memory[p] == 0:
            return True, now
        half_open = memory[p] + t[b + COOL_DOWN]
        if now < half_open:
            return False, half_open
        if memory[p + 1] == 0:
            return True, now
        return False, max(now + 1, memory[p + 1] + t[b + EXPECTED])
    if measure == UNDER_WAY:
        if memory[p + 1] < amount:
            return True, now
        return False, max(now + 1, memory[p + 2 + memory[p]] + t[b + EXPECTED]) if amount else _NEVER
    length = _length(t, b)
    room = amount - t[b + WEIGHT]
    if length == 0:
        start, over = _calendar(t, b, now)
        taken = memory[p + 1] if memory[p] == start else 0
        return room >= taken, over if room >= 0 else _NEVER
    if measure == SUCCESSES:
        inside, at = memory[p + 1], memory[p]
        while inside and memory[p + 2 + at] <= now - length:
            inside, at = inside - 1, (at + 1) % amount
        if inside <= room:
            return True, now
        return False, memory[p + 2 + at] + length if amount else _NEVER
    return _octets_admit(t, b, memory, p, now, room, length)


@lean_kernel
def _octets_admit(
    t: Longs, b: int, memory: Longs, p: int, now: Seconds, room: int, length: int
) -> tuple[bool, Seconds]:
    ring, at, n = (t[b + STRIDE] - 3) // 2, memory[p], memory[p + 1]
    leaving = memory[p + 2] - room
    for _ in range(n):
        spent, since = abs(memory[p + 4 + 2 * at]), memory[p + 3 + 2 * at]
        if since > now - length:
            break
        leaving, at, n = leaving - spent, (at + 1) % ring, n - 1
    if leaving <= 0:
        return True, now
    for _ in range(n):
        leaving -= abs(memory[p + 4 + 2 * at])
        if leaving <= 0:
            return False, memory[p + 3 + 2 * at] + length
        at = (at + 1) % ring
    return False, _NEVER


@lean_kernel
def _filled(t: Longs, b: int, level: int, span: int) -> int:
    return int(min(t[b + BURST] * t[b + PER_S], level + t[b + AMOUNT] * span))


@lean_kernel
def _begin_bucket(t: Longs, b: int, memory: Longs, p: int, now: Seconds) -> None:
    """A bucket that nobody has taken from is full."""
    if memory[p + 1] == 0:
        memory[p] = memory[p + 2] = t[b + BURST] * t[b + PER_S]
        memory[p + 1] = memory[p + 3] = now


@lean_kernel
def _bucket_admits(t: Longs, b: int, memory: Longs, p: int, now: Seconds) -> tuple[bool, Seconds]:
    full = memory[p + 1] == 0
    at = now if full else max(now, memory[p + 3])
    level = t[b + BURST] * t[b + PER_S] if full else _filled(t, b, memory[p + 2], at - memory[p + 3])
    if level >= t[b + PER_S]:
        return True, at
    if t[b + AMOUNT] == 0 or t[b + BURST] == 0:
        return False, _NEVER
    return False, at - (level - t[b + PER_S]) // t[b + AMOUNT]


@lean_kernel
def _reserve(t: Longs, b: int, memory: Longs, p: int, now: Seconds) -> None:
    measure, amount = t[b + MEASURE], t[b + AMOUNT]
    if measure == UNDER_WAY:
        memory[p + 2 + (memory[p] + memory[p + 1]) % amount] = now
        memory[p + 1] += 1
    elif measure == METER_FAILURES:
        if memory[p]:
            memory[p + 1] = now
    elif measure == TOKENS:
        _begin_bucket(t, b, memory, p, now)
        ring = (t[b + STRIDE] - 6) // 2
        place = p + 6 + 2 * ((memory[p + 4] + memory[p + 5]) % ring)
        memory[place], memory[place + 1] = now, 1
        memory[p + 5] += 1
        memory[p + 2] = _filled(t, b, memory[p + 2], now - memory[p + 3]) - t[b + PER_S]
        memory[p + 3] = now
    elif _length(t, b) == 0:
        start, _ = _calendar(t, b, now)
        if memory[p] != start:
            memory[p], memory[p + 1] = start, 0
        memory[p + 1] += t[b + WEIGHT]
    elif measure == SUCCESSES:
        while memory[p + 1] and memory[p + 2 + memory[p]] <= now - _length(t, b):
            memory[p], memory[p + 1] = (memory[p] + 1) % amount, memory[p + 1] - 1
        memory[p + 2 + (memory[p] + memory[p + 1]) % amount] = now
        memory[p + 1] += 1
    else:
        ring = (t[b + STRIDE] - 3) // 2
        while memory[p + 1] and memory[p + 3 + 2 * memory[p]] <= now - _length(t, b):
            memory[p + 2] -= abs(memory[p + 4 + 2 * memory[p]])
            memory[p], memory[p + 1] = (memory[p] + 1) % ring, memory[p + 1] - 1
        place = p + 3 + 2 * ((memory[p] + memory[p + 1]) % ring)
        memory[place], memory[place + 1] = now, -t[b + WEIGHT]
        memory[p + 1] += 1
        memory[p + 2] += t[b + WEIGHT]


@lean_kernel
def _strike(memory: Longs, first: int, width: int, ring: int, head: int, n: int, at: int) -> None:
    """Take one entry out of a ring; those behind it move up."""
    for one in range(at, n - 1):
        here, there = first + width * ((head + one) % ring), first + width * ((head + one + 1) % ring)
        for column in range(width):
            memory[here + column] = memory[there + column]


@lean_kernel
def _find(memory: Longs, first: int, width: int, ring: int, head: int, n: int, since: Seconds) -> int:
    """The first entry of an instant, by its place from the head; n if none is."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if memory[first + width * ((head + middle) % ring)] < since:
            low = middle + 1
        else:
            high = middle
    return low if low < n and memory[first + width * ((head + low) % ring)] == since else n


@lean_kernel
def _settle(
    t: Longs,
    b: int,
    memory: Longs,
    p: int,
    since: Seconds,
    now: Seconds,
    success: bool,
    octets: int,
    meter_failed: bool,
) -> None:
    measure, amount = t[b + MEASURE], t[b + AMOUNT]
    if measure == UNDER_WAY or (measure == SUCCESSES and _length(t, b)):
        if measure == UNDER_WAY or not success:
            at = _find(memory, p + 2, 1, amount, memory[p], memory[p + 1], since)
            if at < memory[p + 1]:
                _strike(memory, p + 2, 1, amount, memory[p], memory[p + 1], at)
                memory[p + 1] -= 1
    elif measure == TOKENS:
        _settle_bucket(t, b, memory, p, since, success)
    elif measure == METER_FAILURES:
        _settle_breaker(t, b, memory, p, since, now, success, meter_failed)
    elif _length(t, b) == 0:
        start, _ = _calendar(t, b, since)
        if memory[p] == start:
            spent = octets if measure == OCTETS else 1 if success else 0
            memory[p + 1] += spent - t[b + WEIGHT]
    else:
        ring, head, n = (t[b + STRIDE] - 3) // 2, memory[p], memory[p + 1]
        at = _find(memory, p + 3, 2, ring, head, n, since)
        while at < n and memory[p + 3 + 2 * ((head + at) % ring)] == since:
            place = p + 4 + 2 * ((head + at) % ring)
            if memory[place] == -t[b + WEIGHT]:
                memory[p + 2] += octets - t[b + WEIGHT]
                memory[place] = octets
                if octets == 0:
                    _strike(memory, p + 3, 2, ring, head, n, at)
                    memory[p + 1] -= 1
                break
            at += 1


@lean_kernel
def _settle_bucket(t: Longs, b: int, memory: Longs, p: int, since: Seconds, success: bool) -> None:
    ring, head, n = (t[b + STRIDE] - 6) // 2, memory[p + 4], memory[p + 5]
    at = _find(memory, p + 6, 2, ring, head, n, since)
    while at < n and memory[p + 7 + 2 * ((head + at) % ring)] == 0:
        at += 1
    if success:
        memory[p + 7 + 2 * ((head + at) % ring)] = 0
    else:
        # As if it had never been asked for: the takes since are counted again without it.
        _strike(memory, p + 6, 2, ring, head, n, at)
        n -= 1
        level, as_of = memory[p], memory[p + 1]
        for one in range(n):
            when = memory[p + 6 + 2 * ((head + one) % ring)]
            level, as_of = _filled(t, b, level, when - as_of) - t[b + PER_S], when
        memory[p + 2], memory[p + 3] = level, as_of
    # What is settled before the first that is held goes into the mark.
    while n and memory[p + 7 + 2 * (head % ring)] == 0:
        when = memory[p + 6 + 2 * head]
        memory[p], memory[p + 1] = _filled(t, b, memory[p], when - memory[p + 1]) - t[b + PER_S], when
        head, n = (head + 1) % ring, n - 1
    memory[p + 4], memory[p + 5] = head, n


@lean_kernel
def _settle_breaker(
    t: Longs, b: int, memory: Longs, p: int, since: Seconds, now: Seconds, success: bool, meter_failed: bool
) -> None:
    amount = t[b + AMOUNT]
    if memory[p]:
        if since < memory[p] + t[b + COOL_DOWN]:
            return
        memory[p + 1] = 0
        if meter_failed:
            memory[p] = now
        elif success:
            memory[p] = 0
        return
    if not meter_failed:
        return
    while memory[p + 3] and memory[p + 4 + memory[p + 2]] <= now - t[b + WITHIN]:
        memory[p + 2], memory[p + 3] = (memory[p + 2] + 1) % amount, memory[p + 3] - 1
    memory[p + 4 + (memory[p + 2] + memory[p + 3]) % amount] = now
    memory[p + 3] += 1
    if memory[p + 3] >= amount:
        memory[p], memory[p + 3] = now, 0
