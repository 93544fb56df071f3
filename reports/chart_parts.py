"""What the charts of reports share: colours and hatching by quality, bare axes, the widths they are drawn for, and how one becomes SVG."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.web import kinds
from simulator.web.palette import VARIABLE, light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, INK, MUTED, GRID = light("paper"), light("ink"), light("muted"), light("grid")


class Kind(NamedTuple):
    """How intervals of one quality and source are drawn."""

    label: str
    colour: str
    hatch: str


KINDS = {
    name: Kind(one.word, light(one.colour), one.hatch) for name, one in kinds.KINDS.items() if name != kinds.MISSING
}


class Width(NamedTuple):
    """What a chart is drawn for, as the stylesheet names it. Its text is then 11 to 14 px high on the screen."""

    name: str
    inches: float
    #: Columns of its legend.
    columns: int


WIDE, NARROW = Width("wide", 11.0, 4), Width("narrow", 4.0, 1)


def bare(axes: Axes) -> None:
    """Only the axes that are read, and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED)


def legend(figure: Figure, width: Width, *found: list[object]) -> None:
    """Names above the chart; handles and labels are those of its axes unless given."""
    figure.legend(*found, loc="outside upper left", ncols=width.columns, frameon=False, fontsize=9)


def svg(name: str, draw: Callable[[], Figure | None]) -> str:
    """A chart as an SVG document, the same bytes every time; empty where there is nothing to draw."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    # Text stays text: it can be read aloud, searched and enlarged.
    with _styled({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure = draw()
        if figure is None:
            return ""
        out = StringIO()
        canvas = FigureCanvasSVG(figure)
        figure.set_dpi(canvas.fixed_dpi)
        # What savefig does but for drawing it once before, to lay it out, which drawing does by itself.
        told = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.print_svg(out, metadata=told)  # type: ignore[no-untyped-call]
    return out.getvalue()


def png(draw: Callable[[], Figure | None]) -> bytes:
    """The same as a picture, on the paper of light pages; empty where there is nothing to draw."""
    with _styled({}):
        figure = draw()
        if figure is None:
            return b""
        out = BytesIO()
        figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def _styled(more: dict[str, Any]) -> AbstractContextManager[None]:
    import matplotlib as mpl

    style = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "hatch.linewidth": 0.6,
        "axes.edgecolor": MUTED,
        "text.color": INK,
        "axes.labelcolor": INK,
    }
    return mpl.rc_context(style | more)  # type: ignore[arg-type]


def inline(document: str) -> str:
    """An SVG document as part of a page: without what is a document's alone, its colours those of the page's paper."""
    shown = document[document.index("<svg") :]
    shown = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>| xmlns(:xlink)?=\"[^\"]*\"", "", shown, flags=re.DOTALL)
    # Only what is referred to (by a hash) keeps its id: a page holds several charts.
    shown = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", shown)
    shown = re.sub(r'fill="(#[0-9a-f]{6})"', r'style="fill: \1"', shown)
    return re.sub(r"(?<=: )#[0-9a-f]{6}", lambda found: VARIABLE.get(found[0], found[0]), shown)
