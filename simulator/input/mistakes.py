"""What pydantic finds wrong, in plain sentences: the field as it was written, what was expected there, the mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from simulator.input.yaml_text import Loc, Mistake

M = TypeVar("M", bound=BaseModel)

_WHOLE = ("Write a whole number.", "is not a whole number")
_NUMBER = ("Write a number.", "is not a number")
_DAY = ("Write it as 2026-08-12.", "is not a day of the calendar")
_INSTANT = ("Write it as 2026-08-12T17:40, Central Prevailing Time.", "is not a date and time")
_CLOCK = ("Write it as 17:40.", "is not a time of day")
_TRUTH = ("Write true or false.", "is neither true nor false")
_TEXT = ("Put it in quotes if it is meant as text.", "is not text")
_FIELDS = ("Write its fields as 'name: value'.", "is not a mapping of fields")
_LIST = ("Write a list: one '- ' per entry.", "is not a list")

#: A text that begins with a word of the language, not with a name.
_WORD = re.compile(r"[a-z][a-z'’-]*[,:;.]?(\s|$)")

#: By the beginning of pydantic's type of error: the mend, what the value is not.
_KINDS = {
    "int_": _WHOLE,
    "float_": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "date_": _DAY,
    "datetime_": _INSTANT,
    "time_": _CLOCK,
    "bool_": _TRUTH,
    "string_type": _TEXT,
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "dict_type": _FIELDS,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dataclass_type": _FIELDS,
}
_BOUNDS = {
    "greater_than_equal": ("ge", "it must be at least"),
    "greater_than": ("gt", "it must be more than"),
    "less_than_equal": ("le", "it must be at most"),
    "less_than": ("lt", "it must be less than"),
}


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``Did you mean x?``, or the known names if none is near."""
    names = list(known)
    near = get_close_matches(str(name), names, n=1)
    return f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(names)}."


def mistakes_of(error: ValidationError, value: Any, model: type[BaseModel], code: str) -> list[Mistake]:
    """Every mistake of a validation, in the order of the text's fields. value: what was validated."""
    found: dict[tuple[Loc, str], Mistake] = {}
    for detail in error.errors():
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            # Counted are the sound entries alone; the others are told by themselves.
            continue
        loc = _as_written(detail["loc"], value, missing=detail["type"] in ("missing", "union_tag_not_found"))
        message, mend = _sentence(detail, model)
        if detail["type"] == "union_tag_not_found":
            loc = (*loc, "do")
        found.setdefault((loc, message), Mistake(code, loc, message, mend))
    # A name that is not known is told before the one that is missing for it: it is mostly a slip of the pen.
    return sorted(found.values(), key=lambda mistake: not mistake.message.startswith("There is no field"))


def _as_written(loc: tuple[int | str, ...], value: Any, *, missing: bool) -> Loc:
    """The location without pydantic's names of union members."""
    path: list[str | int] = []
    for at, part in enumerate(loc):
        is_last = at == len(loc) - 1
        if _holds(value, part):
            path.append(part)
            value = value[part]
        elif missing and is_last and isinstance(value, Mapping) and isinstance(part, str):
            path.append(part)
    return tuple(path)


def _holds(value: Any, part: int | str) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value)


def _sentence(error: Any, model: type[BaseModel]) -> tuple[str, str]:
    """Message and mend."""
    kind, shown, context = error["type"], shown_value(error["input"]), error.get("ctx", {})
    name = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "missing":
        return f"The field {name} is missing.", f"Add '{name}: ...'."
    if kind == "extra_forbidden":
        return f"There is no field '{name}' here.", did_you_mean(name, _known_at(model, error["loc"][:-1]))
    if kind == "union_tag_not_found":
        return "The field do is missing: it says what happens.", f"Choose one of: {_tags_of(model, error['loc'])}."
    if kind == "union_tag_invalid":
        tags = [word.strip("' ") for word in context["expected_tags"].split(",")]
        return f"There is no action '{context['tag']}'.", did_you_mean(context["tag"], tags)
    if kind in ("literal_error", "enum"):
        # Of a member of an enum its repr is told: <Side.LEFT: 'left'>.
        allowed = [word.split(": ")[-1].strip("'> ") for word in context["expected"].replace(" or ", ", ").split(",")]
        return f"{shown} is not known here.", did_you_mean(error["input"], allowed)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = context[key]
        number = not isinstance(bound, (str, date))
        return (
            f"{shown} is out of range: {words} {f'{bound:,}' if number else bound}.",
            "Mend the number." if number else "Mend the day.",
        )
    if kind in ("too_short", "too_long"):
        limit = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"There are {context['actual_length']} entries: {limit} are wanted.", "Mend the list."
    if kind in ("string_too_short", "string_too_long"):
        limit = f"at least {context['min_length']}" if "min_length" in context else f"at most {context['max_length']}"
        return f"{shown} has {len(error['input'])} characters: {limit} are wanted.", "Mend the text."
    if kind == "decimal_max_places":
        return f"{shown} has too many decimals: at most {context['decimal_places']} count.", "Round it."
    for start, (mend, words) in _KINDS.items():
        if kind.startswith(start):
            return f"{shown} {words}.", mend
    # A validator of ours may write "what is wrong; the mend".
    message, _, mend = str(error["msg"]).removeprefix("Value error, ").partition("; ")
    return sentence(message), sentence(mend) if mend else "Mend the field."


