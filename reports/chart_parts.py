"""What the charts of a scenario's report share: colours and hatching by quality, bare axes, the days of the cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1c2733", "#5a6875", "#dde4ea"


class Kind(NamedTuple):
    """How intervals of one quality and source are drawn."""

    label: str
    colour: str
    hatch: str


KINDS = {
    "actual": Kind("VEE, actual", "#1f5f8b", ""),
    "estimated": Kind("VEE, estimated", "#e3b23c", "////"),
    "store": Kind("non-VEE, from the head-end's store", "#7fb79b", "----"),
    "meter": Kind("non-VEE, read from the meter", "#c8553d", "xxxx"),
}


def bare(axes: Axes) -> None:
    """Only the axes that are read, and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED)
