"""A load study as it is written in YAML: the hour, the levels, the day so far, the policies to compare, the laws to draw from.

Everything a run depends on is in here, so that the study and the code decide the outcome; every default is said beside its field.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from headend.network.law import NetworkLaw
from meters.calendar import Seconds, day_end, day_start, epoch, instants, seconds, to_s
from meters.errors import UserError
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean, mistakes_of
from simulator.input.yaml_text import ClockTime, UnreadableFile, YamlDocument, YamlProblem, read_yaml_file
from simulator.smt.ondemand.lifecycle import EXPIRY_US
from simulator.smt.ondemand.middle import MiddleLaw
from simulator.smt.throttle.decision import Door, Limit, Measure, Policy, Scope
from simulator.smt.throttle.policy import policy_in, preset

HOUR_S = seconds(3600)
#: Seconds after the hour's end by which every request has ended: SMT's expiry.
TAIL_S = to_s(EXPIRY_US)
#: Fields of the laws that are shares, and those that may not be 0.
_SHARES = frozenset({"slow_share", "lost_share", "link_success"})
_POSITIVE = frozenset({"median_s", "max_hops", "hop_median_s", "backhaul_median_s", "access_point_tps"})


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TdspSpec(_Spec):
    """The wires company. 5,000 meters per access point: DOMAIN §7 [V]."""

    name: str = Field(min_length=1)
    meters: int = Field(ge=1, le=20_000_000)
    meters_per_access_point: int = Field(default=5000, ge=1)


class HourSpec(_Spec):
    """The span studied, on one weekday, Central Prevailing Time."""

    day: date
    begins: ClockTime = time(17)
    ends: ClockTime = time(18)

    @field_validator("day")
    @classmethod
    def _weekday(cls, day: date) -> date:
        if day.weekday() > 4:
            raise ValueError(f"{day} is a {day:%A}; take a weekday, whose shares of calls these are")
        if not 2000 <= day.year < 2100:
            raise ValueError(f"{day} is out of range; write a day of this century, as 2026-08-12")
        return day

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.begins >= self.ends:
            raise ValueError(f"the hour ends at {self.ends:%H:%M} and must end after it begins, {self.begins:%H:%M}")
        return self


class LevelSpec(_Spec):
    """So many calls in the hour. ``calls_before``: calls of the day before the hour; by default they follow from ``day_so_far``."""

    name: str = Field(min_length=1)
    calls: int = Field(ge=1, le=1_000_000)
    calls_before: int | None = Field(default=None, ge=0, le=10_000_000)


class DaySoFarSpec(_Spec):
    """What happened before a call. All shares are defaults of this project [D]."""

    #: When calls begin.
    begins: ClockTime = time(8)
    #: Share of ESI IDs that called earlier that day, at a uniform time between ``begins`` and the hour.
    earlier_share: float = Field(default=0.15, ge=0, le=1)
    #: Share of ESI IDs whose register home automation reads every hour through the portal, phase uniform.
    home_automation_share: float = Field(default=0.02, ge=0, le=1)
    #: The hour's share of the day's calls (10-12 % in the peak hour), and the share that has come before it.
    hour_share: float = Field(default=0.11, gt=0, le=1)
    share_before: float = Field(default=0.70, ge=0, le=1)


class SweepsSpec(_Spec):
    """The head-end's own collection: every so many hours from local midnight; a full sweep takes 17-28 minutes (DOMAIN §7 [C])."""

    every_hours: int = Field(default=4, ge=1, le=24)
    takes_minutes: float = Field(default=21.0, ge=0, le=60)


class MeterStatesSpec(_Spec):
    """Persistent states of meters (DOMAIN §7 [D]); a flaky meter answers all day or not at all, even odds."""

    good: float = Field(default=0.992, ge=0, le=1)
    flaky: float = Field(default=0.006, ge=0, le=1)
    dead: float = Field(default=0.002, ge=0, le=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.good + self.flaky + self.dead - 1) > 1e-9:
            raise ValueError("good, flaky and dead must add up to 1")
        return self


class ServiceLevelSpec(_Spec):
    """A share of the requests not refused that must be served within a time, or at all (no time)."""

    share: float = Field(gt=0, le=1)
    within_s: float | None = Field(default=None, gt=0)


