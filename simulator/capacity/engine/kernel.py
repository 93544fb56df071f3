"""The life of every request, compiled: what ``submit``, ``fulfil`` and ``answer_inquiry`` do over simpy, over arrays and one heap of events.

An event is an instant and ``sequence << 29 | row << 3 | what``. The sequence is given when the event is scheduled, as simpy gives it: so of the
thousands that a batch makes at one instant each has its turn where simpy has it. ``law`` says where in the tables ``t``, which stay as they are,
and in the memory ``m`` everything lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headend.network.law import READ_OCTETS, RETRY_WAITS_US, TRY_TIMEOUT_US
from headend.network.law import TRIES as MOST_TRIES
from headend.ondemand.gap import GAP_LIMIT
from meters.calendar import INTERVAL_S, Micros, Seconds, micros, seconds, to_us
from meters.kernels.jit import lean_kernel
from meters.kernels.prefetch import prefetch
from simulator.capacity.engine import draws
from simulator.capacity.engine.law import Law, Longs
from simulator.capacity.engine.rows import TURNS, Row, Rows, blank
from simulator.capacity.engine.throttle import day_place, end, look, take
from simulator.capacity.engine.use import COUNTED, MIDDLE, ON_AIR, QUEUED, RESTING, TRIES, WAITING, span_of, spend

#: How a request ends, as ``outcome.ENDS`` numbers it.
COMPLETED, REFUSED, FAILED, T_FAILED, EXPIRED = range(5)
#: More rows than these have no number in an event.
MOST_ROWS = 1 << 26
#: What an event is.
_PICKED_UP, _NOT_COME, _NO_TIME, _HEARD, _SILENT, _AGAIN, _BACK, _ASKED = range(8)
#: Positions in ``InquiryKind`` and ``Source``.
_INTERVALS, _POWER = 0, 2
_METER_ONLY, _STORE_ONLY = 0, 2
#: Of a row's ``flags``: the meter may be read; once or twice, how the middle tier loses it; its answer comes too late; its meter always answers;
#: SMT held the answer.
_ALLOWED, _LOST, _LATE, _GOOD, HELD = 1, 2, 8, 16, 32
#: From ``counts_place`` on: events in the heap, the latest sequence, rows, when the caller whose request has just ended asks again, the first of the
#: pick-ups and how many there are, whether there was no room for an event.
EVENTS, _SEQUENCE, ROWS, _ASKS_AT, _FIRST, _PICKUPS, TOO_MANY, COUNTS = range(8)
#: From an ESI ID's own place on, behind the store's span: when the latest reads by kind were answered, the gap of that of intervals; numbers with and without these.
_READS, _READ_GAP, OWN, OWN_SPAN = 2, 5, 7, 2
#: Later than anything.
_NEVER_US: Any = 1 << 62
#: So many rows ahead the memory of an ESI ID is sent for.
_AHEAD = 6
#: So many places behind the heap are looked at too.
HEAP_MORE = 3
_S: Any = to_us(1)
_INTERVAL: Any = INTERVAL_S
_INTERVAL_US: Any = to_us(INTERVAL_S)
_GAP_S = GAP_LIMIT * INTERVAL_S
_WAITS = np.asarray(RETRY_WAITS_US, dtype=np.int64)
_TIMEOUT_US, _TRIES, _OCTETS = TRY_TIMEOUT_US, MOST_TRIES, READ_OCTETS


@lean_kernel
def _push(law: Law, m: Longs, at_us: Micros, row: int, what: int) -> None:
    """Schedule an event."""
    heap, events, counts = law.heap_place, law.events_place, law.counts_place
    m[counts + _SEQUENCE] += 1
    n = m[counts + EVENTS]
    if n == law.most_events:
        m[counts + TOO_MANY] = 1
        return
    m[counts + EVENTS] = n + 1
    # At one instant what is scheduled later comes later, and this is the latest.
    while n and m[heap + ((n - 1) >> 2)] > at_us:
        above = (n - 1) >> 2
        m[heap + n], m[events + n] = m[heap + above], m[events + above]
        n = above
    m[heap + n], m[events + n] = at_us, m[counts + _SEQUENCE] << 29 | row << 3 | what


@lean_kernel
def _pop(law: Law, m: Longs) -> None:
    """Take the first event out."""
    heap, events, counts = law.heap_place, law.events_place, law.counts_place
    n = m[counts + EVENTS] - 1
    m[counts + EVENTS] = n
    at_us, event = m[heap + n], m[events + n]
    m[heap + n] = _NEVER_US
    hole = 0
    while 4 * hole + 1 < n:
        # Which of the four is the least nobody can foresee, so nothing branches on it. Places behind the last have an instant that does not come.
        one = 4 * hole + 1
        a, b, c, d = m[heap + one], m[heap + one + 1], m[heap + one + 2], m[heap + one + 3]
        left, right = min(a, b), min(c, d)
        first_us = min(left, right)
        least = one + ((b < a) if left <= right else 2 + (d < c))
        if (a == first_us) + (b == first_us) + (c == first_us) + (d == first_us) > 1:
            for other in range(least + 1, one + 4):
                if m[heap + other] == first_us and m[events + other] < m[events + least]:
                    least = other
        if first_us > at_us or (first_us == at_us and m[events + least] > event):
            break
        m[heap + hole], m[events + hole] = first_us, m[events + least]
        hole = least
    if n:
        m[heap + hole], m[events + hole] = at_us, event


@lean_kernel
def _push_pickup(law: Law, m: Longs, at_us: Micros, row: int) -> None:
    """Schedule a pick-up in a batch, none of which comes before one that was scheduled earlier."""
    counts = law.counts_place
    m[counts + _SEQUENCE] += 1
    n = m[counts + _PICKUPS]
    if n == law.most_events:
        m[counts + TOO_MANY] = 1
        return
    m[counts + _PICKUPS] = n + 1
    place = law.pickups_place + 2 * ((m[counts + _FIRST] + n) % law.most_events)
    m[place], m[place + 1] = at_us, m[counts + _SEQUENCE] << 29 | row << 3 | _PICKED_UP


@lean_kernel
def _later(law: Law, m: Longs, now_us: Micros, at_us: Micros, row: int, what: int, where: int) -> None:
    """Schedule an event of a request, and count where it is until then."""
    spend(law, m, law.use_place + where, COUNTED, now_us, at_us)
    _push(law, m, at_us, row, what)


@lean_kernel
def _gap(law: Law, t: Longs, at_us: Micros) -> tuple[Seconds, Seconds]:
    """See ``headend.ondemand.gap``."""
    day = day_place(t, at_us // _S)
    posted = t[day] if at_us >= t[day] * _S + law.posted_us else t[day - 1]
    right = at_us // _INTERVAL_US * _INTERVAL
    return (posted, posted) if right <= posted else (max(posted, right - _GAP_S), right)


@lean_kernel
def _dark(law: Law, t: Longs, point: int, at_us: Micros) -> bool:
    for span in range(t[law.outages_place + point], t[law.outages_place + point + 1], 3):
        if t[span] <= at_us < t[span + 1]:
            return True
    return False


@lean_kernel
def _known_off(law: Law, t: Longs, one: Row, at_us: Micros) -> bool:
    """Whether the head-end was told of the meter's power failure."""
    if one.gasped:
        for span in range(t[law.outages_place + one.access_point], t[law.outages_place + one.access_point + 1], 3):
            if t[span + 2] <= at_us < t[span + 1]:
                return True
    return False


