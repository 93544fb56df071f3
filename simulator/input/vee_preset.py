"""A preset of VEE as a user writes it, read with its lines: thresholds of the rule table, a ladder for homes and one for businesses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import headend.vee
from headend.lse.format import MOST_RECORDS
from headend.ports import HeadEndError
from headend.vee.ladder import Rung
from headend.vee.preset import Ladder, PostTime, Preset
from headend.vee.rules import RULES, limits
from meters.calendar import INTERVAL_S, seconds
from meters.errors import UserError
from simulator.input.mistakes import Parts, did_you_mean, mistakes_of, sentence, sound_part
from simulator.input.yaml_text import ClockTime, ExactLoader, Loc, Mistake, UnreadableFile, YamlProblem, read_yaml_file

FOLDER = Path(headend.vee.__file__).parent / "presets"
_CODE = "vee.preset.invalid"


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _Line(_Written):
    up_to_minutes: Annotated[int, Field(ge=15, le=24 * 60, multiple_of=15)]


class _Likeness(_Written):
    count: Annotated[int, Field(ge=1, le=30)]
    back_days: Annotated[int, Field(ge=1, le=366)]


class _Nothing(_Written):
    """A rung without a number."""


class _Rung(_Written):
    """One of these, as ``name: {its numbers}``, or the name alone where it has none."""

    #: A day is validated again with what comes late.
    late_actual: _Nothing | None = None
    interpolate: _Line | None = None
    like_days: _Likeness | None = None
    class_profile: _Nothing | None = None
    zero: _Nothing | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, written: Any) -> Any:
        return {written: {}} if isinstance(written, str) else written

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a rung is one name; begin another with '- '")
        return self

    @property
    def record(self) -> tuple[Rung, int, int] | None:
        """As the ladder's record has it; None for what needs no code."""
        if self.interpolate:
            return Rung.INTERPOLATE, self.interpolate.up_to_minutes * 60 // INTERVAL_S, 0
        if self.like_days:
            return Rung.LIKE_DAYS, self.like_days.count, self.like_days.back_days
        if self.class_profile:
            return Rung.CLASS_PROFILE, 0, 0
        return (Rung.ZERO, 0, 0) if self.zero else None


class _Collecting(_Written):
    attempts: Annotated[int, Field(ge=1, le=30)] = 5
    #: Meters keep 35 days.
    over_days: Annotated[int, Field(ge=1, le=35)] = 5


class _Ladders(_Written):
    residential: Annotated[list[_Rung], Field(min_length=1)]
    commercial: Annotated[list[_Rung], Field(min_length=1)]