def sentence(text: str) -> str:
    """A text with a capital, unless it begins with a name that is written so (``cycle_last``, ``plan.json``, ``kWh``), and an end."""
    if _WORD.match(text):
        text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "?")) else f"{text}."


def shown_value(value: Any) -> str:
    """A value in a sentence, short."""
    match value:
        case None:
            return "Nothing"
        case Mapping():
            return "A mapping"
        case list() | tuple():
            return "A list"
        case bool():
            return str(value).lower()
        case _:
            text = str(value)
            text = text if len(text) <= 60 else f"{text[:57]}..."
            return f"'{text}'" if isinstance(value, str) else text


def day_or_time(value: Any) -> Any:
    """Let text be read as a day or an instant; a number would be taken for seconds since 1970."""
    if isinstance(value, (str, date)):
        return value
    raise ValueError(
        f"{shown_value(value)} is no day or time; write it as 2026-08-12, with T17:40 behind it for a time"
    )


def _known_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that may stand at a location."""
    here = [model]
    for part in loc:
        if isinstance(part, int):
            continue
        inner = [
            one for each in here if part in each.model_fields for one in _models(each.model_fields[part].annotation)
        ]
        # Else the part is pydantic's name of a union's member: the model's own, or the tag that it carries.
        here = inner or [one for one in here if one.__name__ == part or part in _literals(one)] or here
    return sorted({name for one in here for name in one.model_fields})


def _tags_of(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    here = [model]
    for part in loc:
        if isinstance(part, str):
            here = [
                one for each in here if part in each.model_fields for one in _models(each.model_fields[part].annotation)
            ]
    return ", ".join(tag for one in here for tag in _literals(one))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _literals(model: type[BaseModel]) -> list[str]:
    """Values of a field ``do`` that tells one member of a union from another."""
    field = model.model_fields.get("do")
    return list(get_args(field.annotation)) if field is not None and get_origin(field.annotation) is Literal else []


@dataclass(frozen=True, slots=True)
class Parts:
    """Which parts of a model are sound. ``lacks``: dotted names of the fields that are not; ``name.*``: its fields do not fit together."""

    lacks: frozenset[str] = frozenset()

    def have(self, *names: str) -> bool:
        """Whether all these fields are sound, with all that is in them."""
        return not any(
            f"{lacking}.".startswith(f"{name}.") or f"{name}.".startswith(f"{lacking}.")
            for name in names
            for lacking in self.lacks
        )


def sound_part(model: type[M], value: Mapping[str, Any], error: ValidationError) -> tuple[M, Parts]:
    """Make a model of those fields that are sound, so that what rests on them alone can still be looked at.

    value: what was validated. Fields that are models themselves are made of their sound fields likewise; lists are sound as a whole only.
    """
    part, lacks = _sound_part(model, value, [one["loc"] for one in error.errors()])
    return part, Parts(frozenset(lacks))


def _sound_part(model: type[M], value: Mapping[str, Any], wrong: list[tuple[int | str, ...]]) -> tuple[M, set[str]]:
    fields: dict[str, Any] = {}
    lacks: set[str] = set()
    for name, field in model.model_fields.items():
        below = [loc[1:] for loc in wrong if loc and loc[0] == name]
        inner = field.annotation
        if not below:
            if name in value:
                fields[name] = TypeAdapter[Any](field.rebuild_annotation()).validate_python(value[name])
        elif isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value.get(name), Mapping):
            fields[name], its = _sound_part(inner, value[name], below)
            lacks |= {f"{name}.{one}" for one in its} | ({f"{name}.*"} if () in below else set())
        else:
            lacks.add(name)
    return model.model_construct(**fields), lacks
