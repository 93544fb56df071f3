"""By id what is seen of an SMT; of those without a look of their own what was expected of the actions that cite them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from meters.calendar import (
    to_s,
)
from scenarios.certify.observed import Observation
from scenarios.certify.smt import allowance, answers, portal, posted, requests
from scenarios.certify.smt.asked import Seen
from scenarios.certify.smt.looked import Looked
from scenarios.evidence import Evidence
from scenarios.judging.expectations import action_check
from scenarios.rules.certified import of_role
from simulator.verdicts import Mark


def _expected(ident: str) -> Callable[[Looked], Seen]:
    """What was expected of the actions that cite an id, held against what came of them."""

    def seen(looked: Looked) -> Seen:
        for step in looked.steps:
            assert step.recording is not None
            for action in step.recording.scenario.timeline:
                if ident in action.verifies:
                    evidence = Evidence(step.recording, action.account)
                    found = action_check(evidence, action)
                    said = "; ".join(f"{one.what} is {one.found}, not {one.expected}" for one in found.failures)
                    # A log-in names no request: it is known by its instant.
                    at = evidence.at(action)
                    beside = [one.n for wire in (step.market, step.portal) for one in wire if to_s(one.at_us) == at]
                    its = step.numbers(action.ref) or tuple(beside)
                    yield Observation(step.name, action.ref, found.mark is Mark.PASSED, said or found.happened, its)

    return seen


def _and(first: Callable[[Looked], Seen], then: Callable[[Looked], Seen]) -> Callable[[Looked], Seen]:
    return lambda looked: chain(first(looked), then(looked))


_OWN: dict[str, Callable[[Looked], Seen]] = requests.SEEN | allowance.SEEN | answers.SEEN | posted.SEEN | portal.SEEN
_OWN |= {ident: _and(_expected(ident), more) for ident, more in posted.BESIDE.items()}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {one.id: _OWN.get(one.id) or _expected(one.id) for one in of_role("smt")}
