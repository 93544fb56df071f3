"""What is looked at of a retailer, its calls and its bills of golden usages, and by id what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from scenarios.certify.observed import Observed
from scenarios.certify.ror import asked, billed, told
from scenarios.certify.ror.billed import Billed, bills
from scenarios.certify.ror.calls import Called, Seen, calls


class Looked(NamedTuple):
    """All of it."""

    calls: list[Called]
    bills: list[Billed]


def looked(all_of_it: Observed) -> Looked:
    """What there is of it in the steps that can be judged."""
    return Looked(calls(all_of_it), bills(all_of_it))


def _of_calls(seen: Callable[[Sequence[Called]], Seen], looked: Looked) -> Seen:
    return seen(looked.calls)


def _of_bills(seen: Callable[[Sequence[Billed]], Seen], looked: Looked) -> Seen:
    return seen(looked.bills)


#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {}
SEEN |= {ident: partial(_of_calls, seen) for ident, seen in (asked.SEEN | told.SEEN).items()}
SEEN |= {ident: partial(_of_bills, seen) for ident, seen in billed.SEEN.items()}
