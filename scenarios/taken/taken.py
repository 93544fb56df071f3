"""The scenario file that is made of what a file saw: its setting, its timeline, and in comments what could not be carried."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import TypeAdapter, ValidationError

from meters.calendar import Seconds, epoch, iso, local
from meters.errors import reason
from scenarios import recording as recordings
from scenarios.errors import ScenarioError
from scenarios.file.begun import write_new
from scenarios.file.lint import load_sound, looked_at
from scenarios.file.refusals import no_such_refusal, not_shown
from scenarios.file.schema import Scenario
from scenarios.file.shipped import SCENARIOS
from scenarios.parts.written import Name
from scenarios.taken.exchange import Exchange
from scenarios.taken.har import har_exchanges
from scenarios.taken.kept import recorded, ref_of, wire_exchanges
from scenarios.taken.mapped import Carried, Left, Mapped, mapped
from scenarios.taken.names import Names
from simulator.input.mistakes import sentence
from simulator.input.whole_text import whole_text
from simulator.tap.chain import check_chain
from simulator.tap.log import OURS

#: Whose world is played in, where nothing tells another.
USUAL = Path("gap-of-17-h-30")
#: Octets of an archive or a recording, and actions of a scenario. Defaults of this project.
MOST_OCTETS, MOST_ACTIONS = 64 << 20, 1_000
#: Days of history that a world is given for reads of older ones.
_MOST_DAYS = timedelta(days=40)
_KINDS = "a HAR, a wire.jsonl or a recording.json"
#: Columns of a line of the timeline; a longer action is written field by field.
_WIDTH = 160


class Taken(NamedTuple):
    """What became of a file. ``told``: lines for whoever asked, of what was left out and what was not carried."""

    out: Path
    actions: int
    entries: int
    told: list[str]

    @property
    def counts(self) -> str:
        """How many actions of how many entries, in words."""
        return _counts(self.actions, self.entries)


class _Source(NamedTuple):
    """What was read of a file. ``notes``: of it as a whole."""

    what: str
    base: Scenario
    names: Names
    mapped: Mapped
    entries: int
    notes: list[str]


def take(
    file: Path, out: Path | None, name: str | None = None, like: Path | None = None, day: date | None = None
) -> Taken:
    """Write ``out``, a scenario that plays again what ``file`` saw. Raises a UserError; no file is written over.

    like: whose world, policy and accounts are taken; a recording's own, or one's that lies beside a wire.jsonl, unless given. day: of the first entry.
    """
    name = _named(name or re.sub(r"[^a-z0-9]+", "-", file.name.partition(".")[0].lower()).strip("-"), file)
    source = _read(file, None if like is None else load_sound(SCENARIOS.named(like)), day)
    carried, left = source.mapped.carried, list(source.mapped.left)
    if len(carried) > MOST_ACTIONS:
        text = f"It makes {len(carried):,} actions: at most {MOST_ACTIONS:,} are carried."
        raise ScenarioError("from.too_long", text, str(file), "Cut the file to the stretch that matters.")
    sound: list[Carried] = []
    for one in carried:
        if why := _unfit(one, sound, source.names):
            left.append(Left(one.at, one.entry, one.action["do"], why))
        else:
            sound.append(one)
    if not sound:
        text = "Nothing of it can be carried." if left else "It has no entries."
        mend = f"Give {_KINDS} of what users asked of SMT, a head-end or a desk."
        raise ScenarioError("from.no_entries", text, str(file), mend)
    document = _document(name, source, sound, day)
    scenario = _checked(document, file)
    for mistake in reversed([*not_shown(scenario)]):
        part, at, place = str(mistake.loc[0]), int(mistake.loc[1]), int(mistake.loc[3])
        ident = document[part][at]["verifies"].pop(place)
        if part == "timeline":
            sound[at].notes.append(f"it verified {ident}, which nothing here can show")
        else:
            source.notes.append(f"{document[part][at]['ref']} verified {ident}, which nothing here can show")
    for mistake in no_such_refusal(scenario):
        at = int(mistake.loc[1])
        code = document["timeline"][at]["expect"].pop("refusal")
        sound[at].notes.append(f"it was refused with {code}, which nothing of this world gives")
    said = [*_head(source, sound, left), *source.notes]
    text = _text(document, sound, left, said)
    _lint(text, name, file)
    target = write_new(out or Path(f"{name}.yaml"), text)
    told = [*said, *(f"entry {one.entry}: {one.label} is not carried: {one.why}" for one in sorted(left, key=_entry))]
    told += [f"entry {one.entry}: {one.action['do']}: {note}" for one in sound for note in one.notes]
    return Taken(target, len(sound), source.entries, told)


def _unfit(one: Carried, sound: Iterable[Carried], names: Names) -> str:
    """Why an action is not carried behind those that are; empty: it is."""
    if names.leaks(json.dumps(one.action)):
        return "a secret, or somebody's id, stands where it could not be replaced"
    before = {it.entry for it in sound}
    lacking = next((name for name, entry in one.named.items() if entry not in before), "")
    return f"what its {lacking} names is not carried either" if lacking else ""


def _entry(one: Left) -> int:
    return one.entry


def _named(name: str, file: Path) -> str:
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        mend = "Name it with --name: small letters, digits and hyphens, at most 64."
        raise ScenarioError("from.name", f"'{name}' is no name of a scenario.", str(file), mend) from None


# -- reading ------------------------------------------------------------------------------------------------------


def _read(file: Path, like: Scenario | None, day: date | None) -> _Source:
    try:
        with file.open("rb") as opened:
            is_wire = opened.read(len(OURS)) == OURS
        if not is_wire and file.stat().st_size > MOST_OCTETS:
            text = f"It has {file.stat().st_size / 2**20:,.0f} MiB: at most {MOST_OCTETS >> 20} are read."
            raise ScenarioError("from.too_large", text, str(file), "Cut the file to the stretch that matters.")
        content = None if is_wire else json.loads(whole_text(file))
    except OSError as error:
        text = f"It cannot be read: {reason(error)}."
        raise ScenarioError("from.unreadable", text, str(file), f"Name {_KINDS}.") from None
    except (ValueError, RecursionError):
        raise ScenarioError("from.not_json", "This is not JSON.", str(file), f"Name {_KINDS}.") from None
    if is_wire:
        return _wire(file, like, day)
    if isinstance(content, dict) and "log" in content:
        return _of(har_exchanges(content, str(file)), "an HTTP archive", like or _usual(), day, [])
    if isinstance(content, dict) and "scenario" in content:
        recording = recordings.load(file)
        base = like or recording.scenario
        first = recording.scenario.timeline[0].at.date()
        names = Names(base, [], (day or first) - first)
        found = recorded(recording, names)
        return _Source("a recording", base, names, found, len(recording.scenario.timeline), [])
    raise ScenarioError("from.unknown", "This is JSON of something else.", str(file), f"Name {_KINDS}.")


def _usual() -> Scenario:
    return load_sound(SCENARIOS.named(USUAL))


def _wire(file: Path, like: Scenario | None, day: date | None) -> _Source:
    seen, others = wire_exchanges(file)
    beside = file.with_name("recording.json")
    if like is None:
        like = recordings.load(beside).scenario if beside.is_file() else _usual()
    notes = []
    fault = check_chain(file).fault
    if fault:
        notes.append(f"The file is not as it was written: {fault}")
    if others:
        which = ", ".join(sorted(one for one in others if others[one]))
        notes.append(
            f"{others.total():,} exchanges of the parties themselves ({which}) come by themselves in a replay."
        )
    return _of(seen, "exchanges of ours", like, day, notes)


def _of(seen: list[Exchange], what: str, base: Scenario, day: date | None, notes: list[str]) -> _Source:
    first = local(seen[0].at).date() if seen else base.world.first_day
    names = Names(base, seen, (day or _fitting(base, first)) - first)
    return _Source(what, base, names, mapped(seen, names), len(seen), notes)


def _fitting(base: Scenario, first: date) -> date:
    """The file's own day where the base's world and cycle have it, else the day of the base."""
    account = base.account
    fits = account.cycle_first <= first <= account.cycle_last and first > base.world.first_day
    return first if fits else base.timeline[0].at.date()


# -- the scenario -------------------------------------------------------------------------------------------------


def _document(name: str, source: _Source, carried: list[Carried], day: date | None) -> dict[str, Any]:
    """The scenario as it is written."""
    base, names = source.base, source.names
    setting = base.model_dump(
        mode="json",
        exclude_defaults=True,
        serialize_as_any=True,
        exclude={"name", "title", "tags", "timeline", "expect", "account", "accounts"},
    )
    began = base.timeline[0].at.date()
    first = local(carried[0].at).date() + names.shift
    # The base's days go along where the first one is told to lie elsewhere.
    moved = first - began if day is not None else timedelta(0)
    world = setting["world"] | {"first_day": f"{_first_day(base, carried, first, moved)}"}
    if source.names.meters != base.world.meters:
        world |= {"meters": names.meters}
    if names.gateways != base.world.gateways:
        world |= {"gateways": names.gateways}
    if market := names.market():
        world["market"] = world.get("market", {}) | {part: [*world.get("market", {}).get(part, []), *one] for part, one in market.items()}  # fmt: skip
    accounts = []
    for one in names.accounts:
        days = {field: f"{date.fromisoformat(one[field]) + moved}" for field in ("cycle_first", "cycle_last")}
        accounts.append(one | days)
    document = {"name": name, "title": "What a file saw, played again", "tags": ["replay"], **setting, "world": world}
    document |= {"account": accounts[0]} | ({"accounts": accounts[1:]} if accounts[1:] else {})
    beyond = source.mapped.beyond if len(carried) == len(source.mapped.carried) else ()
    document |= {"timeline": list(_timeline(carried, names))}
    return document | ({"expect": list(beyond)} if beyond else {})


def _first_day(base: Scenario, carried: list[Carried], first: date, moved: timedelta) -> date:
    """As the base has it, or so much earlier that what is read of older days was posted."""
    asked = [date.fromisoformat(one.action["first"]) for one in carried if "first" in one.action]
    usual = base.world.first_day + moved
    return max(min([usual, *asked]), min(usual, first - _MOST_DAYS))


def _timeline(carried: list[Carried], names: Names) -> Iterator[dict[str, Any]]:
    """The actions with refs and times: the first at its instant, each other one so long after the one before it."""
    begins = local(carried[0].at)
    at: Seconds | None = None
    refs = {one.entry: ref_of(one.action["do"], number) for number, one in enumerate(carried, 1)}
    for one in carried:
        moved = (begins + names.shift).replace(tzinfo=None)
        when = iso(epoch(moved)) if at is None else _delay(one.at - at)
        ref, action = refs[one.entry], one.action | {name: refs[entry] for name, entry in one.named.items()}
        body = action.get("body")
        if isinstance(body, dict) and "callReference" in body and action["expect"].get("status") == 200:
            # What a request was made for is the action that makes it now.
            action["body"] = body | {"callReference": ref}
        yield {"at": when, "do": action.pop("do"), "ref": ref, **action}
        at = one.at


def _delay(wait: int) -> str:
    hours, minutes, rest = wait // 3600, wait % 3600 // 60, wait % 60
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "+" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0s")


def _checked(document: Mapping[str, Any], file: Path) -> Scenario:
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        raise _unsound(f"{error.errors()[0]['msg']}", file) from None


def _lint(text: str, name: str, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.yaml")
        path.write_text(text, encoding="utf-8")
        _, told = looked_at(path)
    if told:
        raise _unsound(f"{told[0].error.place.rpartition('/')[2]}: {told[0].error.message}", file)


def _unsound(why: str, file: Path) -> ScenarioError:
    mend = "Choose another world with --like, or another day with --day."
    return ScenarioError(
        "from.unsound", f"What it saw does not fit into the scenario: {why.rstrip('.')}.", str(file), mend
    )


# -- the text -----------------------------------------------------------------------------------------------------


def _head(source: _Source, carried: list[Carried], left: list[Left]) -> Iterator[str]:
    counts = _counts(len(carried), source.entries)
    folded = f", {source.mapped.folded:,} of which are part of another's action" if source.mapped.folded else ""
    yield f"Made of {source.what}: {counts}{folded}; {len(left)} could not be carried."
    dropped = [
        f"{len(found):,} {_plural(kind, len(found))}" for kind, found in sorted(source.names.dropped.items()) if found
    ]
    if dropped:
        yield f"Left out: {', '.join(dropped)}."
    if source.names.esiids:
        which = ", ".join(str(one) for one in source.names.esiids.values())
        yield f"ESI IDs and meter numbers are those of meters {which}, in order of appearance."
    if source.names.shift:
        yield f"Days are moved by {source.names.shift.days:+,}."


def _counts(actions: int, entries: int) -> str:
    return f"{actions} {_plural('action', actions)} of {entries:,} {'entry' if entries == 1 else 'entries'}"


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}es" if kind.endswith("s") else f"{kind}s"


def _text(document: dict[str, Any], carried: list[Carried], left: list[Left], said: list[str]) -> str:
    schema = Path(__file__).parents[1] / "scenario.schema.json"
    lines = [f"# yaml-language-server: $schema={schema.as_posix()}", *(f"# {one}" for one in said)]
    setting = {name: part for name, part in document.items() if name not in ("timeline", "expect")}
    lines += [_dumped(setting).rstrip(), "", "timeline:"]
    waiting = sorted(left, key=lambda one: (one.at, one.entry))
    for one, action in zip(carried, document["timeline"], strict=True):
        while waiting and waiting[0].at < one.at:
            lines.append(_comment(waiting.pop(0)))
        lines += [f"  # {sentence(note)}" for note in one.notes]
        flow = _dumped(action, flow=True).strip()
        lines += [f"  - {flow}"] if len(flow) <= _WIDTH else _block(action)
    lines += [_comment(one) for one in waiting]
    if "expect" in document:
        lines += ["", "expect:", *(f"  - {_dumped(one, flow=True).strip()}" for one in document["expect"])]
    return "\n".join(lines) + "\n"


def _comment(one: Left) -> str:
    return f"  # Entry {one.entry} is not carried: {one.why}."


def _block(action: dict[str, Any]) -> list[str]:
    first, *rest = _dumped(action).rstrip().splitlines()
    return [f"  - {first}", *(f"    {line}" for line in rest)]


def _dumped(value: Any, *, flow: bool | None = False) -> str:
    return yaml.safe_dump(value, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=10**6)
