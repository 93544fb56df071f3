"""A scenario file: a setting with the timeline of what happens and what is expected of it; what does not fit together in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from meters.calendar import Seconds, both, epoch, iso, seconds
from meters.errors import MeterError
from scenarios.actions.market.exchange import AtDoor
from scenarios.actions.market.http import Http
from scenarios.actions.market.log_in import LogIn
from scenarios.actions.market.portal_read import AtPortal
from scenarios.actions.market.rebill import Rebill
from scenarios.actions.market.requests import AtMarket
from scenarios.actions.table import ACTIONS, Action
from scenarios.actions.world.complaint import Complaint
from scenarios.actions.world.load import Load
from scenarios.errors import ScenarioError
from scenarios.file.text import MALFORMED, read
from scenarios.parts.setting import AccountSpec, Setting, delay
from scenarios.parts.written import LocalTime
from scenarios.run_wide import RunWide
from simulator.input.mistakes import Parts, did_you_mean, mistakes_of
from simulator.input.yaml_text import Loc, Mistake
from simulator.world.market import CSP_LOGIN, logins

WHOLE = Parts()
_LOCAL = TypeAdapter[datetime](LocalTime)


def timed(written: Any) -> Any:
    """A timeline as it is written, each action with its instant: ``+15m`` counts from the action before, or from the one that it comes after."""
    if not isinstance(written, (list, tuple)):
        return written
    found: list[Any] = []
    at: dict[str, Seconds] = {}
    before: Seconds | None = None
    for action in written:
        if isinstance(action, Mapping):
            after, ref = f"{action.get('after') or ''}", f"{action.get('ref')}"
            wait = delay(action.get("at", "+0s" if after else None))
            since = at.get(after, before) if after else before
            if wait is not None and since is not None:
                action = {**action, "at": iso(since + wait)} | ({"after_s": wait} if after else {})
            # Where an action begins that waits for another one is not known before.
            before = None if after else _instant_of(action.get("at"))
            at[ref] = before if before is not None else _instant_of(action.get("at")) or seconds(0)
        found.append(action)
    return found


def _instant_of(written: Any) -> Seconds | None:
    try:
        return epoch(_LOCAL.validate_python(written))
    except (ValidationError, MeterError):
        return None


class Scenario(Setting):
    """One scenario. Local times are Central Prevailing Time."""

    timeline: Annotated[tuple[Action, ...], BeforeValidator(timed)] = Field(min_length=1)
    expect: tuple[RunWide, ...] = Field(default=(), description="What is expected beyond one action.")

    def __reduce__(self) -> tuple[Callable[[str], Scenario], tuple[str]]:
        """Go to another process as text: the models of actions are made from their table, and each process makes its own."""
        return Scenario.model_validate_json, (self.model_dump_json(exclude_unset=True),)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for mistake in unfitting(self, Parts()):
            raise ValueError(f"{mistake.message.rstrip('.')}; {mistake.mend}")
        return self


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file."""
    schema = _untimed(Scenario.model_json_schema())
    # One that is like another says what is otherwise.
    parts, defs, needed = schema["properties"], schema["$defs"], schema.pop("required")
    schema["anyOf"] = [{"required": ["name", "like"]}, {"required": needed}]
    for one in ("WorldSpec", "AccountSpec", "MiddleSpec"):
        del defs[one]["required"]
    # Name and day of a load's workload are the action's.
    defs["WorkloadSpec"]["required"] = ["fleet"]
    parts["like"] = {
        "type": "string",
        "description": "A shipped scenario, or the path of one, whose parts are taken over.",
    }
    axes = {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}}
    parts["matrix"] = axes | {"description": "A scenario is made for each combination of these fields' values."}
    faults = defs["WorldSpec"]["properties"]
    faults["faults"] = {"anyOf": [{"type": "string", "pattern": r"\.ya?ml$"}, faults["faults"]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _untimed(schema: Any) -> Any:
    """It without the formats of days and times: what a person writes is shorter than RFC 3339."""
    if isinstance(schema, dict):
        return {key: _untimed(value) for key, value in schema.items() if (key, value) not in _FORMATS}
    return [_untimed(one) for one in schema] if isinstance(schema, list) else schema


_FORMATS = [("format", one) for one in ("date", "date-time", "time")]


def unfitting(scenario: Scenario, parts: Parts) -> Iterator[Mistake]:
    """What does not fit together in a scenario, as far as its parts are sound."""
    for needed, looked_at in _LOOKED_AT:
        if parts.have(*needed):
            yield from looked_at(scenario)


def _posted_too_soon(scenario: Scenario) -> Iterator[Mistake]:
    if scenario.post_at is not None and scenario.post_at <= scenario.vee_at:
        text = f"Posting at {scenario.post_at:%H:%M} does not come after VEE at {scenario.vee_at:%H:%M}."
        yield Mistake(MALFORMED, ("post_at",), text, "Post later, or run VEE earlier.")


def accounts(scenario: Setting, parts: Parts = WHOLE) -> Iterator[tuple[Loc, AccountSpec]]:
    """Every account and where it stands, as far as they are sound."""
    yield ("account",), scenario.account
    if parts.have("accounts"):
        yield from ((("accounts", at), one) for at, one in enumerate(scenario.accounts))


def _posted_of_nobody(scenario: Scenario) -> Iterator[Mistake]:
    """A file of which everything is left out is none."""
    for at, one in enumerate(scenario.posting):
        if one.at is not None and one.at <= scenario.vee_at:
            text = f"Posting at {one.at:%H:%M} does not come after VEE at {scenario.vee_at:%H:%M}."
            yield Mistake(MALFORMED, ("posting", at, "at"), text, "Post later, or run VEE earlier.")
        if one.channel is None and len(set(one.meters)) >= scenario.world.meters:
            text = "All meters are left out, and nothing is posted."
            yield Mistake(MALFORMED, ("posting", at, "meters"), text, "Name no meters: the day is never posted.")


def _cycle_backwards(scenario: Scenario) -> Iterator[Mistake]:
    for loc, account in accounts(scenario):
        if account.cycle_last < account.cycle_first:
            text = f"The cycle ends on {account.cycle_last}, before it begins on {account.cycle_first}."
            yield Mistake(MALFORMED, (*loc, "cycle_last"), text, "Exchange the days, or mend one.")


def _longer_than_whole(scenario: Scenario) -> Iterator[Mistake]:
    for loc, account in accounts(scenario):
        days = (account.cycle_last - account.cycle_first).days + 1
        if account.full_cycle_days is not None and account.full_cycle_days < days:
            text = f"The cycle has {days} days, the whole that it is a part of {account.full_cycle_days}."
            yield Mistake(MALFORMED, (*loc, "full_cycle_days"), text, "Leave it away for a whole cycle.")


def _no_account(scenario: Scenario) -> Iterator[Mistake]:
    """Accounts of one id, log-ins of nobody, actions about an account that is not there."""
    ids: list[str] = []
    for loc, account in accounts(scenario):
        if account.account_id in ids:
            yield Mistake(
                MALFORMED, (*loc, "account_id"), f"Two accounts are called {account.account_id}.", "Rename one."
            )
        ids.append(account.account_id)
    for at, action in enumerate(scenario.timeline):
        if action.account is not None and action.account not in ids:
            text = f"There is no account {action.account}."
            yield Mistake(MALFORMED, ("timeline", at, "account"), text, did_you_mean(action.account, ids))


def _before_the_world(scenario: Scenario) -> Iterator[Mistake]:
    if scenario.timeline[0].at.date() <= scenario.world.first_day:
        text = f"The first action does not come after the world's first_day, {scenario.world.first_day}."
        yield Mistake(MALFORMED, ("timeline", 0, "at"), text, "Begin the world at least a day earlier.")


def _no_meter(named: Callable[[Scenario], Iterable[tuple[int, Loc]]]) -> Callable[[Scenario], Iterator[Mistake]]:
    def looked_at(scenario: Scenario) -> Iterator[Mistake]:
        for ordinal, loc in named(scenario):
            if ordinal > scenario.world.meters:
                text = f"There is no meter {ordinal}: the world has {scenario.world.meters}."
                mend = "Take one of them, or give the world more meters."
                yield Mistake(MALFORMED, (*loc, "meter"), text, mend)

    return looked_at


def _disorder(scenario: Scenario) -> Iterator[Mistake]:
    """Names given twice, actions that rest on one that is not before them, times that do not ascend or do not exist."""
    seen: dict[str, str] = {}
    declared: list[str] = []
    before: Seconds | None = None
    for place, action in enumerate(scenario.timeline):
        loc = ("timeline", place)
        if action.ref in seen:
            yield Mistake(MALFORMED, (*loc, "ref"), f"Two actions are called {action.ref}.", "Rename one.")
        if action.after is not None and action.after not in seen:
            mend = did_you_mean(action.after, seen) if seen else "Put it first."
            yield Mistake(MALFORMED, (*loc, "after"), f"There is no action {action.after} before this.", mend)
        if isinstance(action, Rebill) and seen.get(action.of) != "balance_call":
            calls = [ref for ref, what in seen.items() if what == "balance_call"]
            mend = did_you_mean(action.of, calls) if calls else "Put the call before it."
            yield Mistake(MALFORMED, (*loc, "of"), f"There is no balance_call {action.of} before this re-bill.", mend)
        if isinstance(action, Http) and action.token is not None and seen.get(action.token) != "log_in":
            mend = did_you_mean(action.token, [ref for ref, what in seen.items() if what == "log_in"])
            yield Mistake(MALFORMED, (*loc, "token"), f"There is no log_in {action.token} before this call.", mend)
        if isinstance(action, Complaint) and action.lift is not None and action.lift not in declared:
            mend = did_you_mean(action.lift, declared) if declared else "Declare one before it."
            yield Mistake(MALFORMED, (*loc, "lift"), f"No complaint {action.lift} was declared before this.", mend)
        if isinstance(action, Complaint) and action.declare is not None:
            declared.append(action.ref)
        seen.setdefault(action.ref, action.do)
        now = _instant(action.at)
        if now is None:
            text = f"{action.at:%Y-%m-%d %H:%M} does not exist: clocks go forward over it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Give a time outside 02:00-02:59 of that night.")
        elif action.after is None and (of_two := both(action.at)):
            text = f"{action.at:%Y-%m-%d %H:%M} comes twice: clocks go back over it."
            mend = " or ".join(one.isoformat(timespec="minutes") for one in of_two)
            yield Mistake(MALFORMED, (*loc, "at"), text, f"Write {mend}.")
        elif before is not None and now < before and action.after is None:
            text = f"{action.ref} comes before the action above it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Let the times of the timeline ascend.")
        before = before if action.after else now or before


