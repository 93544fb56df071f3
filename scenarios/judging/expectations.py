"""What each action of the timeline was expected to come to, and what it came to: one judge for every fact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from meters.calendar import iso, seconds
from scenarios.actions.action import Row, Seen
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.judging.findings import CheckVerdict, Rule, check, text
from scenarios.parts.expected import INSTANT, LACKING, Fact, Form, Lacking
from scenarios.parts.setting import Act
from scenarios.run_wide import EVENTS, FACTS, RunWide
from simulator.input.mistakes import sentence


def hold(rule: Rule, fact: Fact, form: Form[Any], seen: Any) -> None:
    """Hold a fact of what was seen, of an action or of the run, against what is expected of it."""
    found = fact.got(seen)
    if found is LACKING:
        rule.lacking.append(fact.label)
        return
    for words, said, holds in form.looked(found):
        # What is listed though nothing should be names what is wrong.
        listed = ", ".join(map(str, found)) if isinstance(found, tuple) and not holds else ""
        label = f"{fact.label}, {fact.unit}" if fact.unit else fact.label
        what = f"{label}: {listed}" if listed else label
        expected = _shown(fact, said) if words == "{}" else words.format(_shown(fact, said))
        rule.holds(what, holds, expected, _shown(fact, found))


def action_check(evidence: Evidence, action: Act) -> CheckVerdict:
    """What became of an action, held against what was expected of it."""
    row, rule = ACTIONS[action.do], Rule()
    seen = row.seen(evidence, action)
    for name, form in row.held(action).items():
        hold(rule, row.fact(name), form, seen)
    if seen.record is None:
        rule.holds(f"how {action.ref} ended", False, "what it leaves", None)
    title = f"{row.title} {evidence.at_local(action):%m-%d %H:%M}"
    return check(action.ref, title, row.tell(seen), _evidence(row, seen), rule, *action.verifies)


def run_check(evidence: Evidence, one: RunWide) -> CheckVerdict:
    """What a run as a whole came to, held against what was expected of it."""
    rule = Rule()
    held: list[tuple[Fact, Form[Any], Any]] = [
        (fact, one.run.forms[fact.name], evidence) for fact in FACTS if fact.name in one.run.forms
    ]
    for action in evidence.scenario.timeline:
        if action.ref == one.of:
            row = ACTIONS[action.do]
            seen = row.seen(Evidence(evidence.recording, action.account), action)
            held += [(row.fact(name), form, seen) for name, form in row.any_of.model_validate(one.expect).forms.items()]
    for fact, form, of in held:
        hold(rule, fact, form, of)
    told = {fact.name: _shown(fact, fact.got(of)) for fact, _, of in held}
    said = [f"{fact.label}: {text(told[fact.name])}" for fact, _, _ in held]
    if one.never is not None:
        words = EVENTS[one.never].words
        told[one.never] = times = [iso(at) for at in one.happened(evidence)]
        rule.none(f"{words}{one.stretch}", times, one.among(evidence))
        said.append(f"{words}{one.stretch}: {text(times)}")
    happened = "; ".join(said)
    return check(one.ref, "Expected of the run", sentence(happened), told, rule, *one.verifies)


def _evidence(row: Row[Any, Any], seen: Seen[Any, Any]) -> dict[str, Any]:
    """The facts that are there, as JSON values."""
    if seen.record is None:
        return {}
    found = {fact.name: _shown(fact, fact.got(seen)) for fact in row.facts if fact.shown}
    return {name: value for name, value in found.items() if value not in (None, [])}


def _shown(fact: Fact, value: Any) -> Any:
    """A fact's value as JSON has it, instants as text."""
    match value:
        case Lacking():
            return None
        case bool() | str() | None:
            return value
        case Decimal():
            return str(value)
        case tuple() | list():
            return [_shown(fact, one) for one in value]
        case int() if fact.form is INSTANT:
            return iso(seconds(value))
        case _:
            return value
