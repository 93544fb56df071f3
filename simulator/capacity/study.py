"""A load study as it is written in YAML: workloads x policies, what is assumed and how far that may be off, where it breaks.

Everything a run depends on is in here and in the files that it names, so that the study and the code decide the outcome.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from meters.errors import UserError
from simulator.capacity.cell import Task, code, plan_mark
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.knobs import CONTENDED, KNOBS, Setting, knob, turned
from simulator.capacity.levels import level_of
from simulator.capacity.outcome import Assumption, Key, Value, changed
from simulator.capacity.told import MEASURES, READS
from simulator.capacity.workload.chosen import read_workload, shipped
from simulator.capacity.workload.plan import DRAWN_OCTETS, Plan, memory_octets
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean, mistakes_of, sentence, sound_part
from simulator.input.yaml_text import Loc, Mistake, UnreadableFile, YamlDocument, YamlProblem, read_yaml_file
from simulator.smt.throttle.limits import Policy
from simulator.smt.throttle.policy import load_policy, policy_in, preset

#: Octets that a request takes in a worker: while it is played and told of; and while the rules are counted again over its records.
PLAYED_OCTETS, COUNTED_OCTETS = DRAWN_OCTETS + 500, 2500


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _level(text: str) -> str:
    return level_of(text).text


def _knob(name: str) -> str:
    knob(name)
    return name


LevelText = Annotated[str, AfterValidator(_level)]
KnobName = Annotated[str, AfterValidator(_knob)]


class UntilSpec(_Spec):
    """Replications go on until every paired difference to the first policy is known so well, or there are so many."""

    measure: Literal[MEASURES] = "told_in_call"  # type: ignore[valid-type]
    #: Half of a 95 % interval, in the measure's own unit.
    half_width: float = Field(gt=0)
    most: int = Field(default=30, ge=2, le=1000)


class AssumptionSpec(_Spec):
    """One that the tornado moves. ``mark``: read in a public source, measured, or a default; see docs/glossary.md."""

    knob: KnobName
    low: Value
    high: Value
    mark: Literal["V", "S", "M", "C", "D"]
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        low, high = (KNOBS[self.knob].read(one) for one in (self.low, self.high))
        if low == high:
            raise ValueError(f"{self.knob} has one value for low and high; write two")
        return self


class TornadoSpec(_Spec):
    """Every assumption at its low and high value, one after the other."""

    #: Left out: all of the study.
    workloads: list[str] | None = Field(default=None, min_length=1)
    policies: list[str] | None = Field(default=None, min_length=1)
    replications: int = Field(default=2, ge=1, le=1000)
    assumptions: list[AssumptionSpec] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [one.knob for one in self.assumptions]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'{name}' is moved twice; leave one out")
        return self


class KneeSpec(_Spec):
    """Turn a knob up until a level is no longer kept."""

    workload: str
    #: Left out: all of the study.
    policies: list[str] | None = Field(default=None, min_length=1)
    level: LevelText
    knob: KnobName = "demand"
    #: Left out: from what the workload has.
    start: float | None = Field(default=None, gt=0, le=1e9)
    upto: float = Field(gt=0, le=1e9)
    #: How near the last value that keeps it and the first that does not are to be, as a part.
    within: float = Field(default=0.05, gt=0, le=1)
    replications: int = Field(default=2, ge=1, le=100)

    @model_validator(mode="after")
    def _turns(self) -> Self:
        its = KNOBS[self.knob]
        if not its.number:
            raise ValueError(f"{self.knob} is no number that can be turned up; choose another knob")
        its.read(self.upto)
        if self.start is not None:
            its.read(self.start)
        return self


class PresetSpec(_Spec):
    """A preset with one policy for each value of a parameter: ``{preset: smt-today-guarded, amount: [4, 8]}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    preset: str

    def names(self) -> list[str]:
        """As presets with their parameter are called."""
        return [
            f"{self.preset}:{name}={value}"
            for name, values in (self.model_extra or {}).items()
            for value in (values if isinstance(values, list) else [values])
        ]


