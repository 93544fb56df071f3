"""The curve of a plan's cost as a picture: dollars against kWh, its edges marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reports.chart_parts import COLOURS, INCHES, INK, MUTED, PAPER, bare, save
from reports.plan.curve import Curve
from simulator.ror.errors import RorError


def write_png(drawn: Curve, path: Path) -> None:
    """Draw the curve into a file. Raises RorError where it cannot be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES, 5.0), layout="constrained")
    axes = figure.subplots()
    bare(axes)
    kwh, dollars = drawn.wh / 1000, drawn.cents / 100
    # A line across an edge would be a price that nobody pays.
    breaks = np.searchsorted(drawn.wh, [edge.wh for edge in drawn.edges])
    for part in np.split(np.arange(len(kwh)), breaks):
        axes.plot(kwh[part], dollars[part], color=COLOURS["actual"], linewidth=2)
    top = float(dollars.max())
    for at, edge in enumerate(drawn.edges):
        axes.axvline(edge.wh / 1000, color=MUTED, linestyle="--", linewidth=1)
        told = f"{edge.text}\n${drawn.at(edge.wh - 1)} before, ${drawn.at(edge.wh)} at it"
        left = edge.wh > drawn.wh[-1] / 2
        axes.annotate(
            told,
            (edge.wh / 1000, top * (1.08 - 0.11 * (at % 4))),
            (-6 if left else 6, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=9,
            color=INK,
            # Dollars are no formulas.
            parse_math=False,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
        )
    axes.set_xlim(0, float(kwh[-1]))
    axes.set_ylim(min(0.0, float(dollars.min())), top * 1.1)
    axes.set_xlabel("kWh in a month of 30 days, the same in every quarter hour")
    axes.set_ylabel("$ with tax")
    axes.set_title(f"{drawn.plan.name}, from {drawn.first}", loc="left", color=INK)
    try:
        save(figure, path)
    except OSError as error:
        text = f"The picture cannot be written: {error.strerror}."
        raise RorError("ror.plan.png", text, str(path), "Name another --png.") from None
