"""A workload as a picture: requests by class over the days, and how many meters are without power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headend.wire import InquiryKind
from meters.calendar import CPT, INTERVAL_S, Seconds, instants, local, local_us, micros, seconds, to_us
from reports.chart_parts import INCHES, INK, bare, legend, save
from simulator.capacity.workload.columns import CLASSES, KINDS, Workload
from simulator.errors import SimulatorError
from simulator.smt.throttle.limits import RequesterClass
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Of each class its name and colour.
SHOWN = {
    RequesterClass.ROR_CALL_CENTRE: ("call centres", "served-read"),
    RequesterClass.ROR_BULK: ("bulk jobs", "vee-estimated"),
    RequesterClass.CUSTOMER: ("customers", "from-store"),
    RequesterClass.HOME_AUTOMATION: ("home automation", "from-meter"),
    RequesterClass.CSP: ("CSPs", "muted"),
}
#: One or two days are counted by quarter hours, so that what comes together is seen; more of them by the hour.
_COARSE = seconds(3600)
_NOTHING = 0.4


def write_png(workload: Workload, path: Path) -> None:
    """Draw a workload into a file. Raises SimulatorError where it cannot be written."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    dark = len(workload.outages) > 0
    step = INTERVAL_S if workload.ends - workload.begins < 3 * 86_400 else _COARSE
    figure = Figure(figsize=(INCHES, 6.5 if dark else 4.5), layout="constrained")
    panels = figure.subplots(1 + dark, 1, squeeze=False, sharex=True, height_ratios=[3, 2][: 1 + dark])[:, 0]
    for panel in panels:
        bare(panel)
    _requests(panels[0], workload, step)
    if dark:
        _outages(panels[1], workload)
    locator = AutoDateLocator(tz=CPT)  # type: ignore[no-untyped-call]
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=CPT, show_offset=False))  # type: ignore[no-untyped-call]
    panels[-1].set_xlim(local(workload.begins), local(workload.ends))
    panels[-1].set_xlabel(f"Central Prevailing Time, from {local(workload.begins):%Y-%m-%d} on")
    panels[0].set_title(workload.title or workload.name, loc="left", color=INK)
    legend(figure, *panels[0].get_legend_handles_labels())
    try:
        save(figure, path)
    except OSError as error:
        text = f"The picture cannot be written: {error.strerror}."
        raise SimulatorError("capacity.workload.png", text, str(path), "Name another --png.") from None


def _requests(panel: Axes, workload: Workload, step: Seconds) -> None:
    edges = [*instants(workload.begins, workload.ends, step), workload.ends]
    rows, shown = workload.requests, [local(at) for at in edges]
    is_status = rows.kind == KINDS.index(InquiryKind.POWER)
    for statuses in (False, True):
        counts = rows.take(is_status == statuses).counts(to_us(np.asarray(edges)))
        for at, asker in enumerate(CLASSES):
            if counts[at].any():
                name, colour = SHOWN[asker]
                panel.stairs(
                    # On this scale nothing lies below the panel.
                    np.maximum(counts[at], _NOTHING),
                    shown,  # type: ignore[arg-type]
                    baseline=None,
                    color=light(colour),
                    linewidth=1.4,
                    linestyle=":" if statuses else "-",
                    label=f"{name}, power statuses" if statuses else name,
                )
    panel.set_yscale("log")
    panel.set_ylim(2 * _NOTHING, None)
    panel.set_ylabel(f"requests in {'an hour' if step == _COARSE else 'a quarter hour'}")
    panel.yaxis.set_major_formatter("{x:,.0f}")


def _outages(panel: Axes, workload: Workload) -> None:
    out, begins, ends = workload.outages, to_us(workload.begins), to_us(workload.ends)
    at = np.unique(np.clip(np.concatenate([[begins, ends], out.from_us, out.to_us]), begins, ends))
    shown = [local_us(micros(one)) for one in at]
    meters = out.meters_out(workload.fleet, at)
    panel.fill_between(shown, meters, step="post", color=light("failed"), alpha=0.35, linewidth=0)  # type: ignore[arg-type]
    panel.set_ylabel("meters without power")
    panel.set_ylim(0, None)
    panel.yaxis.set_major_formatter("{x:,.0f}")