class PolicySpec(_Spec):
    """A policy written in the study itself: a name of its own, and what ``policies.yaml`` has for a preset."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(min_length=1)


def _written_as(policy: Any) -> str:
    if isinstance(policy, str):
        return "named"
    return "preset" if isinstance(policy, (dict, PresetSpec)) and "preset" in dict(policy) else "written out"


def _study_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ValueError(f"'{name}' is no name; write letters, digits, dots and hyphens, at most 60")
    return name


def _assumed(given: dict[str, Value]) -> dict[str, Value]:
    return {name: knob(name).read(value) for name, value in given.items()}


class StudySpec(_Spec):
    """The whole file."""

    name: Annotated[str, AfterValidator(_study_name)]
    question: str = "Which throttle protects bandwidth and serves the market?"
    #: Left out: each workload's own.
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    replications: int = Field(default=5, ge=1, le=1000)
    until: UntilSpec | None = None
    #: Shipped ones by name, or files beside this one.
    workloads: list[str] = Field(min_length=1, max_length=50)
    #: Presets, files beside this one, presets by a parameter, or written here. The first is what others are held against.
    policies: list[
        Annotated[
            Annotated[str, Tag("named")]
            | Annotated[PresetSpec, Tag("preset")]
            | Annotated[PolicySpec, Tag("written out")],
            Discriminator(_written_as),
        ]
    ] = Field(min_length=1, max_length=100)
    #: What is assumed otherwise than by default, by knob.
    assumed: Annotated[dict[str, Value], AfterValidator(_assumed)] = {}
    #: Service levels: ``told_in_call>=0.5``, ``customer.refused<0.1``.
    levels: list[LevelText] = []
    tornado: TornadoSpec | None = None
    knees: list[KneeSpec] = Field(default=[], max_length=100)


def study_schema() -> dict[str, Any]:
    """JSON Schema of a study's file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudySpec.model_json_schema()}


@dataclass(frozen=True, eq=False)
class Study:
    """A study that can be run."""

    spec: StudySpec
    plans: Sequence[Plan]
    policies: Sequence[Policy]
    assumptions: Assumptions = CONTENDED
    #: First replications are played as all others: for a first glance.
    sums_alone: bool = False
    _settings: dict[tuple[str, str, str], tuple[Setting, str]] = field(default_factory=dict)

    def setting(self, workload: str, policy: str, change: str = "") -> Setting:
        """What a cell is played with."""
        return self._made(workload, policy, change)[0]

    def task(self, key: Key) -> Task:
        """What a cell is made from."""
        setting, mark = self._made(key.workload, key.policy, key.change)
        first = not (self.sums_alone or key.replication or key.change)
        return Task(key, setting, mark, first)

    def _made(self, workload: str, policy: str, change: str) -> tuple[Setting, str]:
        of = workload, policy, change
        if of not in self._settings:
            plan = next(one for one in self.plans if one.spec.name == workload)
            rule = next(one for one in self.policies if one.name == policy)
            base = " ".join(changed(name, value) for name, value in self.spec.assumed.items())
            made = turned(turned(Setting(plan, self.assumptions, rule), base), change)
            self._settings[of] = made, plan_mark(made.plan)
        return self._settings[of]

    def main(self, replications: range) -> list[Key]:
        """The cells with nothing changed, those of one drawing beside each other."""
        return [
            Key(plan.spec.name, policy.name, "", at)
            for plan in self.plans
            for at in replications
            for policy in self.policies
        ]

    def tornado(self) -> list[Assumption]:
        """What is moved, with what the first of its workloads has of it."""
        spec = self.spec.tornado
        if spec is None:
            return []
        here = self.setting(*self._of_tornado()[0])
        return [
            Assumption(
                one.knob,
                KNOBS[one.knob].title,
                KNOBS[one.knob].unit,
                KNOBS[one.knob].base(here),
                KNOBS[one.knob].read(one.low),
                KNOBS[one.knob].read(one.high),
                one.mark,
                one.source,
            )
            for one in spec.assumptions
        ]

    def _of_tornado(self) -> list[tuple[str, str]]:
        spec = self.spec.tornado
        assert spec is not None
        workloads = spec.workloads or [one.spec.name for one in self.plans]
        policies = spec.policies or [one.name for one in self.policies]
        return [(workload, policy) for workload in workloads for policy in policies]

    def swung(self) -> list[Key]:
        """The tornado's cells."""
        spec = self.spec.tornado
        return (
            []
            if spec is None
            else [
                Key(workload, policy, one.change(end), at)
                for one in self.tornado()
                for end in ("low", "high")
                for at in range(min(spec.replications, self.spec.replications))
                for workload, policy in self._of_tornado()
            ]
        )

    def knees(self) -> Iterator[tuple[KneeSpec, str]]:
        """Each, by policy."""
        for one in self.spec.knees:
            for policy in one.policies or [of.name for of in self.policies]:
                yield one, policy

    @property
    def most_octets(self) -> float:
        """What the largest cell takes."""
        largest = [plan.expected() * COUNTED_OCTETS for plan in self.plans]
        for one, policy in self.knees():
            plan = self.setting(one.workload, policy, changed(one.knob, one.upto)).plan
            largest.append(plan.expected() * PLAYED_OCTETS)
        return max(largest) * (1 + self.assumptions.again_share)

    def fingerprint(self, by: str | None = None) -> str:
        """Sixteen hex digits that change with the study, with the files that it names, and with the code that computes a cell. by: a hash of that, unless ours."""
        digest = hashlib.sha256(self.spec.model_dump_json().encode())
        for key in self.main(range(1)):
            digest.update(self.task(key).mark.encode())
        digest.update((by or code()).encode())
        return digest.hexdigest()[:16]


