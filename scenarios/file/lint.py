"""Everything that a run of a scenario would stumble over, found before it runs: each mistake with its place and mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from meters.calendar import LAST_DAY
from meters.errors import UserError
from meters.identity import TDSPS
from meters.load.truth import ERA
from scenarios.actions.market.balance_call import BalanceCall
from scenarios.actions.world.load import Load
from scenarios.errors import ScenarioError
from scenarios.file.cases import cases
from scenarios.file.idle import idle
from scenarios.file.refusals import no_such_limit, no_such_refusal, not_shown
from scenarios.file.schema import WHOLE, Scenario, accounts, unfitting
from scenarios.file.text import MALFORMED
from scenarios.parts.setting import AccountSpec
from simulator.input.mistakes import Parts, mistakes_of, sound_part
from simulator.input.vee_preset import chosen_preset
from simulator.input.yaml_text import Loc, Mistake, YamlDocument
from simulator.ror.billing.fact_label import LabelFinding, check_fact_label
from simulator.ror.billing.plan import shipped_plan, shipped_plans
from simulator.ror.call.analysis import Question
from simulator.smt.throttle.policy import name_mistake, policy_mistakes
from simulator.world.market import first_ror, foreign_registry, recorded_since
from simulator.world.meters import WorldSpec, build

#: No cycle is longer; SMT's history goes back 24 months.
LONGEST_CYCLE = timedelta(days=366)
UNSOUND_WORLD = "scenario.world"
#: Characters of a line that are told with a mistake.
_LONGEST = 200
#: The days of a market's entries, by field.
_MARKET_DAYS = {
    "switches": ("effective",),
    "occupancies": ("move_in", "move_out"),
    "agreements": ("first_day", "last_day"),
}


class Told(NamedTuple):
    """A mistake as it is told. ``line``, ``column``: from 1 on, None where the file as a whole is wrong; ``excerpt``: the line as it is written, of a long one what stands there."""

    error: UserError
    line: int | None = None
    column: int | None = None
    excerpt: str = ""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        one = self.error
        told = {"code": one.code, "place": one.place, "message": one.message, "mend": one.mend}
        return told | {"line": self.line, "column": self.column, "excerpt": self.excerpt}


def looked_at(path: Path) -> tuple[list[Scenario], list[Told]]:
    """Check a scenario file. Returns its scenarios, one for each case, if all are sound, else every mistake."""
    try:
        found = [(written, *_mistakes(written)) for written in cases(path)]
    except ScenarioError as error:
        line = error.place.partition(": ")[0].rpartition(":")[2]
        return [], [Told(error, int(line) if line.isdecimal() else None)]
    told = {
        (one.loc, one.message): Told(
            written.error(one, ScenarioError),
            *((mark.line + 1, mark.column + 1, _excerpt(lines[mark.line], mark.column)) if mark else ()),
        )
        for written, _, mistakes in found
        for lines in [written.text.splitlines()]
        for one in mistakes
        for mark in [written.mark(one.loc)]
    }
    return [] if told else [sound for _, sound, _ in found if sound is not None], list(told.values())


def _excerpt(line: str, column: int) -> str:
    """A line as it is told; of a long one, which may hold thousands of mistakes, what stands around a column."""
    first = max(0, column - _LONGEST // 2) if len(line) > _LONGEST else 0
    shown = line[first : first + _LONGEST]
    return f"{'... ' if first else ''}{shown}{' ...' if first + _LONGEST < len(line) else ''}"


def lint(path: Path) -> tuple[Scenario | None, list[UserError]]:
    """Check a scenario file. Returns the scenario, the first of several, if it is sound, else every mistake. Raises ScenarioError if it is no such file."""
    found = [(written, *_mistakes(written)) for written in cases(path)]
    errors = [written.error(one, ScenarioError) for written, _, mistakes in found for one in mistakes]
    return (None if errors else found[0][1]), errors


def _mistakes(written: YamlDocument) -> tuple[Scenario | None, list[Mistake]]:
    """The scenario if it is sound, else every mistake in the order of the file."""
    mistakes: list[Mistake] = []
    try:
        scenario, parts = Scenario.model_validate(written.value), Parts()
    except ValidationError as error:
        scenario, parts = sound_part(Scenario, written.value, error)
        mistakes = list(unfitting(scenario, parts))
        # The model tells the first of these too, without its place.
        messages = {mistake.message for mistake in mistakes}
        found = mistakes_of(error, written.value, Scenario, MALFORMED)
        mistakes += [one for one in found if one.loc and one.message not in messages]
    mistakes += unmet(scenario, parts)
    return (None if mistakes else scenario), sorted(mistakes, key=lambda mistake: written.line(mistake.loc) or 0)


def load_sound(path: Path) -> Scenario:
    """Read a scenario file that can run, the first case of several. Raises ScenarioError of its first mistake."""
    return load_cases(path)[0]


def load_cases(path: Path) -> list[Scenario]:
    """Read a scenario file whose cases can run, one or several. Raises ScenarioError of its first mistake."""
    sound, told = looked_at(path)
    if not sound:
        raise told[0].error
    return sound


def unmet(scenario: Scenario, parts: Parts = WHOLE) -> Iterator[Mistake]:
    """What a scenario names that is not there or cannot be, as far as its parts are sound."""
    policy_wrong = list(_policy(scenario)) if parts.have("policy") else [None]
    yield from filter(None, policy_wrong)
    has_cycle = parts.have("account.cycle_first", "account.cycle_last")
    if has_cycle:
        yield from _long_cycle(scenario, parts)
        if parts.have("timeline", "accounts"):
            yield from _outside_cycle(scenario)
    if parts.have("vee_preset") and scenario.vee_preset:
        try:
            chosen_preset(scenario.vee_preset)
        except UserError as error:
            message = f"{error.place}: {error.message}"
            yield Mistake(error.code, ("vee_preset",), message, error.mend or "Mend the file.")
    if parts.have("account.plan"):
        yield from _plan(("account",), scenario.account, scenario.account.cycle_first if has_cycle else None)
    if parts.have("accounts"):
        for at, account in enumerate(scenario.accounts):
            yield from _plan(("accounts", at), account, account.cycle_first)
    found = list(_world_fields(scenario, parts))
    if not found and parts.have("world", "seed"):
        found = list(_unbuilt(scenario.world, scenario.seed)) or list(_foreign_registry(scenario))
    yield from found
    if parts.have("timeline", "expect"):
        yield from idle(scenario)
    if parts.have("timeline"):
        if parts.have("complaints") and not policy_wrong:
            yield from no_such_refusal(scenario)
            yield from no_such_limit(scenario)
            yield from not_shown(scenario)
        yield from _unplayed(scenario)
        last = len(scenario.timeline) - 1
        yield from _out_of_range(scenario.timeline[last].at.date(), ("timeline", last, "at"))


def _unplayed(scenario: Scenario) -> Iterator[Mistake]:
    """Loads that are none: of a workload that is not sound, or has nobody or too many in that time."""
    for at, action in enumerate(scenario.timeline):
        if not isinstance(action, Load):
            continue
        plan, wrong = action.planned()
        try:
            if plan is not None:
                action.part()
        except UserError as error:
            wrong = [error]
        for one in wrong:
            place = f"{one.place.lstrip(': ')}: " if one.place else ""
            mend = one.mend or "Mend the workload."
            yield Mistake(one.code, ("timeline", at, "workload"), f"{place}{one.message}", mend)


def _policy(scenario: Scenario) -> Iterator[Mistake]:
    if isinstance(scenario.policy, str):
        wrong = name_mistake(scenario.policy)
        if wrong is not None:
            yield wrong.under(("policy",))
        return
    for mistake in policy_mistakes(scenario.policy):
        yield mistake.under(("policy",))


def _plan(of: Loc, account: AccountSpec, first: date | None) -> Iterator[Mistake]:
    loc, names = (*of, "plan"), list(shipped_plans())
    if isinstance(account.plan, str) and account.plan not in names:
        mend = f"Choose one of: {', '.join(names)}; or give the path of a file, plans/mine.yaml say."
        yield Mistake("scenario.plan.unknown", loc, f"There is no plan '{account.plan}'.", mend)
        return
    try:
        plan = account.rates
        if first is not None:
            plan.tdu_on(first)
    except UserError as error:
        yield _mistake(error, loc)
        return
    for finding in _shipped_label(account.plan) if isinstance(account.plan, str) else check_fact_label(plan):
        yield Mistake(finding.code, loc, finding.text, "Mend the label or the plan.")


@cache
def _shipped_label(name: str) -> list[LabelFinding]:
    """Many name the same few plans."""
    return check_fact_label(shipped_plan(name))


def _long_cycle(scenario: Scenario, parts: Parts) -> Iterator[Mistake]:
    for loc, account in accounts(scenario, parts):
        cycle = account.cycle_last - account.cycle_first
        if cycle > LONGEST_CYCLE:
            text = f"The cycle has {cycle.days + 1} days: more than a year."
            yield Mistake(MALFORMED, (*loc, "cycle_last"), text, "Mend one of its days.")


def _outside_cycle(scenario: Scenario) -> Iterator[Mistake]:
    """A caller can be told of the running bill in its cycle only."""
    for at, action in enumerate(scenario.timeline):
        if not isinstance(action, BalanceCall) or action.question is Question.LAST_BILL:
            continue
        account = scenario.account if action.account is None else scenario.cast.get(action.account)
        if account is None or account.cycle_last < account.cycle_first:
            continue
        day, first, last = action.at.date(), account.cycle_first, account.cycle_last
        if day < first or (day > last and action.expect.of("outcome") != "not_needed"):
            text = f"{action.ref} on {day} lies outside the billing cycle, {first} to {last}."
            yield Mistake(MALFORMED, ("timeline", at, "at"), text, "Move the call, or the account's cycle.")


def _world_fields(scenario: Scenario, parts: Parts) -> Iterator[Mistake]:
    if not parts.have("world.tdsp") and not parts.have("world.first_day"):
        return
    spec = scenario.world
    if parts.have("world.tdsp") and spec.tdsp not in TDSPS:
        text, mend = f"There is no TDSP '{spec.tdsp}'.", f"Choose one of: {', '.join(TDSPS)}."
        yield Mistake("meters.tdsp.unknown", ("world", "tdsp"), text, mend)
    if parts.have("world.meters", "world.gateways") and spec.gateways > spec.meters:
        text = f"{spec.gateways} gateways are more than there are meters, {spec.meters}."
        yield Mistake(UNSOUND_WORLD, ("world", "gateways"), text, "Take fewer gateways.")
    if parts.have("world.first_day"):
        yield from _out_of_range(spec.first_day, ("world", "first_day"))
    if parts.have("world.premises"):
        for at, premise in enumerate(spec.premises):
            loc = ("world", "premises", at, "scale_to")
            if premise.scale_to is not None:
                yield from _out_of_range(premise.scale_to.first, (*loc, "first"))
                yield from _out_of_range(premise.scale_to.last, (*loc, "last"))
    if parts.have("world.market"):
        yield from _market(spec, parts)
    for section in ("faults", "weather", "lookalikes"):
        if parts.have(f"world.{section}"):
            yield from _days(getattr(spec, section), ("first", "until"), "world", section)


def _market(spec: WorldSpec, parts: Parts) -> Iterator[Mistake]:
    """Days that no record can have, and entries that contradict each other."""
    loc = ("world", "market")
    days = [
        mistake
        for field, names in _MARKET_DAYS.items()
        for mistake in _days(getattr(spec.market, field), names, *loc, field)
    ]
    yield from days
    named: set[int] = set()
    for at, point in enumerate(spec.market.service_points):
        if point.meter in named:
            text = f"The service point of meter {point.meter} stands twice."
            yield Mistake(UNSOUND_WORLD, (*loc, "service_points", at), text, "Say in one entry all that it lacks.")
        named.add(point.meter)
    if not days and parts.have("world.first_day", "world.meters", "world.gateways") and _in_range(spec.first_day):
        yield from _switches(spec)
        since = recorded_since(spec)
        for at, occupancy in enumerate(spec.market.occupancies):
            if occupancy.move_in is None and occupancy.move_out is not None and occupancy.move_out < since:
                text = f"The move-out on {occupancy.move_out} comes before the records begin, on {since}."
                mend = "Name the move-in, or move out later."
                yield Mistake(UNSOUND_WORLD, (*loc, "occupancies", at, "move_out"), text, mend)


def _days(entries: Iterable[Any], names: Iterable[str], *loc: str) -> Iterator[Mistake]:
    """Days of a list's entries that no record can have."""
    for at, entry in enumerate(entries):
        for name in names:
            day = getattr(entry, name)
            if day is not None:
                yield from _out_of_range(day.date() if isinstance(day, datetime) else day, (*loc, at, name))


