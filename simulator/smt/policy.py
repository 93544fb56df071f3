"""Throttle presets: data in ``policies.yaml``, read into the ``Policy`` that ``throttle`` works on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.errors import SimulatorError
from simulator.mistakes import mistakes_of
from simulator.smt.throttle import Channel, Kind, Limit, Policy, Scope, Source, Window
from simulator.yaml_input import Mistake, field_name, read_yaml

_PRESETS = Path(__file__).with_name("policies.yaml")


class LimitSpec(BaseModel):
    """One limit as it is written in YAML."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Kind
    scope: Scope
    amount: int = Field(ge=0)
    window: Window
    code: str
    rule: str
    portal_code: str = "5032"
    told: bool = True
    channels: list[Channel] = Field(default_factory=lambda: list(Channel), min_length=1)

    def limit(self) -> Limit:
        """The limit that the throttle works on."""
        return Limit(**{**self.model_dump(), "channels": frozenset(self.channels)})


class PolicySpec(BaseModel):
    """A policy as it is written in YAML. ``like``: starts from another preset; its limits come first."""

    model_config = ConfigDict(extra="forbid")

    title: str
    source: Source | None = None
    like: str | None = None
    limits: list[LimitSpec] = Field(default_factory=list)


def policy_mistakes(written: Any) -> list[Mistake]:
    """Everything that is wrong in a policy that is written out; none if it can be used."""
    try:
        spec = PolicySpec.model_validate(written)
    except ValidationError as error:
        return mistakes_of(error, written, PolicySpec, "policy.malformed")
    if spec.like is not None and spec.like not in _written():
        return [Mistake("policy.unknown", ("like",), *unknown(spec.like))]
    return []


def parse_policy(name: str, written: Any, *, place: str) -> Policy:
    """Read one policy. Raises SimulatorError ``policy.*`` naming the field of the first mistake."""
    for one in policy_mistakes(written):
        where = f"{place}: {field_name(one.loc)}" if one.loc else place
        raise SimulatorError(one.code, f"Policy '{name}': {one.message}", place=where, mend=one.mend)
    spec = PolicySpec.model_validate(written)
    base = preset(spec.like) if spec.like else None
    source = spec.source or (base.source if base else Source.STORE_FIRST)
    limits = (base.limits if base else ()) + tuple(one.limit() for one in spec.limits)
    return Policy(name, spec.title, source, limits)


@cache
def _written() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(_PRESETS.read_text(encoding="utf-8"), _PRESETS.name).value
    return loaded


def preset_names() -> list[str]:
    """Every preset, in the order of the file."""
    return list(_written())


def unknown(name: str) -> tuple[str, str]:
    """What to say of a name that is no preset: the sentence, the mend."""
    return f"There is no policy '{name}'.", f"Choose one of: {', '.join(preset_names())}."


def preset(name: str, *, place: str = "policy") -> Policy:
    """A preset by name. Raises SimulatorError ``policy.unknown`` that lists the known ones."""
    if name not in _written():
        message, mend = unknown(name)
        raise SimulatorError("policy.unknown", message, place=place, mend=mend)
    return parse_policy(name, _written()[name], place=str(_PRESETS.name))
