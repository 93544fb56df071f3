"""How an interval is known: the kinds of quality and source, each with its word, colour and pattern. One table for pages and pictures."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

#: Pixels of a pattern's tile.
_TILE = 6


class Kind(NamedTuple):
    """One kind. It is told by colour, by pattern and in words, so that neither an eye for colours nor a screen is needed."""

    #: What legends and tables call it.
    word: str
    #: Name of its colour in the palette.
    colour: str
    #: Lines of its tile as SVG path data; empty: a plain area.
    lines: str


ACTUAL, ESTIMATED, STORE, METER, EXPECTED, MISSING = "actual", "estimated", "store", "meter", "expected", "missing"
#: In the order of legends. The lines run over the tile's edges, so that tiles join without a gap.
KINDS: dict[str, Kind] = {
    ACTUAL: Kind("VEE, actual", "vee-actual", ""),
    ESTIMATED: Kind("VEE, estimated", "vee-estimated", "M-1,7 7,-1M-4,4 4,-4M2,10 10,2"),
    STORE: Kind("non-VEE, from the head-end's store", "from-store", "M0,1.5H6M0,4.5H6"),
    METER: Kind("non-VEE, read from the meter", "from-meter", "M-1,-1 7,7M-4,2 4,10M2,-4 10,4"),
    EXPECTED: Kind("expected, not known", "expected", "M0,3H6M3,0V6"),
    MISSING: Kind("no value", "muted", "M3,0V6"),
}


def fill(kind: str) -> Markup:
    """What an SVG element of a kind is filled with: nothing for a plain one, which the stylesheet colours."""
    return Markup(f' fill="url(#k-{kind})"' if KINDS[kind].lines else "")


def patterns() -> Markup:
    """The patterns, once on a page whatever it shows."""
    tiles = "".join(
        f'<pattern id="k-{name}" width="{_TILE}" height="{_TILE}" patternUnits="userSpaceOnUse">'
        f'<rect class="tile" data-of="{name}" width="{_TILE}" height="{_TILE}"/><path class="lines" d="{kind.lines}"/></pattern>'
        for name, kind in KINDS.items()
        if kind.lines
    )
    return Markup(f'<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>{tiles}</defs></svg>')


def colours() -> str:
    """The stylesheet's rules that follow from the table."""
    plain = "".join(
        f"[data-kind={name}],[data-legend={name}]{{fill:var(--{kind.colour})}}"
        for name, kind in KINDS.items()
        if not kind.lines
    )
    tiles = "".join(f"[data-of={name}]{{fill:var(--{kind.colour})}}" for name, kind in KINDS.items() if kind.lines)
    return plain + tiles