class LawsSpec(_Spec):
    """Fields of ``MiddleLaw`` and ``NetworkLaw`` that are to differ from their defaults."""

    middle: dict[str, float] = Field(default_factory=dict)
    network: dict[str, float] = Field(default_factory=dict)

    @field_validator("middle")
    @classmethod
    def _of_middle(cls, given: dict[str, float]) -> dict[str, float]:
        return _known_fields(MiddleLaw(), given)

    @field_validator("network")
    @classmethod
    def _of_network(cls, given: dict[str, float]) -> dict[str, float]:
        return _known_fields(NetworkLaw(), given)


class PolicySpec(_Spec):
    """A policy written in the study itself: a name of its own, and what ``policies.yaml`` has for a preset."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(min_length=1)


def _study_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ValueError(f"'{name}' is no name; write letters, digits, dots and hyphens, at most 60")
    return name


def _written_as(policy: Any) -> str:
    return "preset" if isinstance(policy, str) else "written out"


class StudySpec(_Spec):
    """The whole file."""

    name: Annotated[str, AfterValidator(_study_name)]
    question: str = "Which throttle protects bandwidth and serves the market?"
    seed: int = Field(ge=0)
    replications: int = Field(default=20, ge=1, le=1000)
    tdsp: TdspSpec
    hour: HourSpec
    levels: list[LevelSpec] = Field(min_length=1, max_length=20)
    policies: list[
        Annotated[Annotated[str, Tag("preset")] | Annotated[PolicySpec, Tag("written out")], Discriminator(_written_as)]
    ] = Field(min_length=1, max_length=20)
    day_so_far: DaySoFarSpec = DaySoFarSpec()
    sweeps: SweepsSpec = SweepsSpec()
    meter_states: MeterStatesSpec = MeterStatesSpec()
    #: After the question is asked a caller waits exponentially long [D].
    patience_mean_s: float = Field(default=120.0, gt=0)
    service_levels: list[ServiceLevelSpec] = Field(
        default=[
            ServiceLevelSpec(share=0.85, within_s=120),
            ServiceLevelSpec(share=0.94, within_s=180),
            ServiceLevelSpec(share=0.97),
        ]
    )
    laws: LawsSpec = LawsSpec()

    @field_validator("levels")
    @classmethod
    def _distinct(cls, levels: list[LevelSpec]) -> list[LevelSpec]:
        if len({level.name for level in levels}) < len(levels):
            raise ValueError("two levels have one name; rename one")
        return levels


def _known_fields(law: MiddleLaw | NetworkLaw, given: dict[str, float]) -> dict[str, float]:
    defaults = dataclasses.asdict(law)
    for name, value in given.items():
        if name not in defaults:
            raise ValueError(f"there is no field '{name}' in this law; {did_you_mean(name, defaults)}")
        if value < 0:
            raise ValueError(f"'{name}' cannot be negative")
        if isinstance(defaults[name], int) and value != int(value):
            raise ValueError(f"'{name}' is a whole number")
        if name in _SHARES and value > 1:
            raise ValueError(f"'{name}' is a share: 0 to 1")
        if name in _POSITIVE and value == 0:
            raise ValueError(f"'{name}' must be above 0")
    return {name: int(value) if isinstance(defaults[name], int) else value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Study:
    """A study that can be run: the file's fields, its policies and laws made, its instants in UTC epoch seconds."""

    spec: StudySpec
    policies: tuple[Policy, ...]
    middle: MiddleLaw
    network: NetworkLaw
    #: The local midnight before the hour: to there VEE intervals are posted (the file of the day before came in the morning).
    vee_end: Seconds
    calls_begin: Seconds
    begins: Seconds
    ends: Seconds
    #: Start of each sweep of the day that a request of the hour can know of.
    sweeps: tuple[Seconds, ...]

    def calls_before(self, level: LevelSpec) -> int:
        """Calls of the day before the hour, at a level."""
        if level.calls_before is not None:
            return level.calls_before
        so_far = self.spec.day_so_far
        return round(level.calls / so_far.hour_share * so_far.share_before)


def load_study(path: Path) -> Study:
    """Read a study file. Raises SimulatorError ``capacity.study.*`` with the file, the line or field, and the mend."""
    try:
        written = read_yaml_file(path)
    except UnreadableFile as error:
        if isinstance(error.__cause__, FileNotFoundError):
            mend = "Give the path of a study file."
            raise SimulatorError("capacity.study.absent", "There is no such file.", error.place, mend) from None
        raise SimulatorError(
            "capacity.study.unreadable",
            f"The file cannot be read: {error.problem}.",
            place=error.place,
            mend="Give a text file that you may read.",
        ) from None
    except YamlProblem as error:
        raise SimulatorError(
            "capacity.study.yaml",
            f"The YAML is wrong: {error.problem}.",
            place=error.place,
            mend="Mend the line; indent with spaces.",
        ) from None
    return parse_study(written)