def load_study(path: Path) -> Study:
    """Read a study file. Raises a UserError with the first mistake's file, line and mend."""
    study, mistakes = read_study(path)
    if study is None:
        raise mistakes[0]
    return study


def read_study(path: Path) -> tuple[Study | None, list[UserError]]:
    """A study that can be run, or everything that is wrong with its file, each with its line."""
    try:
        written = read_yaml_file(path)
    except UnreadableFile as error:
        absent = isinstance(error.__cause__, FileNotFoundError)
        text = "There is no such file." if absent else f"The file cannot be read: {error.problem}."
        mend = "Give the path of a study file." if absent else "Give a text file that you may read."
        return None, [SimulatorError(f"capacity.study.{'absent' if absent else 'unreadable'}", text, error.place, mend)]
    except YamlProblem as error:
        text = f"The YAML is wrong: {error.problem}."
        mend = "Mend the line; indent with spaces."
        return None, [SimulatorError("capacity.study.yaml", text, error.place, mend)]
    return study_in(written)


def study_in(written: YamlDocument) -> tuple[Study | None, list[UserError]]:
    """A study of what a file holds, or everything that is wrong with it."""
    if not isinstance(written.value, dict):
        mend = "Look at a shipped one; 'ami capacity list' tells their files."
        return None, [
            SimulatorError("capacity.study.malformed", "A study is a mapping of fields.", written.place, mend)
        ]
    if "workloads" not in written.value and {"timeline", "world"} & set(written.value):
        text, mend = "This is a scenario, not a load study.", f"Run it with 'ami scenario run {written.place}'."
        return None, [SimulatorError("capacity.study.is_scenario", text, written.place, mend)]
    try:
        spec = StudySpec.model_validate(written.value)
    except ValidationError as error:
        found = mistakes_of(error, written.value, StudySpec, "capacity.study.malformed")
        knobs = _knobs_wrong(written.value)
        told = [*(one for one in found if one.loc[:1] != ("assumed",) or not knobs), *knobs]
        # What is sound by itself is looked into too.
        part, sound = sound_part(StudySpec, written.value, error)
        making = _Making(written, part)
        making.parts([name for name in ("workloads", "policies") if sound.have(name)])
        return None, [*(written.error(mistake, SimulatorError) for mistake in told), *making.mistakes]
    making = _Making(written, spec)
    study = making.study()
    return (None, making.mistakes) if making.mistakes else (study, [])


def _knobs_wrong(written: dict[str, Any]) -> list[Mistake]:
    """Each knob of ``assumed`` that cannot be so; none where it is no mapping."""
    found = []
    given = written.get("assumed")
    for name, value in given.items() if isinstance(given, dict) else ():
        try:
            _assumed({name: value})
        except ValueError as error:
            message, _, mend = str(error).partition("; ")
            found.append(Mistake("capacity.study.malformed", ("assumed", name), sentence(message), sentence(mend)))
    return found