def _of_nothing(scenario: Scenario) -> Iterator[Mistake]:
    """What is expected beyond one action must be of actions that there are, and of facts that they have."""
    actions = {action.ref: action for action in scenario.timeline}
    refs = [*actions, *(one.ref for one in scenario.expect)]
    for at, one in enumerate(scenario.expect):
        loc = ("expect", at)
        if refs.count(one.ref) > 1:
            yield Mistake(MALFORMED, (*loc, "ref"), f"Two things are called {one.ref}.", "Rename one.")
        if not (one.run.forms or one.expect or one.never):
            yield Mistake(MALFORMED, loc, f"{one.ref} expects nothing.", "Add run, never, or of with expect.")
        if (one.of is None) == bool(one.expect):
            yield Mistake(MALFORMED, loc, "'of' names an action and 'expect' its facts.", "Write both or none.")
        if one.between and not one.never:
            yield Mistake(MALFORMED, (*loc, "between"), "'between' is of what must never happen.", "Add never.")
        begin, end = [
            _instant(bound)
            if isinstance(bound, datetime)
            else _instant(actions[bound].at)
            if bound in actions
            else None
            for bound in one.between or (None, None)
        ]
        if begin is not None and end is not None and begin >= end:
            one_instant = "It ends when it begins: nothing lies between.", "Move one of the two."
            said = one_instant if begin == end else ("It ends before it begins.", "Exchange the two, or mend one.")
            yield Mistake(MALFORMED, (*loc, "between"), *said)
        named = [("of", one.of), *(("between", bound) for bound in one.between or () if isinstance(bound, str))]
        for field, ref in named:
            if ref is not None and ref not in actions:
                text = f"There is no action {ref}."
                yield Mistake(MALFORMED, (*loc, field), text, did_you_mean(ref, actions))
        if one.of in actions and one.expect:
            row = ACTIONS[actions[str(one.of)].do]
            try:
                row.any_of.model_validate(one.expect)
            except ValidationError as error:
                for mistake in mistakes_of(error, one.expect, row.any_of, MALFORMED):
                    yield mistake.under((*loc, "expect"))


