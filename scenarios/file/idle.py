"""Expectations that say nothing: what every run would meet, and metrics that no party has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from scenarios.actions.market.exchange import ERROR
from scenarios.actions.market.look import Look, metric_name, metrics_of
from scenarios.actions.table import ACTIONS
from scenarios.file.schema import Scenario
from scenarios.parts.expected import Form
from scenarios.parts.setting import Act
from scenarios.run_wide import FACTS
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import Loc, Mistake


def idle(scenario: Scenario) -> Iterator[Mistake]:
    """What is expected of an action or of the run that nothing can miss, or of a metric that is none."""
    always = [fact.name for fact in FACTS]
    actions = {action.ref: action for action in scenario.timeline}
    for at, action in enumerate(scenario.timeline):
        yield from _of_action(action, action.expect.forms, ("timeline", at, "expect"))
    for at, one in enumerate(scenario.expect):
        for name, form in one.run.forms.items():
            yield from _said(form, ("expect", at, "run", name), always=name in always)
        if one.of in actions:
            try:
                forms = ACTIONS[actions[one.of].do].any_of.model_validate(one.expect).forms
            except ValidationError:
                continue
            yield from _of_action(actions[one.of], forms, ("expect", at, "expect"))


def _of_action(action: Act, forms: dict[str, Form[Any]], loc: Loc) -> Iterator[Mistake]:
    required = ACTIONS[action.do].required
    yield from _of_error(forms, loc)
    for name, form in forms.items():
        is_metrics = name == "at" and isinstance(action, Look) and action.what == "metrics"
        yield from _said(form, (*loc, name), always=name in required, floor=0 if is_metrics else None)
        if is_metrics and isinstance(action, Look):
            for place in form.equals or ():
                yield from _metric(action.party, place, (*loc, name, place))


def _of_error(forms: dict[str, Form[Any]], loc: Loc) -> Iterator[Mistake]:
    """Places that are to be absent from the body of an error, which has none of what an answer has."""
    said = forms["status"].said if "status" in forms else {}
    least = [
        said.get("equals"),
        said.get("at_least"),
        min(said.get("one_of", ()), default=None),
        *said.get("within", ())[:1],
    ]
    if any(isinstance(one, int) and one >= ERROR for one in least):
        for place, form in (forms["at"].equals or {}).items() if "at" in forms else ():
            if form.absent:
                text = f"No error has {place}: that it is absent shows nothing."
                mend = "Leave it out, or expect what the error says in its place."
                yield Mistake("scenario.expect.idle", (*loc, "at", place), text, mend)


def _said(form: Form[Any], loc: Loc, *, always: bool, floor: int | None = None) -> Iterator[Mistake]:
    mend = "Expect what a run can miss; where it is enough that there is a value, write absent: false."
    for text in form.idle() if floor is None else form.idle(floor):
        yield Mistake("scenario.expect.idle", loc, text, mend)
    if always and form.absent is not None:
        text = f"{loc[-1]} is always there."
        yield Mistake("scenario.expect.idle", loc, text, "Leave absent out, and expect a value.")


def _metric(party: str, place: str, loc: Loc) -> Iterator[Mistake]:
    """What keeps a place from being a sample of a party's metrics: its name, its labels, how it is written."""
    code, known = "scenario.metric.unknown", metrics_of(party)
    try:
        ((sample,),) = [family.samples for family in text_string_to_metric_families(f"{place} 0\n")]
    except (ValueError, KeyError, IndexError):
        text = f"{place} is no name of a metric."
        yield Mistake(code, loc, text, 'Write it as name, or as name{label="value"}.')
        return
    if sample.name not in known:
        whose = {"smt": "SMT", "headend": "The head-end"}[party]
        yield Mistake(code, loc, f"{whose} has no metric {sample.name}.", did_you_mean(sample.name, sorted(known)))
        return
    labels = sorted(known[sample.name])
    if sorted(sample.labels) != labels:
        has = f"the labels {', '.join(labels)}" if labels else "no label"
        yield Mistake(code, loc, f"{sample.name} has {has}.", "Name each of them, with a value.")
    elif place != metric_name(sample):
        yield Mistake(code, loc, f"{place} is not written as it is looked up.", f"Write {metric_name(sample)}.")
