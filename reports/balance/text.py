"""A statement in lines: what was read, the bill, where it goes, what the file's values are that were not taken."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.ror.files.read import UsageFile
from simulator.ror.statement import Statement


def lines(told: Statement, usage: UsageFile) -> Iterator[str]:
    """Each without its end."""
    yield f"{usage.file}: {usage.sentence()}"
    for one in usage.found:
        yield f"  {one}"
    yield ""
    yield f"{told.plan.name}, cycle {told.account.cycle_first} to {told.account.cycle_last}"
    if told.stand is not None:
        for line in told.stand.bill.lines:
            yield f"  {line.amount:>10,.2f}  {line.kind.value}{f', {line.text}' if line.text else ''}"
        yield f"  {told.stand.bill.total:>10,.2f}  {'bill' if told.closed else 'bill to date'}, $"
    yield ""
    yield from told.sentences()