def _switches(spec: WorldSpec) -> Iterator[Mistake]:
    """Switches of ROR that leave nobody a day, or change nothing."""
    since = recorded_since(spec)
    held: dict[int, tuple[date, str]] = {}
    for at, switch in sorted(enumerate(spec.market.switches), key=lambda each: each[1].effective):
        last, ror = held.get(switch.meter, (since, first_ror(spec, switch.meter)))
        loc = ("world", "market", "switches", at)
        if switch.effective <= since:
            text = f"The switch on {switch.effective} does not come after the records begin, on {since}."
            yield Mistake(UNSOUND_WORLD, (*loc, "effective"), text, "Take a later day.")
        elif switch.effective == last:
            text = f"Meter {switch.meter} switches twice on {last}."
            yield Mistake(UNSOUND_WORLD, (*loc, "effective"), text, "Leave one switch out, or give it another day.")
        elif switch.to == ror:
            text = f"{ror} is of record for meter {switch.meter} already when it switches on {switch.effective}."
            yield Mistake(UNSOUND_WORLD, (*loc, "to"), text, "Name the other ROR, or leave the switch out.")
        held[switch.meter] = switch.effective, switch.to


def _unbuilt(spec: WorldSpec, seed: int) -> Iterator[Mistake]:
    """What a world cannot be built of: premises and faults, each by itself, else the whole."""
    error = _unbuildable(spec, seed)
    if error is not None:
        yield from list(_parts(spec, seed)) or [_mistake(error, ("world",))]