@lean_kernel
def _stored(law: Law, t: Longs, m: Longs, one: Row, start: Seconds, now_us: Micros) -> Seconds:
    """To where the store knows the intervals from ``start`` on: the last sweep that read the meter, and what reads have brought."""
    state, after_us = draws.meter(law, one.esi)
    if state < law.good:
        one.flags = one.flags | _GOOD
    at = _swept(law, t, m, one, start, now_us, state, after_us)
    span = law.own_place + law.own_apart * one.place
    return m[span + 1] if m[span] <= at < m[span + 1] else at


@lean_kernel
def _swept(
    law: Law, t: Longs, m: Longs, one: Row, start: Seconds, now_us: Micros, state: float, after_us: Micros
) -> Seconds:
    """To where sweeps have brought the intervals from ``start`` on. state, after_us: the meter's, and when in a sweep it is read."""
    at = start
    sweep = draws.last_from(t, m, law.cursors_place + 1, law.sweeps_place, law.sweeps_n, now_us - after_us)
    while sweep >= law.sweeps_place:
        read_us = t[sweep] + after_us
        reaches = read_us // _INTERVAL_US * _INTERVAL
        if reaches <= at:
            break
        if not _dark(law, t, one.access_point, read_us) and draws.answers(law, t, one.esi, state, read_us):
            at = reaches
            break
        sweep -= 1
    return at


