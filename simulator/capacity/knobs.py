"""What a study assumes, by name: each knob with its unit and bounds, what it is in a setting, and the setting with it turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time
from typing import Any, NamedTuple

from headend.network.law import NetworkLaw, SweepRule
from meters.calendar import epoch, seconds
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.outcome import Value
from simulator.capacity.workload.plan import Bulk, Plan
from simulator.capacity.workload.spec import ASKERS, HomeAutomationSpec
from simulator.input.mistakes import did_you_mean
from simulator.smt.throttle.limits import Policy, RequesterClass

#: What makes throttles differ [D]: finite workers, a try that is not heard holds its access point, pick-up in batches, losses in spells of 6 minutes.
CONTENDED = Assumptions(network=NetworkLaw(slot_held_s=30.0, workers=400), batched=True, losing_mean_s=360.0)
_CENTRE, _CUSTOMER = RequesterClass.ROR_CALL_CENTRE, RequesterClass.CUSTOMER
_HOUR_S = 3600.0


class Setting(NamedTuple):
    """What a cell is played with."""

    plan: Plan
    assumptions: Assumptions
    policy: Policy


class Knob(NamedTuple):
    """One assumption."""

    title: str
    unit: str
    #: What it is in a setting; and the setting with another value, which ``read`` has let through.
    base: Callable[[Setting], Value]
    turned: Callable[[Setting, Any], Setting]
    least: float = 0.0
    most: float = 1e9
    whole: bool = False
    #: What it can be, if no number: words, or a time of the day.
    words: Sequence[str] = ()
    clock: bool = False

    @property
    def number(self) -> bool:
        """Whether it is one."""
        return not self.words and not self.clock

    def read(self, value: object) -> Value:
        """What was written, if it can be. Raises ValueError with what is wrong; and the mend."""
        if self.words:
            if value not in self.words:
                raise ValueError(f"'{value}' is not known here; {did_you_mean(value, self.words)}")
            return str(value)
        if self.clock:
            try:
                return f"{time.fromisoformat(str(value)):%H:%M}"
            except ValueError:
                raise ValueError(f"'{value}' is no time of the day; write it as 07:30") from None
        try:
            number = float(str(value))
        except ValueError:
            raise ValueError(f"'{value}' is not a number; write one") from None
        if not self.least <= number <= self.most:
            raise ValueError(f"{value} is out of range; write {self.least:g} to {self.most:g}")
        if self.whole and number != int(number):
            raise ValueError(f"{value} is not whole; write a whole number")
        return number


def _assumed(name: str, made: Callable[[Any], Any] = float) -> tuple[Any, Any]:
    """A field of ``Assumptions``."""
    return (
        lambda at: getattr(at.assumptions, name),
        lambda at, value: at._replace(assumptions=replace(at.assumptions, **{name: made(value)})),
    )


def _law(law: str, name: str, made: Callable[[Any], Any] = float) -> tuple[Any, Any]:
    """A field of ``Assumptions.middle`` or ``network``."""

    def turned(at: Setting, value: Any) -> Setting:
        other = replace(getattr(at.assumptions, law), **{name: made(value)})
        return at._replace(assumptions=replace(at.assumptions, **{law: other}))

    return lambda at: getattr(getattr(at.assumptions, law), name), turned


def _times(classes: Sequence[RequesterClass]) -> tuple[Any, Any]:
    """So many times the calls of some classes."""

    def turned(at: Setting, times: float) -> Setting:
        streams = tuple(
            one._replace(expected=one.expected * times) if one.requester_class in classes else one
            for one in at.plan.streams
        )
        return at._replace(plan=replace(at.plan, streams=streams))

    return lambda at: 1.0, turned  # noqa: ARG005 (a knob's shape)


def _homes(name: str, made: Callable[[float], Any], otherwise: float) -> tuple[Any, Any]:
    """A field of the workload's home automation; one that has none has it with the field."""

    def base(at: Setting) -> float:
        value = getattr(at.plan.spec.home_automation or HomeAutomationSpec(share=0), name)
        return otherwise if value is None else float(value)

    def turned(at: Setting, value: float) -> Setting:
        homes = (at.plan.spec.home_automation or HomeAutomationSpec(share=0)).model_copy(update={name: made(value)})
        return at._replace(plan=replace(at.plan, spec=at.plan.spec.model_copy(update={"home_automation": homes})))

    return base, turned


def _bulk_of(at: Setting) -> float:
    return sum(one.requests for one in at.plan.bulk) / at.plan.spec.days


def _bulk(at: Setting, requests: float) -> Setting:
    """The jobs that are there, that large together; or one each morning at 09:00, 50 a second."""
    plan, has = at.plan, _bulk_of(at)
    jobs = tuple(one._replace(requests=round(one.requests * requests / has)) for one in plan.bulk)
    if not has:
        days = dict.fromkeys(plan.hours.day)
        jobs = tuple(Bulk(epoch(f"{day}T09:00"), round(requests), 50.0, 0) for day in days)
    return at._replace(plan=replace(plan, bulk=jobs))


def _storm_of(at: Setting) -> float:
    return max((one.out for one in at.plan.storm), default=0.0) / at.plan.fleet.companies[at.plan.company].meters