def _no_login(scenario: Scenario) -> Iterator[Mistake]:
    """Who acts must have a log-in, and one of the door that they come to."""
    market = scenario.world.market
    # The CSP is registered where it has an agreement.
    has_csp = bool(market.agreements or market.registry)
    known = {name: login for name, login in logins(market).items() if has_csp or login != CSP_LOGIN}
    customers = [name for name, login in known.items() if not login.duns]
    others = [name for name, login in known.items() if login.duns]
    named: list[tuple[Loc, str | None, list[str]]] = []
    for loc, account in accounts(scenario):
        named += [((*loc, "ror"), account.ror, others), ((*loc, "customer"), account.customer, customers)]
    for place, action in enumerate(scenario.timeline):
        if isinstance(action, AtMarket | AtPortal):
            named.append(
                (("timeline", place, "login"), action.login, others if isinstance(action, AtMarket) else customers)
            )
        elif isinstance(action, Http):
            named.append((("timeline", place, "login"), action.login, action.logins(list(known))))
        elif isinstance(action, AtDoor) and not (isinstance(action, LogIn) and action.password == "wrong"):
            among = customers if action.door == "portal" else list(known)
            named.append((("timeline", place, "login"), action.login, among))
        elif isinstance(action, Load) and (form := action.expect.forms.get("by_login")):
            # Of one that there is none of, none is counted.
            loads = [
                (("timeline", place, "expect", "by_login", to), to.strip("/").partition("/")[0])
                for to in form.equals or {}
            ]
            named += [(loc, login, list(known)) for loc, login in loads]
    for loc, login, among in named:
        if login is not None and login not in among:
            text = f"There is no log-in {login} that can act here."
            yield Mistake(MALFORMED, loc, text, did_you_mean(login, among))


