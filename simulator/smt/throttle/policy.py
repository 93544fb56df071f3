"""Throttle policies as they are written: presets in ``policies.yaml``, a user's own in a file; read into the ``Policy`` that ``decision`` works on."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from meters.calendar import Seconds, seconds
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean, mistakes_of
from simulator.input.yaml_text import (
    Loc,
    Mistake,
    UnreadableFile,
    YamlDocument,
    YamlProblem,
    field_name,
    read_yaml_file,
)
from simulator.smt.throttle.limits import (
    EXPECTED_S,
    Door,
    Kind,
    Limit,
    Measure,
    Policy,
    RequesterClass,
    Scope,
    Source,
    Window,
)

_PRESETS = Path(__file__).with_name("policies.yaml")
_SUFFIXES = (".yaml", ".yml")

#: The fields that a measure must have, beside those that every limit has.
_NEEDS: dict[Measure, tuple[str, ...]] = {
    Measure.SUCCESSES: ("window",),
    Measure.OCTETS: ("window", "estimate"),
    Measure.UNDER_WAY: (),
    Measure.TOKENS: ("burst", "per_s"),
    Measure.METER_FAILURES: ("within_s", "cool_down_s"),
}
_MAY = {Measure.UNDER_WAY: ("expected_s",), Measure.METER_FAILURES: ("expected_s",)}
_ONLY_OF_SOME = ("window", "estimate", "burst", "per_s", "within_s", "cool_down_s", "expected_s")
#: No amount is larger: it must fit every database.
_MOST = 10**15
#: Kept apart from its limit by this; no limit's own name has it.
_OTHERS = "/others"


#: A number as it is written: true is none, and neither is a text.
_Whole = Annotated[int, Field(strict=True)]
_WholeSeconds = Annotated[Seconds, Field(strict=True)]
#: What the portal can answer: hourly, daily.
PORTAL_CODES = ("5031", "5032")


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReserveSpec(_Spec):
    """Of a limit's amount, so much is kept for some classes: all others together get no more than the rest."""

    amount: _Whole = Field(ge=1, le=_MOST)
    classes: list[RequesterClass] = Field(min_length=1)