@lean_kernel
def _extend(law: Law, m: Longs, place: int, begins: Seconds, ends: Seconds) -> None:
    """A read has brought the intervals of a span. Of two that do not touch the later one counts: a sweep has reached its begin."""
    span = law.own_place + law.own_apart * place
    if m[span] <= ends and begins <= m[span + 1]:
        begins, ends = min(begins, m[span]), max(ends, m[span + 1])
    elif begins < m[span]:
        return
    m[span], m[span + 1] = begins, ends


@lean_kernel
def _submit(law: Law, t: Longs, m: Longs, one: Row) -> None:
    """See ``lifecycle.submit``: the row has ended, or is taken on."""
    at_us, kind = one.planned_us, one.kind
    if law.reuse_us:
        start, until = _gap(law, t, at_us) if kind == _INTERVALS else (0, 0)
        own = law.own_place + law.own_apart * one.place
        answered_us, gap = m[own + _READS + kind], own + _READ_GAP
        young = answered_us > 0 and answered_us > at_us - law.reuse_us
        if young and (kind != _INTERVALS or m[gap] <= start < m[gap + 1]):
            one.end, one.done_us = COMPLETED, at_us
            reach = min(m[gap + 1], until)
            one.reach = reach if reach > start else seconds(0)
            return
    if law.push_to_smt and kind == _INTERVALS and law.source != _METER_ONLY:
        start, until = _gap(law, t, at_us)
        state, after_us = draws.meter(law, one.esi)
        held = _swept(law, t, m, one, start, at_us, state, after_us)
        if held > start and held + law.store_within >= until:
            one.flags, one.end, one.done_us, one.reach = HELD, COMPLETED, at_us, min(held, until)
            return
    retry_at = seconds(0)
    if law.source == _STORE_ONLY:
        one.code = law.store_only_code
    else:
        code, retry_at = look(t, m, one, at_us // _S)
        if code < 0:
            take(t, m, one, at_us // _S)
            one.flags = _ALLOWED
            return
        one.code = code
    if kind != _INTERVALS or law.source == _METER_ONLY:
        one.end, one.done_us, one.retry_at = REFUSED, at_us, retry_at


@lean_kernel
def _begun(law: Law, t: Longs, m: Longs, one: Row) -> None:
    """Schedule what comes next of a row that was submitted: its pick-up, or that its caller asks again."""
    if one.end >= 0:
        _ask_again(law, m, one)
        return
    at_us = one.planned_us
    picked_us, one.done_us, lost = draws.middle_way(law, t, m, one.call, one.attempt, at_us)
    one.flags = one.flags | _LOST * lost
    picked_us = min(picked_us, at_us + law.expiry_us)
    if law.batched:
        spend(law, m, law.use_place + MIDDLE, COUNTED, at_us, picked_us)
        _push_pickup(law, m, picked_us, one.row)
    else:
        _later(law, m, at_us, picked_us, one.row, _PICKED_UP, MIDDLE)


@lean_kernel
def _ask_again(law: Law, m: Longs, one: Row) -> None:
    """A caller who was not told in the call may ask again."""
    told = one.reach > 0 if one.kind == _INTERVALS else one.end == COMPLETED
    if not told or one.done_us - one.planned_us > one.patience_us:
        at_us = draws.calls_again(law, one.call, one.attempt, one.requester_class, one.done_us)
        m[law.counts_place + _ASKS_AT] = at_us


@lean_kernel
def _asks_again(law: Law, m: Longs, r: Rows, one: Row) -> None:
    """A row for the caller who asks again, if there is room for it."""
    counts = law.counts_place
    at_us, new = m[counts + _ASKS_AT], m[counts + ROWS]
    m[counts + _ASKS_AT], m[counts + ROWS] = -1, new + 1
    if new < len(r):
        again = r[new]
        blank(again, new)
        again.planned_us, again.call, again.attempt = at_us, one.call, one.attempt + 1
        again.patience_us = draws.patience_again_us(law, one.call, one.attempt + 1)
        again.esi, again.place, again.ror, again.gasped = one.esi, one.place, one.ror, one.gasped
        again.requester_class, again.kind, again.door = one.requester_class, one.kind, one.door
        again.access_point, again.tdsp, again.repeat_of = one.access_point, one.tdsp, one.row
        _push(law, m, at_us, new, _ASKED)


@lean_kernel
def _answer(law: Law, m: Longs, one: Row, now_us: Micros, outcome: int) -> None:
    """The head-end has answered; the answer goes back."""
    one.outcome = outcome
    left = max(0, one.planned_us + law.expiry_us - now_us)
    if one.done_us > left:
        one.flags = one.flags | _LATE
    _later(law, m, now_us, now_us + min(one.done_us, left), one.row, _BACK, MIDDLE)


@lean_kernel
def _unanswered(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    gasp = one.kind == _POWER and _known_off(law, t, one, now_us)
    _answer(law, m, one, now_us, COMPLETED if gasp else FAILED)


@lean_kernel
def _swept_until(law: Law, t: Longs, m: Longs, at_us: Micros) -> Micros:
    """When the sweep is over that runs at an instant; 0 if none does."""
    sweep = draws.last_from(t, m, law.cursors_place + 1, law.sweeps_place, law.sweeps_n, at_us)
    over_us = t[sweep] + law.sweep_takes_us
    return over_us if sweep >= law.sweeps_place and at_us < over_us else micros(0)


@lean_kernel
def _busy(law: Law, m: Longs, until_us: Micros) -> None:
    """The worker that is free first is busy until."""
    free, n, at = law.workers_place, law.workers, 0
    while 2 * at + 1 < n:
        below = 2 * at + 1
        if below + 1 < n and m[free + below + 1] < m[free + below]:
            below += 1
        if m[free + below] >= until_us:
            break
        m[free + at] = m[free + below]
        at = below
    m[free + at] = until_us


@lean_kernel
def _try(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """Try the meter, or find that no time is left for it; see ``answer_inquiry``."""
    point = law.points_place + one.access_point
    taken_up_us = max(now_us, m[law.workers_place]) if law.workers else now_us
    start_us = max(taken_up_us, m[point])
    swept_us = _swept_until(law, t, m, start_us) if law.sweep_rule else micros(0)
    if swept_us and law.sweep_rule == 2:
        start_us, swept_us = swept_us, _swept_until(law, t, m, swept_us)
    if start_us + _TIMEOUT_US > one.planned_us + law.expiry_us:
        if law.workers:
            _busy(law, m, taken_up_us)
        if taken_up_us > now_us:
            until_us = min(taken_up_us, one.planned_us + law.expiry_us)
            _later(law, m, now_us, until_us, one.row, _NO_TIME, QUEUED)
        else:
            _unanswered(law, t, m, one, now_us)
        return
    out_us, back_us, heard = draws.tried(law, one.call, one.attempt, one.tries)
    if _dark(law, t, one.access_point, start_us):
        heard = False
    elif heard and not one.flags & _GOOD:
        state, _ = draws.meter(law, one.esi)
        heard = draws.answers(law, t, one.esi, state, one.planned_us)
    slot_us = law.service_us * (2 if swept_us and law.sweep_rule == 1 else 1)
    m[point] = start_us + (slot_us if heard else max(slot_us, law.unheard_us))
    spend(law, m, law.held_place + one.access_point, law.use_points, start_us, m[point])
    end_us = start_us + (out_us + back_us if heard else _TIMEOUT_US)
    if law.workers:
        _busy(law, m, end_us)
    spend(law, m, law.use_place + QUEUED, COUNTED, now_us, taken_up_us)
    spend(law, m, law.use_place + WAITING, COUNTED, taken_up_us, start_us)
    m[law.use_place + TRIES + COUNTED * span_of(law, start_us)] += 1
    _later(law, m, start_us, end_us, one.row, _HEARD if heard else _SILENT, ON_AIR)


@lean_kernel
def _picked_up(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """The middle tier has it; the head-end looks into its store, then at its meter."""
    answer_by = one.planned_us + law.expiry_us
    if one.flags >= _LOST or now_us >= answer_by:
        _later(law, m, now_us, now_us + max(0, min(one.done_us, answer_by - now_us)), one.row, _NOT_COME, MIDDLE)
        return
    if one.kind == _INTERVALS:
        start, until = _gap(law, t, one.planned_us)
        one.retry_at = start
        if law.source != _METER_ONLY:
            stored = _stored(law, t, m, one, start, now_us)
            one.retry_at = stored
            if stored + law.store_within >= until:
                _answer(law, m, one, now_us, COMPLETED)
                return
    if one.kind == _POWER and law.last_gasp_answers and _known_off(law, t, one, now_us):
        _answer(law, m, one, now_us, COMPLETED)
    elif one.flags & _ALLOWED:
        _try(law, t, m, one, now_us)
    else:
        _answer(law, m, one, now_us, REFUSED)


@lean_kernel
def _worth_a_try(law: Law, t: Longs, one: Row, now_us: Micros) -> bool:
    return one.tries < (1 if _known_off(law, t, one, now_us) else _TRIES)


@lean_kernel
def _over(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros, how: int) -> None:
    """See ``lifecycle._end``."""
    tried = one.tries > 0
    if one.flags & _ALLOWED:
        success, failed = tried and how == COMPLETED, tried and how == FAILED
        end(t, m, one, one.planned_us // _S, now_us // _S, success, one.tries * _OCTETS, failed)
    if one.kind == _INTERVALS and one.outcome >= 0:
        start, until = _gap(law, t, one.planned_us)
        reach = until if one.outcome == COMPLETED and tried else min(one.retry_at, until)
        one.reach = reach if reach > start else seconds(0)
    answered_us = now_us - one.done_us
    one.end, one.done_us, one.retry_at = how, now_us, seconds(0)
    if how == REFUSED:
        now = -(-now_us // _S)
        code, retry_at = look(t, m, one, now)
        if code >= 0:
            one.code = code
        one.retry_at = retry_at if code >= 0 else now
    else:
        one.code = -1
    if law.reuse_us and how == COMPLETED and tried:
        own = law.own_place + law.own_apart * one.place
        if answered_us > m[own + _READS + one.kind]:
            m[own + _READS + one.kind] = answered_us
            if one.kind == _INTERVALS:
                m[own + _READ_GAP], m[own + _READ_GAP + 1] = _gap(law, t, one.planned_us)
    _ask_again(law, m, one)


@lean_kernel
def _come_back(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """The head-end's answer is at SMT, or too late."""
    how = one.outcome
    if one.flags & _LATE:
        how = EXPIRED
    elif how == REFUSED and law.source == _STORE_ONLY:
        how = COMPLETED
    _over(law, t, m, one, now_us, how)


@lean_kernel
def _not_come(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """It is lost on the way, or its time was over before it was picked up."""
    expired = now_us >= one.planned_us + law.expiry_us
    _over(law, t, m, one, now_us, EXPIRED if expired else FAILED if (one.flags // _LOST) & 1 else T_FAILED)


@lean_kernel
def _heard(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """The meter has answered: the store has its intervals."""
    one.tries = one.tries + 1
    if one.kind == _INTERVALS:
        _, until = _gap(law, t, one.planned_us)
        _extend(law, m, one.place, one.retry_at, until)
    _answer(law, m, one, now_us, COMPLETED)


@lean_kernel
def _silent(law: Law, t: Longs, m: Longs, one: Row, now_us: Micros) -> None:
    """The time-out of a try is over."""
    one.tries = one.tries + 1
    if _worth_a_try(law, t, one, now_us):
        again_us = min(now_us + _WAITS[one.tries - 1], one.planned_us + law.expiry_us)
        _later(law, m, now_us, again_us, one.row, _AGAIN, RESTING)
    else:
        _unanswered(law, t, m, one, now_us)


@lean_kernel
def _happens(law: Law, t: Longs, m: Longs, one: Row, what: int, now_us: Micros) -> None:
    """One event."""
    if what == _PICKED_UP:
        _picked_up(law, t, m, one, now_us)
    elif what == _BACK:
        _come_back(law, t, m, one, now_us)
    elif what == _HEARD:
        _heard(law, t, m, one, now_us)
    elif what == _SILENT:
        _silent(law, t, m, one, now_us)
    elif what in (_AGAIN, _NO_TIME) and now_us >= one.planned_us + law.expiry_us:
        # Nobody waits any more, and SMT is told of no try.
        one.tries = 0
        _not_come(law, t, m, one, now_us)
    elif what == _AGAIN and _worth_a_try(law, t, one, now_us):
        _try(law, t, m, one, now_us)
    elif what in (_AGAIN, _NO_TIME):
        _unanswered(law, t, m, one, now_us)
    elif what == _NOT_COME:
        _not_come(law, t, m, one, now_us)
    else:
        _submit(law, t, m, one)
        _begun(law, t, m, one)


@lean_kernel
def play(laws: Rows, t: Longs, m: Longs, r: Rows, planned: int) -> int:
    """Take every row to its end: ``planned`` ones, ascending, and behind them those that are asked again.

    Returns how many rows it needed, which may be more than there is room for: then, or if there were too many events, nothing is right.
    """
    law = laws[0]
    heap, events, counts = law.heap_place, law.events_place, law.counts_place
    m[counts + ROWS], m[counts + _ASKS_AT] = planned, -1
    for place in range(heap, heap + law.most_events + HEAP_MORE):
        m[place] = _NEVER_US
    at, turn, due_us = 0, 0, r[0].planned_us if planned else _NEVER_US
    # The latest instant at which a request came or ended, how often these two took turns there, and whether the latest came.
    latest_us, turns, came = micros(-1), 0, False
    while m[counts + ROWS] <= len(r) and not m[counts + TOO_MANY]:
        now_us, event = m[heap], m[events]
        pickup = law.pickups_place + 2 * m[counts + _FIRST]
        # The head-end is a call away, so what is picked up is behind all else that is due at that instant: a retry, half a minute after half a minute.
        picked_up = m[counts + _PICKUPS] > 0 and m[pickup] < now_us
        if picked_up:
            now_us, event = m[pickup], m[pickup + 1]
        if now_us < due_us or (now_us == due_us < _NEVER_US and event >> 29 < turn):
            if picked_up:
                m[counts + _FIRST] = (m[counts + _FIRST] + 1) % law.most_events
                m[counts + _PICKUPS] -= 1
            else:
                _pop(law, m)
            one = r[(event >> 3) & (MOST_ROWS - 1)]
            _happens(law, t, m, one, event & 7, now_us)
            if one.end >= 0 or event & 7 == _ASKED:
                comes = event & 7 == _ASKED
                turns = min(turns + (comes != came), TURNS - 1) if now_us == latest_us else 0
                latest_us, came = now_us, comes
                one.turns = one.turns + (turns if comes else turns * TURNS)
            if m[counts + _ASKS_AT] >= 0:
                _asks_again(law, m, r, one)
            continue
        if at == planned:
            break
        # All that are planned for one instant are submitted before any of them goes on, and the next instant has its turn before them.
        begin, now_us = at, due_us
        turns = min(turns + (not came), TURNS - 1) if now_us == latest_us else 0
        latest_us, came = now_us, True
        while at < planned and r[at].planned_us == now_us:
            own = law.own_apart * r[min(at + _AHEAD, planned - 1)].place
            prefetch(m, own)
            prefetch(m, law.own_place + own)
            _submit(law, t, m, r[at])
            r[at].turns = turns
            at += 1
        due_us = r[at].planned_us if at < planned else _NEVER_US
        m[counts + _SEQUENCE] += 1
        turn = m[counts + _SEQUENCE]
        for row in range(begin, at):
            _begun(law, t, m, r[row])
            if m[counts + _ASKS_AT] >= 0:
                _asks_again(law, m, r, r[row])
    return int(m[counts + ROWS])