class _Posting(_Written):
    """``at`` with or without a spread, or a distribution's median and sigma."""

    at: ClockTime | None = None
    spread_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    distribution: Literal["lognormal"] | None = None
    median: ClockTime | None = None
    sigma: Annotated[float, Field(gt=0, le=2)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        of_time = {"at"} <= self.model_fields_set <= {"at", "spread_minutes"}
        if not of_time and self.model_fields_set != {"distribution", "median", "sigma"}:
            raise ValueError(
                "write 'at: HH:MM', with spread_minutes if need be, or 'distribution: lognormal' with median and sigma"
            )
        return self

    @property
    def record(self) -> PostTime:
        """As a head-end takes it."""
        return PostTime(
            self.at or self.median or PostTime().at, seconds(self.spread_minutes * 60), float(self.sigma or 0)
        )


class _File(_Written):
    preset: str
    effective: date
    ladder: _Ladders
    sum_unlocated: Literal["tell", "estimate_day"] = "tell"
    collection: _Collecting = Field(default_factory=_Collecting)
    post: _Posting = Field(default_factory=lambda: _Posting(at=PostTime().at))
    #: A file holds so many records at most, two of an ESI ID with generation.
    partition: Annotated[int, Field(ge=1, le=MOST_RECORDS // 2)] = Preset().partition
    thresholds: dict[str, Any] = Field(default_factory=dict)


def shipped() -> dict[str, Path]:
    """The presets that are shipped, by name: one for each TDSP."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


@cache
def preset_of(tdsp: str) -> Preset:
    """The shipped preset of a TDSP, by its key."""
    return chosen_preset(tdsp.lower())


def chosen_preset(named: str) -> Preset:
    """A shipped preset by name, or the one in a file. Raises a UserError with file and line of the first mistake, which says how many more there are."""
    path = shipped().get(named, Path(named))
    preset, mistakes = read_preset(path)
    if preset is not None:
        return preset
    first, *more = mistakes
    if more:
        mend = f"{first.mend} {len(more)} more: 'ami vee lint {path}' tells them."
        raise HeadEndError(first.code, first.message, first.place, mend)
    raise first


def read_preset(path: Path) -> tuple[Preset | None, list[UserError]]:
    """A preset's record, or everything that is wrong with its file, each with its line."""
    try:
        document = read_yaml_file(path, ExactLoader)
    except YamlProblem as problem:
        text = sentence(problem.problem)
        unreadable = isinstance(problem, UnreadableFile)
        mend = f"Name a file of your own, or a shipped preset. {did_you_mean(path, shipped())}"
        return None, [
            HeadEndError("vee.preset.unreadable", text, problem.place, mend if unreadable else "Mend that line.")
        ]
    mistakes: list[Mistake] = []
    parts = Parts()
    try:
        written = _File.model_validate(document.value)
    except ValidationError as error:
        mistakes = mistakes_of(error, document.value, _File, _CODE)
        if not isinstance(document.value, Mapping):
            return None, [document.error(mistake, HeadEndError) for mistake in mistakes]
        written, parts = sound_part(_File, document.value, error)
    mistakes += _wrong_thresholds(written.thresholds if parts.have("thresholds") else {}) + [
        Mistake(
            _CODE,
            ("ladder", name, len(ladder) - 1),
            "A ladder ends in zero, and has it once.",
            "Write zero as its last rung.",
        )
        for name in ("residential", "commercial")
        if parts.have(f"ladder.{name}")
        for ladder in [getattr(written.ladder, name)]
        if [at for at, rung in enumerate(ladder) if rung.zero] != [len(ladder) - 1]
    ]
    if mistakes:
        mistakes.sort(key=lambda mistake: document.line(mistake.loc) or 0)
        return None, [document.error(mistake, HeadEndError) for mistake in mistakes]
    told = {**written.thresholds, "sum.unlocated": {"estimate_day": int(written.sum_unlocated == "estimate_day")}}
    ladders = _ladder(written.ladder.residential), _ladder(written.ladder.commercial)
    tries = written.collection
    late = _has_late(written.ladder.residential), _has_late(written.ladder.commercial)
    collected = tries.attempts, tries.over_days
    post = written.post.record, written.partition
    return Preset(written.preset, written.effective, limits(told), *ladders, late, *collected, *post), []


def _wrong_thresholds(told: Mapping[str, Any]) -> list[Mistake]:
    """Rules and thresholds that the table does not have, and numbers that it does not allow."""
    found: list[Mistake] = []

    def wrong(loc: Loc, message: str, mend: str) -> None:
        found.append(Mistake(_CODE, ("thresholds", *loc), message, mend))

    for rule, numbers in told.items():
        known = RULES[rule].thresholds if rule in RULES else {}
        if rule == "sum.unlocated":
            wrong(
                (rule,),
                "What becomes of such a day has a field of its own.",
                "Write 'sum_unlocated: tell' or 'estimate_day'.",
            )
            continue
        if not known:
            having = [name for name, row in RULES.items() if row.thresholds and name != "sum.unlocated"]
            wrong((rule,), f"There is no rule '{rule}' with a threshold.", did_you_mean(rule, having))
            continue
        if not isinstance(numbers, Mapping):
            wrong((rule,), "Its thresholds are no mapping.", "Write its thresholds as 'name: number'.")
            continue
        for name, value in numbers.items():
            if name not in known:
                wrong((rule, name), f"{rule} has no threshold '{name}'.", did_you_mean(name, known))
                continue
            row = known[name]
            number = value if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else None
            if number is None or math.isnan(number) or not row.least <= number <= row.most:
                wrong(
                    (rule, name),
                    f"It is no number from {row.least:g} to {row.most:g} ({row.unit}).",
                    "Mend the number.",
                )
            elif isinstance(row.default, int) and number != int(number):
                wrong((rule, name), "It is not a whole number.", "Write a whole number.")
    return found


def _has_late(written: list[_Rung]) -> bool:
    return any(rung.late_actual for rung in written)


def _ladder(written: list[_Rung]) -> Ladder:
    return tuple(rung.record for rung in written if rung.record)