def _storm(at: Setting, share: float) -> Setting:
    """The curve that is there, that high; a workload without a storm stays without."""
    has = _storm_of(at)
    points = tuple(one._replace(out=one.out * share / has) for one in at.plan.storm) if has else ()
    return at._replace(plan=replace(at.plan, storm=points))


def _patience(at: Setting, mean_s: float) -> Setting:
    return Setting(
        replace(at.plan, patience=mean_s / ASKERS[_CENTRE].patience_s),
        replace(at.assumptions, patience_s=mean_s),
        at.policy,
    )


def _dead_of(at: Setting) -> float:
    return max(0.0, round(1 - at.assumptions.good - at.assumptions.flaky, 12))


def _dead(at: Setting, share: float) -> Setting:
    """At the cost of the good ones."""
    return at._replace(assumptions=replace(at.assumptions, good=1 - at.assumptions.flaky - share))


def _posted_of(at: Setting) -> str:
    return f"{at.assumptions.posted_s // 3600:02}:{at.assumptions.posted_s % 3600 // 60:02}"


def _posted(at: Setting, clock: str) -> Setting:
    hour, minute = clock.split(":")
    posted_s = seconds(int(hour) * 3600 + int(minute) * 60)
    return at._replace(assumptions=replace(at.assumptions, posted_s=posted_s))


def _without(at: Setting, limit: str) -> Setting:
    """A limit goes with its reserve."""
    limits = tuple(one for one in at.policy.limits if limit not in (one.name.partition("/")[0], EVERY))
    return at._replace(policy=replace(at.policy, limits=limits))


KNOBS: dict[str, Knob] = {
    "calls": Knob("calls of call centres", "times", *_times([_CENTRE]), most=10_000),
    "portal": Knob("customers at the portal", "times", *_times([_CUSTOMER]), most=10_000),
    "demand": Knob("calls of call centres and customers", "times", *_times([_CENTRE, _CUSTOMER]), most=10_000),
    "home_automation": Knob("meters in home automation", "share", *_homes("share", float, 0.0), most=1.0),
    "home_automation_within_s": Knob(
        "home automation reads within so long after the full hour",
        "s",
        *_homes("synchronised_within_s", lambda of: None if of >= _HOUR_S else of, _HOUR_S),
        least=1.0,
        most=_HOUR_S,
    ),
    "bulk": Knob("requests of bulk jobs", "a day", _bulk_of, _bulk, most=1e7, whole=True),
    "storm": Knob("meters without power at most", "share", _storm_of, _storm, most=1.0),
    "patience_s": Knob(
        "mean patience of a caller", "s", lambda at: at.assumptions.patience_s, _patience, least=1.0, most=86_400.0
    ),
    "again": Knob("callers not told who ask again", "share", *_assumed("again_share"), most=1.0),
    "middle_median_s": Knob("median time in the middle tier", "s", *_law("middle", "median_s"), least=0.1, most=1800.0),
    "middle_lost": Knob("requests the middle tier loses", "share", *_law("middle", "lost_share"), most=0.9),
    "losing_mean_s": Knob("mean spell of losses (0: each by itself)", "s", *_assumed("losing_mean_s"), most=86_400.0),
    "pickup_every_s": Knob(
        "pick-up in the middle tier each", "s", *_law("middle", "pickup_every_s"), least=1.0, most=900.0
    ),
    "batch_size": Knob("most that a pick-up takes (0: all)", "", *_assumed("batch_size", int), most=1e6, whole=True),
    "workers": Knob(
        "tries under way at the head-end (0: any number)", "", *_law("network", "workers", int), most=1e5, whole=True
    ),
    "slot_held_s": Knob("a try not heard holds its access point", "s", *_law("network", "slot_held_s"), most=30.0),
    "access_point_tps": Knob(
        "reads an access point carries", "a second", *_law("network", "access_point_tps"), least=0.1, most=1e4
    ),
    "sweep_rule": Knob(
        "a sweep on the same access points",
        "",
        lambda at: at.assumptions.sweep_rule.value,
        _assumed("sweep_rule", SweepRule)[1],
        words=[one.value for one in SweepRule],
    ),
    "sweep_every_h": Knob("a sweep each", "h", *_assumed("sweep_every_h", int), least=1.0, most=24.0, whole=True),
    "dead": Knob("meters that never answer", "share", _dead_of, _dead, most=0.5),
    "posted": Knob("yesterday's VEE intervals posted at", "", _posted_of, _posted, clock=True),
}
#: Relief of one resource after the other: a change, and its name. Limits are relieved by ``without``.
RELIEFS = {
    "workers=0": "workers at the head-end",
    "slot_held_s=0": "access points held by tries not heard",
    "access_point_tps=1000": "access points",
    "batch_size=0": "batches of the middle tier",
}
#: Of a knee's relief alone: the policy without a limit, or without any.
WITHOUT, EVERY = "without", "*"


def knob(name: str) -> Knob:
    """A knob by name. Raises ValueError with what is wrong; and the mend."""
    if name not in KNOBS:
        raise ValueError(f"there is no assumption '{name}'; {did_you_mean(name, KNOBS)}")
    return KNOBS[name]


def turned(setting: Setting, change: str) -> Setting:
    """A setting with a change, as ``outcome.Key.change`` has it."""
    for word in change.split():
        name, _, value = word.partition("=")
        setting = _without(setting, value) if name == WITHOUT else KNOBS[name].turned(setting, KNOBS[name].read(value))
    return setting