def _foreign_registry(scenario: Scenario) -> Iterator[Mistake]:
    """What keeps the folder of files that a world names from being its registry."""
    folder = scenario.world.market.registry
    if folder is None:
        return
    for error in foreign_registry(build(scenario.world, scenario.seed)):
        message = f"{error.place}: {error.message}"
        yield Mistake(error.code, ("world", "market", "registry"), message, error.mend or "Mend the file.")


def _in_range(day: date) -> bool:
    return ERA < day < LAST_DAY


def _out_of_range(day: date, loc: tuple[str | int, ...]) -> Iterator[Mistake]:
    if not _in_range(day):
        text = f"{day} is out of range: days lie after {ERA} and before {LAST_DAY}."
        yield Mistake(UNSOUND_WORLD, loc, text, "Mend the day.")


def _parts(spec: WorldSpec, seed: int) -> Iterator[Mistake]:
    """The premises, faults and so on of which, each by itself, no world can be built."""
    sections = ("premises", "faults", "weather", "lookalikes")
    bare = spec.model_copy(update=dict.fromkeys(sections, ()))
    for section in sections:
        for at, entry in enumerate(getattr(spec, section)):
            error = _unbuildable(bare.model_copy(update={section: (entry,)}), seed)
            if error is not None:
                yield _mistake(error, ("world", section, at))


def _unbuildable(spec: WorldSpec, seed: int) -> UserError | None:
    try:
        build(spec, seed)
    except UserError as error:
        return error
    except (ArithmeticError, ValueError):
        return ScenarioError(UNSOUND_WORLD, "A number in it is out of range.", mend="Mend it.")
    return None


def _mistake(error: UserError, loc: tuple[str | int, ...]) -> Mistake:
    return Mistake(error.code, loc, error.message, error.mend or "Mend it.")
