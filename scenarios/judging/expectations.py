"""What each action of the timeline was expected to come to, and what it came to: one judge for every fact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from meters.calendar import iso, seconds
from scenarios.actions.action import Row, Seen
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.expected import INSTANT, LACKING, Fact, Form
from scenarios.judging.findings import CheckVerdict, Rule, check
from scenarios.setting import Act


def hold(rule: Rule, fact: Fact, form: Form[Any], seen: Seen[Any, Any]) -> None:
    """Hold a fact of what was seen against what is expected of it."""
    found = fact.got(seen)
    if found is LACKING:
        rule.lacking.append(fact.label)
        return
    for words, said, holds in form.looked(found):
        # What is listed though nothing should be names what is wrong.
        listed = ", ".join(map(str, found)) if isinstance(found, tuple) and not holds else ""
        what = f"{fact.label}: {listed}" if listed else fact.label
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


def _evidence(row: Row[Any, Any], seen: Seen[Any, Any]) -> dict[str, Any]:
    """The facts that are there, as JSON values."""
    if seen.record is None:
        return {}
    found = {fact.name: _shown(fact, fact.got(seen)) for fact in row.facts if fact.shown}
    return {name: value for name, value in found.items() if value not in (None, [])}


def _shown(fact: Fact, value: Any) -> Any:
    """A fact's value as JSON has it, instants as text."""
    match value:
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