#: The meters that each part names, by ordinal, and where.
_NAMED: dict[str, Callable[[Scenario], Iterable[tuple[int, Loc]]]] = {
    "account.meter": lambda one: [(one.account.meter, ("account",))],
    "accounts": lambda one: [(account.meter, ("accounts", at)) for at, account in enumerate(one.accounts)],
    "complaints": lambda one: (
        (ordinal, ("complaints", at)) for at, told in enumerate(one.complaints) for ordinal in told.meters
    ),
    "timeline": lambda one: (
        (ordinal, ("timeline", at, "declare" if isinstance(action, Complaint) else "spared"))
        for at, action in enumerate(one.timeline)
        for ordinal in (
            action.declare.meters
            if isinstance(action, Complaint) and action.declare is not None
            else action.spared
            if isinstance(action, Load)
            else ()
        )
    ),
    "posting": lambda one: (
        (ordinal, ("posting", at)) for at, told in enumerate(one.posting) for ordinal in told.meters
    ),
    "world.premises": lambda one: (
        (premise.meter, ("world", "premises", at)) for at, premise in enumerate(one.world.premises)
    ),
    "world.faults": lambda one: (
        (ordinal, ("world", "faults", at)) for at, fault in enumerate(one.world.faults) for ordinal in fault.ordinals
    ),
    "world.lookalikes": lambda one: (
        (ordinal, ("world", "lookalikes", at))
        for at, spec in enumerate(one.world.lookalikes)
        for ordinal in spec.ordinals
    ),
    "world.market": lambda one: ((ordinal, ("world", "market", *loc)) for loc, ordinal in one.world.market.named),
}
#: What is looked at, and the parts that must be sound for it.
_LOOKED_AT: tuple[tuple[tuple[str, ...], Callable[[Scenario], Iterator[Mistake]]], ...] = (
    (("vee_at", "post_at"), _posted_too_soon),
    (("vee_at", "posting", "world.meters"), _posted_of_nobody),
    (("account.cycle_first", "account.cycle_last", "accounts"), _cycle_backwards),
    (("account.cycle_first", "account.cycle_last", "account.full_cycle_days", "accounts"), _longer_than_whole),
    *((("world.meters", part), _no_meter(named)) for part, named in _NAMED.items()),
    (("timeline",), _disorder),
    (("timeline", "expect"), _of_nothing),
    (("timeline", "accounts", "account.account_id"), _no_account),
    (("timeline", "world.market", "accounts", "account.ror", "account.customer"), _no_login),
    (("timeline", "world.first_day"), _before_the_world),
)


def _instant(when: datetime) -> Seconds | None:
    try:
        return epoch(when)
    except MeterError:
        return None


def load(path: Path) -> Scenario:
    """Read a scenario file and check its form. Raises ScenarioError with file, line, field and mend of the first mistake."""
    written = read(path)
    try:
        return Scenario.model_validate(written.value)
    except ValidationError as error:
        raise written.error(mistakes_of(error, written.value, Scenario, MALFORMED)[0], ScenarioError) from None
