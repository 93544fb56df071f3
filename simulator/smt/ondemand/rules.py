"""What parties are held to, beyond what stops a request at the door: one table, ``rules.csv``, and a finding of one of its rules.

Its sources: a requirement or a decision of DOMAIN §1; D is a default of this project. ``{}`` is filled with the value. Of several fatal rules that one
answer breaks, the first in the table is told as the reason.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

#: Characters of a finding's field and of its value that are kept.
LONGEST = 200
#: The rule by which a meter was read for a request that had no allowance: that counts as a use.
UNALLOWED = "METER-NOT-ALLOWED"


class Rule(NamedTuple):
    """One row of the table."""

    id: str
    #: Who breaks it: head-end or requester.
    author: str
    source: str
    #: Ends the request as failed.
    fatal: bool
    sentence: str


class Finding(NamedTuple):
    """A rule that was broken, in which field and by what."""

    rule: str
    field: str
    value: str

    @property
    def said(self) -> str:
        """It in words."""
        return RULES[self.rule].sentence.format(self.value)


def _table() -> dict[str, Rule]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: Rule(**row | {"fatal": row["fatal"] == "yes"}) for row in csv.DictReader(file)}


RULES = _table()


def finding(rule: str, field: str, value: object) -> Finding:
    """A finding as every database and page can hold it: from outside may come anything of any length."""
    return Finding(rule, *(_writable(str(text)) for text in (field, value)))


def _writable(text: str) -> str:
    kept = text.encode(errors="replace").decode().replace("\0", "?")
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 3] + "..."