def parse_study(written: YamlDocument) -> Study:
    """Make a study of what a file holds. Raises SimulatorError that names the field."""
    if not isinstance(written.value, dict):
        raise SimulatorError(
            "capacity.study.malformed",
            "A study is a mapping of fields.",
            place=written.place,
            mend="Look at a shipped one; 'ami capacity list' tells their files.",
        )
    if "levels" not in written.value and {"timeline", "world"} & set(written.value):
        raise SimulatorError(
            "capacity.study.is_scenario",
            "This is a scenario, not a load study.",
            place=written.place,
            mend=f"Run it with 'ami scenario run {written.place}'.",
        )
    try:
        spec = StudySpec.model_validate(written.value)
    except ValidationError as error:
        mistakes = mistakes_of(error, written.value, StudySpec, "capacity.study.malformed")
        raise written.error(mistakes[0], SimulatorError) from None
    return _make(spec, written)


def _make(spec: StudySpec, written: YamlDocument) -> Study:
    day = spec.hour.day

    def at(clock: time, *field: str) -> Seconds:
        try:
            return epoch(f"{day}T{clock}", place=written.where(field))
        except UserError as error:
            raise SimulatorError(error.code, error.message, place=error.place, mend=error.mend) from None

    begins, ends = at(spec.hour.begins, "hour", "begins"), at(spec.hour.ends, "hour", "ends")
    calls_begin = at(spec.day_so_far.begins, "day_so_far", "begins")
    if calls_begin > begins:
        raise SimulatorError(
            "capacity.study.hour",
            "The hour lies before the first calls of the day.",
            place=written.where(("day_so_far", "begins")),
            mend="Let calls begin no later than the hour.",
        )
    step, takes = spec.sweeps.every_hours * HOUR_S, spec.sweeps.takes_minutes * 60
    sweeps = tuple(one for one in instants(day_start(day), day_end(day), step) if one < ends + TAIL_S)
    running = [sweep for sweep in sweeps if sweep < ends and sweep + takes > begins]
    if running:
        raise SimulatorError(
            "capacity.study.sweep",
            "A sweep runs in the hour; reads beside a running sweep are not modelled.",
            place=written.where(("sweeps",)),
            mend="Choose an hour between two sweeps, such as 17:00-18:00 with sweeps every 4 h.",
        )
    return Study(
        spec=spec,
        policies=_policies(spec, written),
        middle=MiddleLaw(**spec.laws.middle),
        network=NetworkLaw(**spec.laws.network),  # type: ignore[arg-type]
        vee_end=day_start(day),
        calls_begin=calls_begin,
        begins=begins,
        ends=ends,
        sweeps=sweeps,
    )


def _policies(spec: StudySpec, written: YamlDocument) -> tuple[Policy, ...]:
    policies: list[Policy] = []
    for at, entry in enumerate(spec.policies):
        where = written.where(("policies", at))
        if isinstance(entry, str):
            policy = preset(entry, place=where)
        else:
            policy = policy_in(written, entry.name, entry.model_extra, ("policies", at))
        if any(policy.name == other.name for other in policies):
            raise SimulatorError(
                "capacity.policy.twice", f"Policy '{policy.name}' is named twice.", place=where, mend="Leave one out."
            )
        for limit in policy.limits:
            if _is_modelled(limit):
                continue
            raise SimulatorError(
                "capacity.policy.unmodelled",
                f"Limit '{limit.name}' counts {limit.scope.value} requests through {_doors(limit.doors)}.",
                place=where,
                mend="A study models limits per ESI ID, what is under way and fails per access point or TDSP, and others per TDSP through the API alone"
                " (channels: [api]).",
            )
        policies.append(policy)
    return tuple(policies)


def _is_modelled(limit: Limit) -> bool:
    """Whether a study knows everyone that a limit counts: what others did earlier behind an access point or through the portal it does not."""
    if limit.scope is Scope.ESIID:
        return True
    # What is under way, and what has failed in the last minutes, is the hour's own.
    if limit.measure in (Measure.UNDER_WAY, Measure.METER_FAILURES):
        return limit.scope in (Scope.TDSP, Scope.ACCESS_POINT)
    return limit.scope is Scope.TDSP and Door.PORTAL not in limit.doors


def _doors(doors: frozenset[Door]) -> str:
    return " and ".join(sorted(door.value for door in doors))
