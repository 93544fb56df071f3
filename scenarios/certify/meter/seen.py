"""By id what is seen of a meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scenarios.certify.meter import before, power, registers, requests, ring, written
from scenarios.certify.meter.before import Readings, Seen


def _where_straight(look: Callable[[Readings], Seen]) -> Callable[[Readings], Seen]:
    """What the status of an interval tells only where each lies in its slot: in a ring that is turned it is another interval's."""

    def seen(its: Readings) -> Seen:
        turned = next((one for one in registers.SEEN["MT-SLOTS"](its) if one.held is False), None)
        if turned is not None:
            yield replace(turned, held=None, said="MT-SLOTS does not hold")
        else:
            yield from look(its)

    return seen


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = (
    before.SEEN | requests.SEEN | ring.SEEN | registers.SEEN | power.SEEN | written.SEEN
)
SEEN |= {ident: _where_straight(SEEN[ident]) for ident in ("MT-SAVING", "MT-MARKED")}
