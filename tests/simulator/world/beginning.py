"""A beginning, and the name of its kept days; apart from what tests them, since another process asks for it too and need not load a sandbox."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from headend.day.times import DailyTimes
from meters.calendar import Seconds, day_of, epoch, seconds
from simulator.input.vee_preset import preset_of
from simulator.smt.throttle.policy import preset
from simulator.world.kept_days import kept_days
from simulator.world.meters import World, build, default_world

NOW = epoch("2026-08-12T17:40")
SEED, EVERY = 3, seconds(4 * 3600)


def the_world(now: Seconds = NOW, seed: int = SEED, *, posted_days: int = 5) -> World:
    spec = default_world(day_of(now), day_of(now) - timedelta(days=1), 8, posted_days, special=True)
    return build(spec, seed, now)


def mark(**other: Any) -> str | None:
    said: dict[str, Any] = {
        "folder": Path("days"),
        "world": the_world(),
        "now": NOW,
        "times": DailyTimes(),
        "every_s": EVERY,
        "preset": preset_of("ONCOR"),
        "policy": preset("smt-today"),
    }
    kept = kept_days(**said | other)
    return kept.file.name if kept else None
