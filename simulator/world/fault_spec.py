"""Faults, weather and look-alikes as a user writes them in YAML: in a scenario's world, or in a file of their own for ``ami meters serve``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from meters.calendar import epoch, seconds
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER
from meters.faults.kinds import ROWS, Channel, FaultKind, LookalikeKind
from meters.faults.rules import FaultRule
from meters.load.shape import since_era
from meters.load.weather import MOST_DEGREES, Spell, SpellKind, Weather
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean, mistakes_of, shown_value
from simulator.input.yaml_text import UnreadableFile, YamlProblem, read_yaml_file


class HappeningSpec(BaseModel):
    """One declaration of a fault or a look-alike: a kind, whom it hits (one of meter, meters, esiids, gateway, rate), from when to when, and the kind's parameters.

    Times are local (or carry an offset). Without ``first`` it has always been, without ``until`` it lasts. Parameters stand beside the
    other fields: ``{kind: spike, meter: 18, first: ..., until: ..., factor: 40}``.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: FaultKind | LookalikeKind
    meter: int | None = Field(default=None, ge=1, description="Ordinal of the meter, from 1 on.")
    meters: tuple[int, ...] = ()
    esiids: tuple[str, ...] = ()
    gateway: int | None = Field(default=None, ge=1, description="Every meter of this gateway, from 1 on.")
    rate: float | None = Field(default=None, gt=0, le=1, description="Share of the meters, drawn by the seed.")
    every: Literal["run", "day"] = Field(
        default="run", description="Of a rate: draw once, or anew every operating day."
    )
    minutes: int | None = Field(
        default=None, gt=0, description="Of a rate: how long it lasts at each meter, somewhere between first and until."
    )
    channel: Channel | None = Field(
        default=None, description="Of a fault of intervals: which channels it takes; its kind's unless given."
    )
    first: datetime | None = None
    until: datetime | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        said = [
            name for name in ("meter", "meters", "esiids", "gateway", "rate") if getattr(self, name) not in (None, ())
        ]
        if len(said) != 1:
            raise ValueError(f"say whom it hits by one of meter, meters, esiids, gateway, rate, not {said or 'none'}")
        known = ROWS[self.kind].parameters
        for name, value in (self.model_extra or {}).items():
            if name not in known:
                fields = [field for field in type(self).model_fields if field != "kind"]
                hint = did_you_mean(name, [*known, *fields])
                raise ValueError(f"'{name}' is no field here and no parameter of {self.kind}. {hint}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"the parameter {name} is {shown_value(value)}, not a number")
        return self

    @property
    def ordinals(self) -> tuple[int, ...]:
        """The meters that it names by ordinal."""
        return self.meters if self.meter is None else (self.meter,)

    def rule(self, where: str) -> FaultRule:
        """The rule that it declares. where: the place for messages. Raises SimulatorError for what cannot be."""
        whom = f"meter {self.meter}" if self.meter else "several"
        place = f"{where}: {self.kind} of {whom}"
        try:
            return FaultRule(
                self.kind,
                epoch(self.first, place=place) if self.first is not None else ALWAYS,
                epoch(self.until, place=place) if self.until is not None else FOR_EVER,
                {name: float(value) for name, value in (self.model_extra or {}).items()},
                self.ordinals,
                self.esiids,
                () if self.gateway is None else (self.gateway,),
                self.rate or 0.0,
                self.every,
                None if self.minutes is None else seconds(self.minutes * 60),
                self.channel,
                place,
            )
        except MeterError as error:
            raise SimulatorError(error.code, error.message, place=place, mend=error.mend) from None


class FaultSpec(HappeningSpec):
    """A fault of meters."""

    kind: FaultKind


class LookalikeSpec(HappeningSpec):
    """True use of premises that looks like a fault."""

    kind: LookalikeKind


class WeatherSpec(BaseModel):
    """Weather of a zone on the operating days from ``first`` to before ``until``: so many degrees C below or above what would be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: SpellKind
    zone: str
    first: date
    until: date
    degrees: float = Field(ge=0, le=MOST_DEGREES)

    def spell(self, place: str) -> Spell:
        """What it declares. Raises SimulatorError for a zone or days that there are none of."""
        try:
            for day in (self.first, self.until):
                since_era(day)
            return Spell(self.kind, self.zone, self.first, self.until, self.degrees)
        except MeterError as error:
            raise SimulatorError(error.code, error.message, f"{place}: {self.kind}", error.mend) from None


class Happenings(NamedTuple):
    """What is declared of a fleet beside its meters."""

    rules: tuple[FaultRule, ...] = ()
    weather: Weather = ()


class Declared(BaseModel):
    """What a file or a world declares: faults of meters, weather, and look-alikes of faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    faults: tuple[FaultSpec, ...] = ()
    weather: tuple[WeatherSpec, ...] = ()
    lookalikes: tuple[LookalikeSpec, ...] = ()

    def happenings(self, where: Callable[[str, int], str]) -> Happenings:
        """Rules and weather. where: the place of a section's entry, for messages. Raises SimulatorError for what cannot be."""
        rules = tuple(
            spec.rule(where(section, row))
            for section, specs in (("faults", self.faults), ("lookalikes", self.lookalikes))
            for row, spec in enumerate(specs)
        )
        spells: list[Spell] = []
        for row, spec in enumerate(self.weather):
            spell = spec.spell(where("weather", row))
            if any(spell.meets(other) for other in spells):
                text, mend = "Another spell has days of these in its zone.", "Give each day of a zone one spell."
                raise SimulatorError("meters.weather.overlap", text, f"{where('weather', row)}: {spell.kind}", mend)
            spells.append(spell)
        return Happenings(rules, tuple(spells))


def read_happenings(path: Path | None) -> Happenings:
    """What a YAML file of ``faults``, ``weather`` and ``lookalikes`` declares; nothing without a file.

    Raises SimulatorError naming file, line and field of the first mistake.
    """
    if path is None:
        return Happenings()
    try:
        written = read_yaml_file(path)
        file = Declared.model_validate(written.value)
    except UnreadableFile as error:
        text, mend = f"The file cannot be read: {error.problem}.", "Name a YAML file that is there."
        raise SimulatorError("faults.unreadable", text, error.place, mend) from None
    except YamlProblem as error:
        text = f"This is no YAML: {error.problem}."
        raise SimulatorError("faults.malformed", text, error.place, "Mend that line.") from None
    except ValidationError as error:
        first = mistakes_of(error, written.value, Declared, "faults.malformed")[0]
        raise written.error(first, SimulatorError) from None
    return file.happenings(lambda section, row: written.where((section, row)))
