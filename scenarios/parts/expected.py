"""What is expected of a fact, in one form for all; and a fact as a row: its name, form, words, and how it is got from what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Self, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, create_model, model_serializer, model_validator

from meters.calendar import iso, seconds
from scenarios.parts.written import Spec
from scenarios.records.values import Count, Instant

T = TypeVar("T")


def _or_bare(schema: dict[str, Any]) -> None:
    """Let an editor take the value alone too, which is what it must equal."""
    whole, bare = dict(schema), schema["properties"]["equals"]["anyOf"][:-1]
    schema.clear()
    schema["anyOf"] = [*bare, whole]


class Form(Spec, Generic[T]):
    """What a fact must come to. A value alone is what it must equal."""

    model_config = ConfigDict(json_schema_extra=_or_bare)
    equals: T | None = None
    one_of: tuple[T, ...] | None = Field(default=None, min_length=1)
    absent: bool | None = Field(default=None, description="Whether there must be no such fact.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Give a name that a schema can show."""
        of, args = params[0], get_args(params[0])
        words = (
            args
            if get_origin(of) is Literal
            else (getattr(args[0] if get_origin(of) is Annotated else of, "__name__", "Scalar"),)
        )
        return "_".join((cls.__name__, *words))

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, written: Any) -> Any:
        return written if isinstance(written, (Mapping, Form)) else {"equals": written}

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        for mistake in self.unmeetable():
            raise ValueError(mistake)
        return self

    @model_serializer
    def _short(self) -> Any:
        # A value that is text in JSON is so here: the recording keeps the scenario.
        told = {name: _plain(value, instants=isinstance(self, AtInstant)) for name, value in self.said.items()}
        return told["equals"] if set(told) == {"equals"} else told

    @property
    def said(self) -> dict[str, Any]:
        """What is written of it, by operator."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}

    def unmeetable(self) -> list[str]:
        """Why nothing can meet it, and the mend."""
        said = self.said
        if not said:
            return [f"nothing is expected; write a value, or one of: {', '.join(type(self).model_fields)}"]
        if self.absent and len(said) > 1:
            return ["what is absent has no value; leave one of the two out"]
        if self.equals is not None and self.one_of is not None and self.equals not in self.one_of:
            return [f"nothing equals {self.equals} and is one of the others; leave one of the two out"]
        return []

    def idle(self, _floor: Any = None, /) -> list[str]:
        """What of it nothing can miss. floor: the least value that there is, where the form itself has none."""
        choices = {bool: (True, False)}.get(_of(self), get_args(_of(self)) if get_origin(_of(self)) is Literal else ())
        whole = choices and self.one_of is not None and {*choices} <= {*self.one_of}
        return ["There is no value beside these."] if whole else []

    def looked(self, found: Any) -> list[tuple[str, Any, bool]]:
        """Each operator in words, what it is given, and whether what was found holds it. found: None for a fact that is not there."""
        return [
            (words, self.said[name], holds(self.said[name], found))
            for name, (words, holds) in _OPERATORS.items()
            if name in self.said
        ]


class Ordered(Form[T], Generic[T]):
    """What a fact with an order must come to."""

    at_least: T | None = None
    at_most: T | None = None
    within: tuple[T, T] | None = Field(default=None, description="From and to, both included.")

    def unmeetable(self) -> list[str]:
        """Why nothing can meet it, and the mend."""
        found = super().unmeetable()
        low, high = self.within or (None, None)
        least = max((one for one in (self.at_least, low) if one is not None), default=None)  # type: ignore[type-var]
        most = min((one for one in (self.at_most, high) if one is not None), default=None)  # type: ignore[type-var]
        for floor, ceiling in ((least, most), (least, self.equals), (self.equals, most)):
            if not found and floor is not None and ceiling is not None and floor > ceiling:  # type: ignore[operator]
                least_said, most_said = _plain([floor, ceiling], instants=isinstance(self, AtInstant))
                found = [f"nothing is at least {least_said} and at most {most_said}; mend one of the two"]
        return found

    def idle(self, floor: Any = None, /) -> list[str]:
        """See ``Form``."""
        bounds = [bound for one in getattr(_of(self), "__metadata__", ()) for bound in getattr(one, "metadata", ())]
        floor = next((bound.ge for bound in bounds if hasattr(bound, "ge")), floor)
        none_below = floor is not None and self.at_least is not None and not self.at_least > floor
        return [f"Nothing is less than {floor}."] if none_below else super().idle()


class AtAmount(Ordered[Annotated[Decimal, Field(ge=0)]]):
    """What a number from 0 on must come to."""


class AtInstant(Ordered[Instant]):
    """What an instant must come to."""


def _of(form: Form[Any] | type[Form[Any]]) -> Any:
    """Of what type its values are."""
    return get_args((form if isinstance(form, type) else type(form)).model_fields["equals"].annotation)[0]


def _plain(value: Any, *, instants: bool = False) -> Any:
    match value:
        case int() if instants and not isinstance(value, bool):
            return iso(seconds(value))
        case Decimal():
            return str(value)
        case tuple() | list():
            return [_plain(one, instants=instants) for one in value]
        case _:
            return value


#: By operator: in words, and whether what was found holds it.
_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "equals": ("{}", lambda said, found: bool(found is not None and said == found)),
    "one_of": ("one of {}", lambda said, found: found in said),
    "absent": ("absent: {}", lambda said, found: (found is None) is said),
    "at_least": ("at least {}", lambda said, found: found is not None and found >= said),
    "at_most": ("at most {}", lambda said, found: found is not None and found <= said),
    "within": ("within {}", lambda said, found: found is not None and said[0] <= found <= said[1]),
}

Scalar = bool | int | float | str


def _kinds(said: Any) -> set[type]:
    """Of what kind values are: a number is one, whole or not, and yes is none."""
    return {float if type(one) is int else type(one) for one in (said if isinstance(said, tuple) else (said,))}


class Place(Ordered[Scalar]):
    """What a value of a document must come to. Text has no order with a number, and yes is no 1."""

    def unmeetable(self) -> list[str]:
        """See ``Form``."""
        kinds = set().union(*(_kinds(value) for name, value in self.said.items() if name != "absent"))
        return ["values are of one kind; write numbers or text"] if len(kinds) > 1 else super().unmeetable()

    def looked(self, found: Any) -> list[tuple[str, Any, bool]]:
        """See ``Form``."""
        alike = self.absent is not None or any(_kinds(found) == _kinds(one) for one in self.said.values())
        return super().looked(found if alike else None)


def _by_place(schema: dict[str, Any]) -> None:
    """Let it be written place by place."""
    places = schema["properties"]["equals"]["anyOf"][0]
    schema.clear()
    schema.update(places)


class Places(Form[dict[str, Place]]):
    """What values of a document must come to, by place: a JSON pointer, or a name at its top."""

    model_config = ConfigDict(json_schema_extra=_by_place)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, written: Any) -> Any:
        return written if isinstance(written, Form) else {"equals": written}

    def idle(self, floor: Any = None, /) -> list[str]:
        """See ``Form``, place by place."""
        return [f"{place}: {why}" for place, form in (self.equals or {}).items() for why in form.idle(floor)]

    def looked(self, found: Any) -> list[tuple[str, Any, bool]]:
        """See ``Form``, place by place. found: values by place, None where the document has none; of what was not kept nothing holds."""
        kept = found or {}
        return [
            # A metric's labels stand in braces.
            (f"{place.replace('{', '{{').replace('}', '}}')}: {words}", said, holds and place in kept)
            for place, form in (self.equals or {}).items()
            for words, said, holds in form.looked(kept.get(place))
        ]


TEXT = Form[str]
TRUTH = Form[bool]
TEXTS = Form[tuple[str, ...]]
COUNT = Ordered[Count]
NUMBER = Ordered[Decimal]
#: A number that is never less than 0.
AMOUNT = AtAmount
INSTANT = AtInstant


class Lacking:
    """What a fact is when there was nothing to look at: neither there nor absent."""


LACKING = Lacking()


@dataclass(frozen=True, slots=True)
class Fact:
    """A named fact of what was done. label: in words, as a failure shows it. got: from what is seen of the action, None if there is none.

    shown: whether the evidence of a check tells it; a fact that only a rule asks for does not.
    """

    name: str
    form: Any
    label: str
    got: Callable[[Any], Any]
    shown: bool = True
    unit: str = ""

    @property
    def kind(self) -> str:
        """What it is, in words."""
        first = _of(self.form)
        words = {
            str: "text",
            bool: "yes or no",
            int: "count",
            Decimal: "number",
            tuple: "list",
            dict: "values by place",
        }
        if get_origin(first) is Literal:
            return "one of " + ", ".join(f"`{one}`" for one in get_args(first))
        own = {INSTANT: "time", AMOUNT: "number from 0 on"}
        return own.get(self.form) or words.get(get_origin(first) or first, "count")


class Expectation(Spec):
    """What an action must come to, fact by fact. Facts left out are not looked at."""

    @property
    def forms(self) -> dict[str, Form[Any]]:
        """What is expected, by fact."""
        return {name: form for name in type(self).model_fields if (form := getattr(self, name)) is not None}

    def of(self, name: str) -> Any:
        """The value that a fact must equal; None if none is named."""
        form = self.forms.get(name)
        return form and form.equals


def expectation(name: str, facts: tuple[Fact, ...], required: tuple[str, ...] = ()) -> type[Expectation]:
    """The model of what can be expected of an action that has these facts."""
    fields: dict[str, Any] = {
        fact.name: (fact.form, Field(description=fact.label))
        if fact.name in required
        else (fact.form | None, Field(default=None, description=fact.label))
        for fact in facts
    }
    return create_model(name, __base__=Expectation, **fields)
