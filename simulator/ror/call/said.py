"""What the agent says, in five sentences at most, what is owed now first; and the marks that tell what is wrong with the data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headend.vee.findings import Finding
from headend.wire import PartialInterval
from meters.calendar import INTERVAL_S, Seconds, local, seconds
from simulator.ror.account import Account, Balance
from simulator.ror.billing.money import kwh, money
from simulator.ror.billing.sheet import LineKind
from simulator.ror.call.analysis import EdgeWorth
from simulator.ror.call.basis import Kind
from simulator.ror.call.on_demand import OnDemand, RequestEnd, Trouble
from simulator.ror.call.stand import Stand

#: Marks that one sentence tells; how many more there are follows.
_MARKS_TOLD = 3


def sentences_of(
    account: Account,
    own: Balance,
    stand: Stand | None,
    edges: Sequence[EdgeWorth],
    running: PartialInterval | None,
    marks: Sequence[str],
    pattern: str,
    *,
    is_open: bool,
    exports: bool = False,
) -> tuple[str, ...]:
    """What the agent says. running: what the meter has counted since the last whole quarter hour. pattern: the sentence that gives way to marks.

    is_open: whether more may come to the cycle than is billed. exports: whether the plan pays for what is given to the grid.
    """
    if stand is None:
        said = [_own_sentence(own)]
    else:
        said = [_owed(account, own, stand), _rests_on(stand, running)]
        if is_open and stand.to < account.cycle_end:
            said.append(_going_to(account, stand, of_any=exports and not stand.projection.draws.roof))
        said += [edge.statement() for edge in edges[:1]]
    last = _joined(marks) or pattern
    return (*said, last) if last else tuple(said)


def _joined(marks: Sequence[str]) -> str:
    more = len(marks) - _MARKS_TOLD
    told = [*marks[:_MARKS_TOLD], *([f"{more} more such marks"] if more > 0 else [])]
    return "; ".join(mark.removesuffix(".") for mark in told) + "." if told else ""


def _own_sentence(own: Balance) -> str:
    if own.due is None:
        return f"On our books: {money(own.amount_due)}; no bill has been sent yet."
    late = ", past due" if own.past_due else ""
    return (
        f"On our books: last bill {money(own.last_bill)}, paid {money(own.paid)}, "
        f"{money(own.amount_due)} due {own.due}{late}."
    )


def _owed(account: Account, own: Balance, stand: Stand) -> str:
    total, owed, books = stand.bill.total, stand.owed, own.amount_due
    about, band = "", ""
    if owed.low != owed.high:
        about, band = "about ", f" ({money(books + owed.low)} to {money(books + owed.high)} in eight of ten)"
    cycle = "for the cycle that has ended" if stand.to >= account.cycle_end else f"for this cycle to {clock(stand.to)}"
    due = "" if own.due is None else f" due {own.due}{', past due' if own.past_due else ''}"
    of_it = (
        f"{money(total)} {cycle} and {money(books)} from before{due}" if books else f"{cycle}, and nothing from before"
    )
    return f"You owe {about}{money(books + total)} by now{band}, with tax: {of_it}."


#: What is expected of a hole, in a sentence; what has no energy is told by a mark.
_SAID = {Kind.NOT_DELIVERED: "expected where none was delivered", Kind.REGISTER: "that the register has more"}


def _rests_on(stand: Stand, running: PartialInterval | None) -> str:
    parts = [f"{kwh(part.wh)} {_SAID.get(part.kind, part.kind.value)}" for part in stand.rests_on if part.wh]
    more = ""
    if running is not None:
        start = clock(seconds(running.start.timestamp()))
        more = (
            f"; since {start} the meter has counted {kwh(running.wh)} kWh more in {running.seconds} s, not billed yet"
        )
    of_it = f": {' + '.join(parts)}" if parts else ""
    return f"That is for {kwh(stand.bill.usage_wh)} kWh{of_it}{more}."


def _going_to(account: Account, stand: Stand, *, of_any: bool) -> str:
    """of_any: whether nothing is known of what the home gives to the grid, though it is to be paid for."""
    ahead, bills = stand.projection, stand.outlook
    no_roof = "; no day of yours tells yet what your home gives to the grid, so that is without it" if of_any else ""
    return (
        f"The cycle to {account.cycle_last} will come to {money(bills.low)} to {money(bills.high)} in eight of ten, {money(bills.expected)} in the mean, "
        f"for {kwh(ahead.total_wh)} kWh ({kwh(ahead.low_wh)} to {kwh(ahead.high_wh)}){no_roof}."
    )


def marks_of(
    account: Account, stand: Stand | None, request: OnDemand, trouble: Trouble | None, doubted: Sequence[Finding]
) -> list[str]:
    """Say why the data are not what was asked for, and what the bill lacks; each a sentence."""
    marks = list(_trouble_marks(request, trouble))
    if stand is None:
        return [*marks, "No interval of this cycle is known: the running cycle is not billed."]
    marks += [f"Told on doubtful data, which are in the bill: {finding.sentence}" for finding in doubted]
    marks += _hole_marks(stand)
    unread = sum(part.given_wh for part in stand.rests_on if part.kind in (Kind.STORE, Kind.METER))
    if unread and any(line.kind is LineKind.EXPORT for line in stand.bill.lines):
        marks.append(
            f"Told on partial data: what was given to the grid since VEE data end is not read, and is in the bill as expected, {kwh(unread)} kWh."
        )
    if request.not_ours:
        return [
            *marks,
            f"Nothing is expected behind {clock(stand.to)}, where our VEE data end: this ESI ID may be ours no more.",
        ]
    known_to = stand.known_to or account.own_start
    if request.end is not RequestEnd.NOT_MADE and known_to < stand.to:
        lacking = (stand.to - known_to) // INTERVAL_S
        marks.append(
            f"Told on partial data: {lacking} intervals from {clock(known_to)} to {clock(stand.to)} were not read and are in the bill as expected."
        )
    return marks


def _trouble_marks(request: OnDemand, trouble: Trouble | None) -> Iterator[str]:
    if trouble is not None:
        yield f"SMT gave no VEE data ({trouble.code}): {trouble.reason.rstrip('.')}."
    failure = request.trouble
    if failure is not None:
        again = "" if failure.retry_at is None else f"; it can be asked again from {clock(failure.retry_at)}"
        yield f"{_ENDED[request.end]} ({failure.code}): {failure.reason.rstrip('.')}{again}."


_ENDED = {
    RequestEnd.REFUSED: "The on-demand read was refused",
    RequestEnd.FAILED: "The on-demand read has failed",
    RequestEnd.UNANSWERED: "The on-demand read was not answered",
}

_WHY = {
    Kind.NEVER_POSTED: "were never posted as VEE and are not in the bill",
    Kind.NOT_DELIVERED: "were not delivered and are in the bill as expected",
    Kind.OTHER_ROR: "were another retailer's and are not in the bill",
}


def _hole_marks(stand: Stand) -> Iterator[str]:
    for hole in stand.holes:
        why = _WHY[hole.why]
        if stand.bill.by_register and hole.why is Kind.NEVER_POSTED:
            why = "were never posted as VEE and are in the bill by the register read alone"
        count = (hole.end - hole.start) // INTERVAL_S
        yield f"Told on partial data: {count} intervals from {clock(hole.start)} to {clock(hole.end)} {why}."


def clock(ts: Seconds) -> str:
    """Local date and time, to the minute."""
    return local(ts).strftime("%Y-%m-%d %H:%M")