class _Making:
    """Goes through a file's parts, and collects what is wrong with them."""

    def __init__(self, written: YamlDocument, spec: StudySpec) -> None:
        self._written, self._spec = written, spec
        self.mistakes: list[UserError] = []

    def study(self) -> Study | None:
        plans, policies = self._plans(), self._policies()
        if self.mistakes:
            return None
        study = Study(self._spec, plans, policies)
        self._names(study)
        if not self.mistakes:
            self._knees(study)
        return study

    def parts(self, names: Sequence[str]) -> None:
        """Look into these fields alone."""
        if "workloads" in names:
            self._plans()
        if "policies" in names:
            self._policies()

    def _wrong(self, loc: Loc, message: str, mend: str, code: str = "malformed") -> None:
        self.mistakes.append(self._written.error(Mistake(f"capacity.study.{code}", loc, message, mend), SimulatorError))

    def _beside(self, name: str) -> str:
        return str(Path(self._written.place).parent / name)

    def _plans(self) -> list[Plan]:
        found: list[Plan] = []
        for at, name in enumerate(self._spec.workloads):
            plan, mistakes = read_workload(name if name in shipped() or not Path(name).suffix else self._beside(name))
            self.mistakes += mistakes
            if plan is None:
                continue
            if self._spec.seed is not None:
                plan = replace(plan, spec=plan.spec.model_copy(update={"seed": self._spec.seed}))
            if plan.spec.name in [one.spec.name for one in found]:
                self._wrong(
                    ("workloads", at), f"Two workloads are called '{plan.spec.name}'.", "Leave one out, or rename it."
                )
            found.append(plan)
        return found

    def _policies(self) -> list[Policy]:
        found: list[Policy] = []
        for at, entry in enumerate(self._spec.policies):
            loc: Loc = ("policies", at)
            some = list(self._read(entry, loc))
            for policy in some:
                if policy.name in [one.name for one in found]:
                    self._wrong(loc, f"Two policies are called '{policy.name}'.", "Leave one out, or rename it.")
                found.append(policy)
        return found

    def _read(self, entry: str | PresetSpec | PolicySpec, loc: Loc) -> Iterator[Policy]:
        """What an entry stands for: of a preset a policy for each value of its parameter."""
        where = self._written.where(loc)
        names = entry.names() or [entry.preset] if isinstance(entry, PresetSpec) else [entry]
        for one in names:
            try:
                if isinstance(entry, PresetSpec):
                    yield preset(str(one), place=where)
                elif isinstance(one, str):
                    yield load_policy(self._beside(one) if Path(one).suffix in (".yaml", ".yml") else one, place=where)
                else:
                    yield policy_in(self._written, one.name, one.model_extra, loc)
            except UserError as error:
                self.mistakes.append(error)

    def _names(self, study: Study) -> None:
        """Whether the tornado and the knees name what the study has."""
        known = {
            "workload": [one.spec.name for one in study.plans],
            "policy": [one.name for one in study.policies],
        }
        named: list[tuple[Loc, str, str]] = []
        if (tornado := self._spec.tornado) is not None:
            named += [(("tornado", "workloads", at), "workload", one) for at, one in enumerate(tornado.workloads or ())]
            named += [(("tornado", "policies", at), "policy", one) for at, one in enumerate(tornado.policies or ())]
        for at, knee in enumerate(self._spec.knees):
            named.append((("knees", at, "workload"), "workload", knee.workload))
            named += [(("knees", at, "policies", n), "policy", one) for n, one in enumerate(knee.policies or ())]
        for loc, what, name in named:
            if name not in known[what]:
                self._wrong(loc, f"The study has no {what} '{name}'.", did_you_mean(name, known[what]))

    def _knees(self, study: Study) -> None:
        """Whether a knee can be there at all."""
        for at, one in enumerate(self._spec.knees):
            for policy in one.policies or [of.name for of in study.policies]:
                here = study.setting(one.workload, policy)
                base, level = one.start or KNOBS[one.knob].base(here), level_of(one.level)
                if isinstance(base, float | int) and not 0 < base < one.upto:
                    text = f"{one.knob} is {base:g} already, so nothing is turned up to {one.upto:g}."
                    self._wrong(("knees", at, "upto"), text, "Write more, or choose another knob.", "no_knee")
                    break
                most = unloaded(here)
                if level.measure == "told_in_call" and level.group == READS and level.up and level.bound > most:
                    text = f"Without any load {100 * most:.1f} % are told in the call, so {level.text} breaks nowhere."
                    self._wrong(("knees", at, "level"), text, "Ask for less.", "no_knee")
                    break


def unloaded(setting: Setting) -> float:
    """The share of call centres' reads that can be told in the call at most: those that the middle tier alone does not keep longer than their caller waits."""
    if setting.policy.reuse_s or setting.policy.push_to_smt:
        return 1.0
    middle, mean_s = setting.assumptions.middle, setting.assumptions.patience_s
    z = np.linspace(-6, 6, 2001)
    density = np.exp(-(z**2) / 2)
    ordinary = float((np.exp(-middle.median_s * np.exp(middle.sigma * z) / mean_s) * density).sum() / density.sum())
    span = (middle.slow_to_s - middle.slow_from_s) / mean_s
    slow = math.exp(-middle.slow_from_s / mean_s) * (-math.expm1(-span) / span if span else 1.0)
    return (1 - middle.slow_share) * ordinary + middle.slow_share * slow


def refuse_size(study: Study, workers: int, place: str) -> None:
    """Raise SimulatorError ``capacity.study.too_large`` for what would take more than half of the machine's memory."""
    octets, has = study.most_octets * workers, memory_octets()
    if octets > has / 2:
        raise SimulatorError(
            "capacity.study.too_large",
            f"The largest cell in each of {workers} processes would take {octets / 1e9:,.1f} GB, and this machine has {has / 1e9:,.1f} GB.",
            place,
            "Give fewer --workers, turn a knee less far up, or take fewer days or meters.",
        )
