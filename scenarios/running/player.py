"""Plays a scenario's timeline on a running sandbox: one process per action, begun at its time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from meters.calendar import epoch, iso, micros, to_us
from scenarios.actions.table import ACTIONS
from scenarios.parts.setting import Act
from scenarios.stage import Stage


class Player:
    """Plays the timeline: one process per action, begun at its time, or when the one that it comes after is over."""

    def __init__(self, stage: Stage) -> None:
        """Begin a process for each action of the timeline."""
        self._stage = stage
        self._env = stage.runtime.env
        self._running: set[str] = set()
        self._over = {action.ref: self._env.event() for action in stage.scenario.timeline}
        for action in stage.scenario.timeline:
            self._env.process(self._play(action))

    @property
    def waiting(self) -> bool:
        """Whether an action is not over that is waited for: one that comes after another or lasts, and any where a party is not ours."""
        every, timeline = self._stage.outside is not None, self._stage.scenario.timeline
        return any((every or one.after or one.lasts) and not self._over[one.ref].triggered for one in timeline)

    @property
    def states(self) -> dict[str, str]:
        """How each action stands, by its ref: ``waiting``, ``running`` or ``over``."""
        return {
            ref: "over" if over.triggered else "running" if ref in self._running else "waiting"
            for ref, over in self._over.items()
        }

    def _play(self, action: Act) -> Generator[simpy.Event, Any, None]:
        if action.after is not None:
            yield self._over[action.after]
            yield self._env.timeout(to_us(action.after_s))
            self._stage.begun[action.ref] = iso(self._stage.runtime.now())
        else:
            yield self._env.timeout(to_us(epoch(action.at)) - micros(self._env.now))
        self._running.add(action.ref)
        self._stage.actions[action.ref] = yield from ACTIONS[action.do].play(self._stage, action)
        self._over[action.ref].succeed()
