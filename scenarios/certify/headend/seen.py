"""All that is seen of a head-end, id by id: its inquiries in one pass, since a retailer may have many made, then the files that it posts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from scenarios.certify.headend import answered, posted
from scenarios.certify.headend.recorded import Looked
from scenarios.certify.observed import Observation, Observed, sound


def seen(all_of_it: Observed, ids: Collection[str]) -> Iterator[tuple[str, Observation]]:
    """Each observation with its id, those of an id in their order."""
    looked, looks = Looked(all_of_it), [(one, answered.SEEN[one]) for one in ids if one in answered.SEEN]
    for asked in all_of_it.inquiries() if looks else ():
        for ident, look in looks:
            for observation in sound(partial(look, looked, asked)):
                yield ident, observation
    for ident in ids:
        if ident in posted.SEEN:
            for observation in sound(partial(posted.SEEN[ident], all_of_it)):
                yield ident, observation
