"""What the pictures (PNG) of reports share: colours by quality, bare axes, how wide they are, and how one is written. Pages have charts of the kit."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from simulator.web.kinds import KINDS
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, INK, MUTED, GRID = light("paper"), light("ink"), light("muted"), light("grid")


#: Of intervals, by quality and source.
COLOURS = {name: light(one.colour) for name, one in KINDS.items()}
#: How wide a picture is.
INCHES = 11.0


def bare(axes: Axes) -> None:
    """Only the axes that are read, and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED)


def legend(figure: Figure, *found: list[object]) -> None:
    """Names above the chart; handles and labels are those of its axes unless given."""
    figure.legend(*found, loc="outside upper left", ncols=4, frameon=False, fontsize=9)


def png(draw: Callable[[], Figure | None]) -> bytes:
    """A chart as a picture, on the paper of light pages, the same bytes every time; empty where there is nothing to draw."""
    import matplotlib as mpl

    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "hatch.linewidth": 0.6,
        "axes.edgecolor": MUTED,
        "text.color": INK,
        "axes.labelcolor": INK,
    }
    with mpl.rc_context(style):
        figure = draw()
        if figure is None:
            return b""
        out = BytesIO()
        save(figure, out)
    return out.getvalue()


def save(figure: Figure, out: Path | BinaryIO, dpi: int = 100) -> None:
    """Write a picture as PNG, without the version of what drew it. Raises OSError.

    To draw a figure lays it out. matplotlib's own ``savefig`` draws it once for the layout alone and then again, for the same picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dpi)
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})  # type: ignore[no-untyped-call]
