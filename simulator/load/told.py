"""What came of a played workload, as JSON values: by class and kind, and how late the player itself was."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.calendar import iso
from simulator.capacity.ends import COMPLETED, ENDS, REFUSED
from simulator.capacity.workload.columns import CLASSES, KINDS
from simulator.load.player import LoadPlayer
from simulator.runtime.lag import LAG_S

_EVERYBODY = "everybody"


def facts(player: LoadPlayer, rate: float) -> dict[str, Any]:
    """Counts, seconds from the planned arrival to the answer, and the player's own delay. rate: model seconds in a wall second, 0 on a manual clock.

    Latencies are of those that were answered, in model seconds, and begin at the planned arrival, so that whatever kept the player from asking is in them.
    """
    rows, cast = player.rows, player.cast
    asked = player.asked_us > 0
    late_s = (player.asked_us - rows.planned_us)[asked] / 1e6
    late_wall_s = float(late_s.max(initial=0.0)) / rate if rate else 0.0
    groups = [
        (CLASSES[asker].value, KINDS[kind].value, asked & (rows.requester_class == asker) & (rows.kind == kind))
        for asker in range(len(CLASSES))
        for kind in range(len(KINDS))
    ]
    return {
        "workload": cast.workload.name,
        "requests": len(rows),
        "asked": int(asked.sum()),
        "ended": player.ended,
        "calls": player.calls,
        "left_out": cast.left_out,
        "esiids": {"of_the_workload": cast.esiids[0], "here": cast.esiids[1]},
        "late_s": {"p50": quantile(late_s, 0.5), "p95": quantile(late_s, 0.95), "most_wall": round(late_wall_s, 3)},
        "kept_pace": late_wall_s <= LAG_S,
        "groups": [_group(player, *one) for one in (*groups, (_EVERYBODY, "", asked)) if one[2].any()],
    }


def standing(player: LoadPlayer) -> dict[str, Any]:
    """How a play stands, as JSON values: everybody's counts, seconds from the planned arrival, and who waits still.

    What has not ended counts too, from its planned arrival on and whether or not it could be asked: a system that answers nobody would look quick by those alone whom it answered.
    """
    waits_us = player.waiting_us()
    longest = round(float(waits_us.max()) / 1e6, 3) if len(waits_us) else None
    everybody = _group(player, _EVERYBODY, "", player.asked_us > 0)
    counted = {
        name: everybody[name] for name in ("asked", "answered", "refused", "failed", "unanswered", "p50_s", "p95_s")
    }
    return {
        "at": iso(player.now()),
        "done": player.ended,
        "of": len(player.rows),
        "waiting": len(waits_us),
        "longest_s": longest,
        **counted,
    }


def _group(player: LoadPlayer, asker: str, kind: str, mine: NDArray[np.bool_]) -> dict[str, Any]:
    rows, codes = player.rows, player.codes
    answered = mine & (rows.end == COMPLETED)
    took_us = (rows.done_us - rows.planned_us)[answered]
    failed = mine & (rows.end > REFUSED)

    def by_code(which: NDArray[np.bool_]) -> dict[str, int]:
        names = (
            codes[code] if end == REFUSED else f"{ENDS[end].value} {codes[code]}"
            for end, code in zip(rows.end[which].tolist(), rows.code[which].tolist(), strict=True)
        )
        return dict(sorted(Counter(names).items()))

    return {
        "class": asker,
        "kind": kind,
        "asked": int(mine.sum()),
        "answered": int(answered.sum()),
        "in_call": int((took_us <= rows.patience_us[answered]).sum()),
        "refused": by_code(mine & (rows.end == REFUSED)),
        "failed": by_code(failed),
        "unanswered": int((mine & (rows.end < 0) & (rows.done_us > 0)).sum()),
        "under_way": int((mine & (rows.done_us == 0)).sum()),
        "p50_s": quantile(took_us / 1e6, 0.5),
        "p95_s": quantile(took_us / 1e6, 0.95),
    }


def quantile(values: NDArray[np.float64], at: float) -> float | None:
    """The value below which a part of all lies, to the thousandth; None of none."""
    return round(float(np.quantile(values, at)), 3) if len(values) else None
