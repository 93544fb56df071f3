"""What the kit's macros take of a bill: what it rests on, where its cycle goes, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.lines import Lines
from simulator.web.parts import Part, Table, part_bar
from simulator.web.words import kwh


class MoneyRow(NamedTuple):
    """A part of a bill. ``kind``: of ``KINDS``; empty for what is no energy."""

    kind: str
    word: str
    intervals: int
    #: Whole Wh, and $ with tax.
    wh: int
    usd: Decimal
    #: The same of the other bill beside it.
    other_wh: int = 0
    other_usd: Decimal = Decimal(0)


class Total(NamedTuple):
    """Of a bill: whole Wh, and $ with tax."""

    wh: int
    usd: Decimal


@dataclass(frozen=True, slots=True)
class MoneyParts:
    """What a bill rests on, beside what another one does. The totals are the bills', and not made of the rows."""

    rows: Sequence[MoneyRow]
    total: Total
    #: What the other is called, and its total; None: there is none.
    other: str = ""
    other_total: Total | None = None

    @property
    def sums(self) -> Total:
        """Of the rows."""
        return Total(sum(one.wh for one in self.rows), sum((one.usd for one in self.rows), Decimal(0)))

    @property
    def other_sums(self) -> Total:
        """Of the rows of the other."""
        return Total(sum(one.other_wh for one in self.rows), sum((one.other_usd for one in self.rows), Decimal(0)))

    @property
    def adds_up(self) -> bool:
        """Whether the rows come to the bills."""
        return self.sums == self.total and self.other_total in (None, self.other_sums)

    @property
    def bar(self) -> Markup:
        """The kWh as a lying bar; empty where there are none, or less than none."""
        drawn = [Part(one.kind, one.word, one.wh, f"{kwh(one.wh)} kWh") for one in self.rows if one.kind and one.wh > 0]
        return part_bar(drawn, "kWh of the bill by what is known of them") if drawn else Markup()


class Side(NamedTuple):
    """An edge that the cycle ends on one side of. ``odds``: ways of a hundred that reach it."""

    edge: str
    #: kWh of it, and what is still to go, in words.
    at: str
    to_go: str
    odds: int
    #: The bill in the middle of those ways, and of the others, in words; empty where there are none.
    reached: str
    short: str

    @property
    def bar(self) -> Markup:
        """The two sides as a lying bar, those that reach it first."""
        label = f"{self.odds} of 100 ways reach {self.at}, {100 - self.odds} stay below"
        sides = ((0, self.odds, "reached"), (self.odds, 100 - self.odds, "short"))
        drawn = "".join(
            f'<rect class="{name}" x="{place}%" width="{wide}%" height="18"/>' for place, wide, name in sides if wide
        )
        return Markup(
            f'<svg class="odds" width="100%" height="18" role="img" aria-label="{escape(label)}">{drawn}</svg>'
        )


class BillRow(NamedTuple):
    """What is billed, in words."""

    word: str
    kwh: str
    usd: str
    anchor: str = ""


class Rebilled(NamedTuple):
    """A bill that was told beside the same bill of VEE data. ``tone``: good, bad, or waits."""

    headline: str
    tone: str
    rows: Sequence[BillRow]
    told: Sequence[str] = ()
    #: The bill of VEE data line by line: text and dollars.
    lines: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Fan:
    """Where a cycle goes."""

    chart: Lines
    #: What the chart draws, in words.
    table: Table
    rows: Sequence[BillRow]
    sides: Sequence[Side] = field(default=())
    #: What is wrong with what it rests on, a sentence; empty: nothing.
    short: str = ""


class Piece(NamedTuple):
    """Of a sentence: a text, and where what it says comes from; empty: nowhere."""

    text: str
    href: str = ""


def linked(sentence: str, places: Mapping[str, str]) -> list[Piece]:
    """A sentence in pieces: each figure that has a place, whole numbers only, leads there. places: anchors by the figure as it is written."""
    found: list[Piece] = []
    rest, at = "", 0
    ordered = sorted((one for one in places if one and one in sentence), key=len, reverse=True)
    while at < len(sentence):
        figure = next((one for one in ordered if _stands(sentence, at, one)), "")
        if figure:
            found += [Piece(rest)] * bool(rest) + [Piece(figure, f"#{places[figure]}")]
            rest, at = "", at + len(figure)
        else:
            rest, at = rest + sentence[at], at + 1
    return found + [Piece(rest)] * bool(rest)


def _stands(sentence: str, at: int, figure: str) -> bool:
    """Whether a figure stands here, and is not a part of a longer number."""
    end = at + len(figure)
    if sentence[at:end] != figure:
        return False
    before, after = sentence[at - 1 : at], sentence[end : end + 2]
    return not (before.isdigit() or (before in ("$", ".", ",", "-") and before)) and not (
        after[:1].isdigit() or (after[:1] in (".", ",") and after[1:].isdigit())
    )


def said(sentences: Iterable[str], places: Mapping[str, str]) -> list[list[Piece]]:
    """What an agent says, sentence by sentence."""
    return [linked(one, places) for one in sentences]