class LimitSpec(_Spec):
    """One limit as it is written in YAML."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    kind: Kind | None = None
    scope: Scope
    amount: _Whole = Field(ge=0, le=_MOST)
    measure: Measure = Measure.SUCCESSES
    window: Window | None = None
    estimate: _Whole | None = Field(default=None, ge=1, le=_MOST)
    burst: _Whole | None = Field(default=None, ge=1, le=10**6)
    per_s: _Whole | None = Field(default=None, ge=1, le=10**6)
    within_s: _WholeSeconds | None = Field(default=None, ge=1, le=86400)
    cool_down_s: _WholeSeconds | None = Field(default=None, ge=1, le=86400)
    expected_s: _WholeSeconds | None = Field(default=None, ge=1, le=86400)
    code: str
    rule: str
    portal_code: str = "5032"
    told: bool = True
    channels: list[Door] = Field(default_factory=lambda: list(Door), min_length=1)
    classes: list[RequesterClass] = Field(default_factory=list)
    reserve: ReserveSpec | None = None

    @field_validator("code", "rule")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("a refusal needs its code and the sentence of its rule; write one")
        return text

    @field_validator("portal_code")
    @classmethod
    def _of_the_portal(cls, code: str) -> str:
        if code not in PORTAL_CODES:
            raise ValueError(f"the portal does not answer '{code}'; write '5031' (hourly) or '5032' (daily)")
        return code

    @model_validator(mode="after")
    def _fields_of_the_measure(self) -> Self:
        allowed = (*_NEEDS[self.measure], *_MAY.get(self.measure, ()))
        for name in _ONLY_OF_SOME:
            given = getattr(self, name) is not None
            if given and name not in allowed:
                raise ValueError(f"limit '{self.name}' counts {self.measure} and has no {name}; leave {name} out")
            if not given and name in _NEEDS[self.measure]:
                raise ValueError(f"limit '{self.name}' counts {self.measure} and needs {name}; add '{name}: ...'")
        if self.measure is Measure.METER_FAILURES and not self.amount:
            raise ValueError(f"limit '{self.name}' would open at no failure; write an amount of at least 1")
        if self.estimate is not None and self.amount and self.estimate > self.amount:
            raise ValueError(
                f"limit '{self.name}' lets nothing in, an estimate is more than its amount; lower estimate"
            )
        if self.reserve is not None:
            strangers = [one for one in self.reserve.classes if self.classes and one not in self.classes]
            if strangers:
                raise ValueError(f"limit '{self.name}' does not count {_listed(strangers)}; leave it out of reserve")
            if self.measure is Measure.METER_FAILURES:
                raise ValueError(f"limit '{self.name}' is a breaker, of which nothing can be kept; leave reserve out")
            if self.reserve.amount > self.amount:
                raise ValueError(f"limit '{self.name}' keeps more than its amount; lower reserve.amount")
        return self

    def limits(self) -> tuple[Limit, ...]:
        """The limits that the throttle works on: with a reserve two, all requests and those that it is not kept for."""
        whole = Limit(
            name=self.name,
            kind=self.kind,
            scope=self.scope,
            amount=self.amount,
            window=self.window or Window.DAY,
            code=self.code,
            rule=self.rule,
            portal_code=self.portal_code,
            told=self.told,
            doors=frozenset(self.channels),
            classes=frozenset(self.classes),
            measure=self.measure,
            estimate=self.estimate or 1,
            burst=self.burst or 0,
            per_s=self.per_s or 0,
            within_s=self.within_s or seconds(0),
            cool_down_s=self.cool_down_s or seconds(0),
            expected_s=self.expected_s or EXPECTED_S,
        )
        kept = self.reserve
        if kept is None:
            return (whole,)
        rest = {
            "name": self.name + _OTHERS,
            "amount": self.amount - kept.amount,
            "but_classes": frozenset(kept.classes),
            "rule": f"{self.rule} {kept.amount:,} of them are kept for {_listed(kept.classes)}.",
        }
        if self.measure is Measure.TOKENS:
            # The others' bucket is smaller by the same share.
            left = self.amount - kept.amount
            rest["burst"] = max(1, whole.burst * left // self.amount) if left else 0
        return whole, Limit(**{name: getattr(whole, name) for name in Limit.__dataclass_fields__} | rest)


class PolicySpec(_Spec):
    """A policy as it is written in YAML. ``like``: starts from another preset; its limits come first."""

    title: str
    source: Source | None = None
    like: str | None = None
    #: Values of the names in braces that title and limits use, as {amount}.
    parameters: dict[str, _Whole] = Field(default_factory=dict)
    reuse_s: _WholeSeconds | None = Field(default=None, ge=0, le=7 * 86400)
    store_within_s: _WholeSeconds | None = Field(default=None, ge=0, le=2 * 86400)
    last_gasp_answers: bool | None = Field(default=None, strict=True)
    push_to_smt: bool | None = Field(default=None, strict=True)
    limits: list[LimitSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [limit.name for limit in self.limits]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two limits are called '{name}'; rename one")
        return self


def policy_mistakes(written: Any) -> list[Mistake]:
    """Everything that is wrong in a policy that is written out; none if it can be used."""
    found = _checked(written)
    return found if isinstance(found, list) else []


def parse_policy(name: str, written: Any, *, place: str) -> Policy:
    """Read one policy. Raises SimulatorError ``policy.*`` naming the field of the first mistake."""
    found = _checked(written)
    if isinstance(found, PolicySpec):
        return _policy(name, found)
    where = f"{place}: {field_name(found[0].loc)}" if found[0].loc else place
    raise SimulatorError(found[0].code, f"Policy '{name}': {found[0].message}", place=where, mend=found[0].mend)


def policy_in(written: YamlDocument, name: str, value: Any, loc: Loc = ()) -> Policy:
    """Read the policy that stands in a file, at ``loc``. Raises SimulatorError ``policy.*`` with the line of the first mistake."""
    found = _checked(value)
    if isinstance(found, PolicySpec):
        return _policy(name, found)
    raise written.error(found[0].under(loc), SimulatorError)


def _checked(written: Any) -> PolicySpec | list[Mistake]:
    """The policy that is written out, or everything that is wrong in it."""
    try:
        spec = PolicySpec.model_validate(_filled_in(written))
    except ValidationError as error:
        return mistakes_of(error, written, PolicySpec, "policy.malformed")
    if spec.like is not None:
        wrong = name_mistake(spec.like)
        if wrong is not None:
            return [wrong.under(("like",))]
        theirs = {limit.name for limit in preset(spec.like).limits}
        for at, limit in enumerate(spec.limits):
            if limit.name in theirs:
                message = f"'{spec.like}' has a limit '{limit.name}' already."
                return [Mistake("policy.twice", ("limits", at, "name"), message, "Give it another name.")]
    return spec


def _policy(name: str, spec: PolicySpec) -> Policy:
    base = preset(spec.like) if spec.like else Policy("", "", Source.STORE_FIRST, ())
    fields = ("source", "reuse_s", "store_within_s", "last_gasp_answers", "push_to_smt")
    written = {field: getattr(spec, field) for field in fields}
    limits = base.limits + tuple(limit for one in spec.limits for limit in one.limits())
    said = {field: value for field, value in written.items() if value is not None}
    return replace(base, name=name, title=spec.title, limits=limits, **said)


def _filled_in(written: Any) -> Any:
    """What is written, its parameters put in: a text that is only ``{amount}`` becomes the number."""
    values = written.get("parameters") if isinstance(written, dict) else None
    if not isinstance(values, dict) or not values:
        return written

    def fill(value: Any) -> Any:
        match value:
            case dict():
                return {key: fill(inner) for key, inner in value.items()}
            case list():
                return [fill(inner) for inner in value]
            case str():
                for name, number in values.items():
                    if value == f"{{{name}}}":
                        return number
                    value = value.replace(f"{{{name}}}", str(number))
        return value

    return {key: value if key == "parameters" else fill(value) for key, value in written.items()}


@cache
def _written() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml_file(_PRESETS).value
    return loaded


def preset_names() -> list[str]:
    """Every preset, in the order of the file."""
    return list(_written())


def unknown(name: str) -> tuple[str, str]:
    """What to say of a name that is no preset: the sentence, the mend."""
    return f"There is no policy '{name}'.", f"Choose one of: {', '.join(preset_names())}."


def name_mistake(name: str) -> Mistake | None:
    """What is wrong with the name of a preset, with or without parameters (``n-per-day:amount=3``); None if it can be used."""
    bare, colon, values = name.partition(":")
    if bare not in _written():
        return Mistake("policy.unknown", (), *unknown(name))
    known = _written()[bare].get("parameters", {})
    given: set[str] = set()
    for word in values.split(",") if colon else ():
        key, _, number = word.partition("=")
        if not key:
            message = f"'{name}' lacks a parameter's name."
            return Mistake("policy.parameter", (), message, f"Write '{bare}' alone.")
        if key in given:
            message = f"Parameter '{key}' of policy '{bare}' is given twice."
            return Mistake("policy.parameter", (), message, "Leave one out.")
        given.add(key)
        if key not in known:
            message = f"Policy '{bare}' has no parameter '{key}'."
            mend = did_you_mean(key, known) if known else f"Write '{bare}' alone."
            return Mistake("policy.parameter", (), message, mend)
        if not re.fullmatch(r"[0-9]{1,6}", number):
            message = f"Parameter '{key}' of policy '{bare}' is '{number}'."
            return Mistake("policy.parameter", (), message, f"Write a whole number, as {bare}:{key}={known[key]}.")
    return None


def preset(name: str, *, place: str = "policy") -> Policy:
    """A preset by name, with its parameters if other values are wanted: ``n-per-day:amount=3``. Raises SimulatorError ``policy.*``."""
    wrong = name_mistake(name)
    if wrong is not None:
        raise SimulatorError(wrong.code, wrong.message, place=place, mend=wrong.mend)
    return _preset(name)


@cache
def _preset(name: str) -> Policy:
    bare, _, values = name.partition(":")
    written = _written()[bare]
    if values:
        given = {key: int(number) for key, _, number in (word.partition("=") for word in values.split(","))}
        written = written | {"parameters": written["parameters"] | given}
    return parse_policy(name, written, place=str(_PRESETS.name))


def load_policy(name_or_path: str, *, place: str = "policy") -> Policy:
    """A preset by name, or the policy in a YAML file. Raises SimulatorError ``policy.*`` with the line of what is wrong."""
    path = Path(name_or_path)
    if not name_or_path.endswith(_SUFFIXES):
        return preset(name_or_path, place=place)
    try:
        written = read_yaml_file(path)
    except UnreadableFile as error:
        raise SimulatorError(
            "policy.unreadable",
            f"The policy '{path}' cannot be read: {error.problem}.",
            place=place,
            mend="Give the path of a YAML file, or the name of a preset.",
        ) from None
    except YamlProblem as error:
        raise SimulatorError(
            "policy.yaml",
            f"The YAML is wrong: {error.problem}.",
            place=error.place,
            mend="Mend the line; indent with spaces.",
        ) from None
    return policy_in(written, path.stem, written.value)


def _listed(classes: list[RequesterClass]) -> str:
    return " and ".join(one.value for one in classes)
