"""What whoever is certified says of a system: ``sut.yaml``, its form, and every mistake in one with line and mend. No secret may stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from meters.calendar import Seconds, seconds
from scenarios.certify.truth import own_truth
from scenarios.errors import ScenarioError
from scenarios.file.lint import Told
from scenarios.parts.written import Spec
from simulator.input.mistakes import did_you_mean, mistakes_of, shown_value
from simulator.input.yaml_text import Loc, Mistake, YamlDocument, YamlProblem, read_yaml_file
from simulator.runtime.serving import is_url
from simulator.smt.ondemand.judged import CLOCK_BEHIND_S

MALFORMED, SECRET = "certify.malformed", "certify.secret"
Role = Literal["ror", "headend", "smt", "meter"]
#: As a sentence names it.
NAMED = {"ror": "a retailer", "headend": "a head-end", "smt": "an SMT", "meter": "a meter"}
#: A head-end of which that is claimed is told what meters tell unasked, below its endpoint for inquiries.
EVENTS = "EVENTS"
#: An SMT of which that is claimed is asked at its portal too, as its customers ask.
PORTAL = "PORTAL"
#: What a system can say that it does, by role; what it does not claim is not asked of it.
CLAIMS: dict[str, tuple[str, ...]] = {
    "headend": ("INTERVALS", "REGISTER", "POWER", "STORE-FIRST", "DST", EVENTS, "CHANNEL-1", "LSE"),
    "ror": ("BALANCE", "BILLS", "PROJECTION"),
    "smt": ("ON-DEMAND", "FILES", PORTAL),
    "meter": ("INTERVALS", "REGISTER", "ROLLOVER", "CHANNEL-1", "POWER", "EVENTS", "DST", "COMMANDS"),
}
#: What a command is filled with.
PLACEHOLDERS = {
    "port": "a free port, the same in every step",
    "smt_url": "SMT's address",
    "keys": "file with the keys of the link",
    "truth": "CSV file with what the meters hold: esiid, end, wh, register_wh, given_wh, known_from",
    "ftps": "SMT's file site, as HOST:PORT",
    "ca": "file with the authority of its certificate; it lies there while files are waited for",
    "duns": "the TDSP's DUNS number",
    "meters": "CSV file with the meters' addresses: esiid, meter_number, host, port, unit_id, multiplier",
    "now": "the model's time as the step begins",
    "python": "the Python that runs the test bed",
    "twins": "folder of the strangers' systems that are shipped",
    "step": "name of the step",
    "esiid": "the ESI ID that the step is about",
    "meter_number": "its meter's number",
    "call": "name of the customer's call",
    "question": "what the customer asks: balance or last_bill; bill: what plan and usage come to",
    "patience": "model seconds until the customer hangs up",
    "first": "first day of the billing cycle",
    "last": "last day of the billing cycle",
    "plan": "JSON file with the customer's rate plan",
    "usage": "JSON file with the usage that a bill is asked of, as a vector of the profile has it",
    "headend_url": "the TDSP's address: /inquiries lies below it",
    "clock_url": "where it is asked what time it is: GET /control/clock",
    "portal_port": "another free port, for a portal of its own",
    "ftps_port": "a free port for its file site, and the 29 behind it",
    "records": "JSON file of the service points, who serves them, and the log-ins",
    "registry": "folder of CSV files with the same",
    "work": "a folder of its own, empty as a step begins",
    "unit": "unit id of the meter",
    "bill_url": "where the retailer posts the bill that it tells",
}
_PLACE = re.compile(r"\{(\w+)\}")
_NAMED = re.compile(r"(?i)--?[\w-]*(pass(word|wd)?|token|secret|api-?key|bearer)")
_LITERAL = re.compile(r"(?i)(pass(word|wd)?|token|secret|api-?key|bearer)\s*[=: ]\s*[^\s{$]")


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name):
        raise ValueError(f"{shown_value(name)} is no name of an environment variable; write the name, never the value")
    return name


def _url(text: str) -> str:
    if not is_url(_PLACE.sub("1", text)):
        raise ValueError(f"{shown_value(text)} is no address; write it as http://127.0.0.1:8610")
    return text.rstrip("/")


def _gateway(text: str) -> str:
    told = _PLACE.sub("1", text)
    parts = urlsplit(told)
    try:
        well = parts.scheme == "tcp" and bool(parts.hostname and parts.port) and told == f"tcp://{parts.netloc}"
    except ValueError:
        well = False
    if not well:
        raise ValueError(f"{shown_value(text)} is no gateway's address; write it as tcp://127.0.0.1:502")
    return text


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        for name in _PLACE.findall(word):
            if name not in PLACEHOLDERS:
                raise ValueError(f"nothing is put in the place of {{{name}}}; {did_you_mean(name, PLACEHOLDERS)}")
    return words


Variable = Annotated[str, AfterValidator(_variable)]
Url = Annotated[str, AfterValidator(_url)]
Gateway = Annotated[str, AfterValidator(_gateway)]
Argv = Annotated[tuple[str, ...], AfterValidator(_argv), Field(min_length=1)]


class Endpoints(Spec):
    """Where it is reached; ``{port}`` stands for a free port that it is told."""

    inquiries: Url | None = Field(default=None, description="A head-end's base address: /inquiries lies below it.")
    api: Url | None = Field(default=None, description="An SMT's base address: /v2 lies below it.")
    portal: Url | None = Field(
        default=None, description="An SMT's portal: /api and /commonapi lie below it; below api unless given."
    )
    ftps: str | None = Field(
        default=None,
        pattern=r"^[^:/\s]+:(\d{1,5}|\{\w+\})$",
        description="An SMT's file site, host:port, with explicit TLS.",
    )
    ca: str | None = Field(default=None, description="PEM file of the authority behind the file site's certificate.")
    inbox: str | None = Field(
        default=None, description="A folder in place of a file site: files of the TDSP are laid and answered there."
    )
    modbus: Gateway | None = Field(default=None, description="A meter's gateway, Modbus TCP: tcp://127.0.0.1:502.")


class LogIn(Spec):
    """A log-in, by the names of environment variables in which the system's command finds it."""

    username: Variable
    password: Variable
    duns: Variable | None = None


class Keys(Spec):
    """Keys of the link, by the names of environment variables; made by the harness unless given."""

    smt: Variable
    headend: Variable


class Serves(Spec):
    """An ESI ID of the system's own, behind a meter of its own."""

    esiid: str = Field(pattern=r"^\d{17,22}$")
    meter_number: str = Field(pattern=r"^\d{1,12}$")
    unit: int = Field(default=1, ge=1, le=247, description="Of a meter: its unit id behind the gateway.")


class Tolerances(Spec):
    """What is let pass."""

    answer_s: float = Field(
        default=5.0, ge=0.1, le=15, description="Wall seconds for an answer while the clock stands."
    )
    # No statement lets pass what SMT does not: a register's stamp may lie 180 s before the request.
    clock_s: Seconds = Field(
        default=seconds(60),
        ge=0,
        le=CLOCK_BEHIND_S,
        description="Seconds by which its clock, and those of its meters, may be off ours.",
    )


class Runs(Spec):
    """A clock that runs, for a system that knows no time but its own: from the instant at which a step begins."""

    speed: float = Field(default=1.0, ge=0.1, le=600, description="Model seconds in a wall second.")


class Start(Spec):
    """How it is started: by a command, once or for each step; by hand unless given."""

    argv: Argv | None = None
    each: Literal["plan", "step"] = "plan"
    ready_s: float = Field(default=20.0, gt=0, le=300, description="Wall seconds until it must be reached.")


class Statement(Spec):
    """A system, and what it says that it does."""

    role: Role
    name: str = Field(min_length=1, max_length=100)
    version: str = Field(min_length=1, max_length=100)
    contact: str = Field(min_length=1, max_length=200)
    endpoints: Endpoints = Endpoints()
    logins: dict[str, LogIn] = Field(default_factory=dict)
    keys: Keys | None = None
    serves: Literal["ours"] | tuple[Serves, ...] = Field(
        default="ours", description="Our meters, on Modbus and as a file; or ESI IDs of its own."
    )
    truth: str | None = Field(
        default=None,
        description="Of meters of its own: CSV file with what they hold (esiid, end, wh, register_wh, and given_wh where they give).",
    )
    claims: tuple[str, ...] = Field(min_length=1)
    tolerances: Tolerances = Tolerances()
    clock: Literal["asked", "moved", "from_now", "wall"] | Runs = Field(
        default="asked",
        description="What time it goes by. asked: ours, which stands until what is waited for has come; moved: ours, which an SMT is told by POST /control/clock/advance below api. from_now: a meter's own, from {now} on as it is started; wall: a meter's own. Or ours runs.",
    )
    start: Literal["manual"] | Start = "manual"


def _unfitting(said: Statement) -> Iterator[Mistake]:
    """What does not fit together."""
    known = CLAIMS[said.role]
    for at, claim in enumerate(said.claims):
        if claim not in known:
            text = f"A {said.role} has nothing to claim that is called {claim}."
            yield Mistake(MALFORMED, ("claims", at), text, did_you_mean(claim, known))
        elif claim in said.claims[:at]:
            yield Mistake(MALFORMED, ("claims", at), f"{claim} is claimed twice.", "Leave one out.")
    whose = _CLOCK_OF.get(str(said.clock), said.role)
    if whose != said.role:
        text = f"It is {NAMED[whose]} whose clock is told so."
        yield Mistake(MALFORMED, ("clock",), text, "Write 'clock: asked' or 'clock: {speed: 1}', or leave it out.")
    yield from _OF_ROLE[said.role](said)


def _unfitting_ror(said: Statement) -> Iterator[Mistake]:
    if isinstance(said.start, Start) and said.start.each != "step":
        text = "A retailer's command is one call of a customer's."
        yield Mistake(MALFORMED, ("start", "each"), text, "Write 'each: step'.")


def _unfitting_headend(said: Statement) -> Iterator[Mistake]:
    if said.endpoints.inquiries is None:
        text, mend = "A head-end is inquired of.", "Add 'inquiries: http://127.0.0.1:8610'."
        yield Mistake(MALFORMED, ("endpoints",), text, mend)
    if said.serves != "ours" and said.truth is None:
        text = "Nobody knows what meters of its own hold."
        yield Mistake(MALFORMED, ("serves",), text, "Add 'truth: FILE', or write 'serves: ours'.")
    if said.serves != "ours" and EVENTS in said.claims:
        text, mend = "Meters of its own tell us no event.", "Leave it out, or write 'serves: ours'."
        yield Mistake(MALFORMED, ("claims", said.claims.index(EVENTS)), text, mend)


def _unfitting_meter(said: Statement) -> Iterator[Mistake]:
    if said.endpoints.modbus is None:
        text, mend = "A meter is read by Modbus TCP.", "Add 'modbus: tcp://127.0.0.1:502'."
        yield Mistake(MALFORMED, ("endpoints",), text, mend)
    if said.serves == "ours" or len(said.serves) != 1:
        text, mend = "A meter is certified alone.", "Write 'serves: [{esiid: ..., meter_number: ..., unit: 1}]'."
        yield Mistake(MALFORMED, ("serves",), text, mend)
    if said.clock == "from_now" and (said.start == "manual" or said.start.each != "step"):
        text, mend = "Its clock begins with {now}, which is another in each step.", "Write 'each: step' and a command."
        yield Mistake(MALFORMED, ("start",), text, mend)


def _unfitting_smt(said: Statement) -> Iterator[Mistake]:
    its = said.endpoints
    if its.api is None:
        yield Mistake(MALFORMED, ("endpoints",), "An SMT is asked.", "Add 'api: http://127.0.0.1:8600'.")
    if (its.ftps is None) is (its.inbox is None):
        text = "An SMT has a file site, or a folder in its place."
        yield Mistake(MALFORMED, ("endpoints",), text, "Add 'ftps: 127.0.0.1:8621' and 'ca: FILE', or 'inbox: FOLDER'.")
    if its.ftps is not None and its.ca is None:
        text = "Whose certificate the file site shows is not known."
        yield Mistake(MALFORMED, ("endpoints", "ftps"), text, "Add 'ca: FILE', the authority's certificate in PEM.")
    if said.serves != "ours":
        text = "What an SMT is asked for are ESI IDs of ours."
        yield Mistake(MALFORMED, ("serves",), text, "Write 'serves: ours', and give it {records} or {registry}.")
    if isinstance(said.start, Start) and said.start.each != "step":
        text = "An SMT begins each step with nothing in it."
        yield Mistake(MALFORMED, ("start", "each"), text, "Write 'each: step'.")


#: Whose clock alone is told so.
_CLOCK_OF: dict[str, Role] = {"moved": "smt", "from_now": "meter", "wall": "meter"}
_OF_ROLE: dict[Role, Callable[[Statement], Iterator[Mistake]]] = {
    "ror": _unfitting_ror,
    "headend": _unfitting_headend,
    "smt": _unfitting_smt,
    "meter": _unfitting_meter,
}


def _older(written: dict[str, Any]) -> Iterator[Mistake]:
    """What was said of the clock in other words, as long as there were three fields for it."""
    if written.get("clock") == "stands":
        yield Mistake(MALFORMED, ("clock",), "It is no longer said so that ours stands.", "Write 'clock: asked'.")
    if "time" in written:
        its = "asked" if written["time"] == "ours" else written["time"]
        text = "What time a meter goes by is said by 'clock'."
        yield Mistake(MALFORMED, ("time",), text, f"Write 'clock: {its}' in its place.")
    endpoints = written.get("endpoints")
    if isinstance(endpoints, dict) and "clock" in endpoints:
        text = "What time an SMT goes by is said by 'clock', beside 'endpoints'."
        yield Mistake(MALFORMED, ("endpoints", "clock"), text, f"Write 'clock: {endpoints['clock']}' there.")


def _secrets(value: Any, loc: Loc = ()) -> Iterator[Mistake]:
    """Secrets that are written out: in an address, in a command."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _secrets(inner, (*loc, name))
        case list():
            for at, inner in enumerate(value):
                named = at and isinstance(value[at - 1], str) and _NAMED.fullmatch(value[at - 1])
                # A command's option and what is said to it.
                yield from _secrets(
                    f"{value[at - 1]}={inner}" if named and isinstance(inner, str) else inner, (*loc, at)
                )
        case str() if re.search(r"://[^/@\s]+:[^/@\s]+@", value) or _LITERAL.search(value):
            mend = "Put it into an environment variable, and name that under logins or keys."
            yield Mistake(SECRET, loc, "A secret is written out here.", mend)


def _in_files(said: Statement, folder: Path) -> Iterator[Mistake]:
    """What is wrong in the file of what meters of its own hold."""
    if said.truth is not None and said.serves != "ours":
        try:
            own_truth(said.truth, folder, (one.esiid for one in said.serves))
        except ScenarioError as error:
            yield Mistake(error.code, ("truth",), f"{said.truth}: {error.message}", error.mend)


def schema() -> dict[str, Any]:
    """The JSON Schema of a statement."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Statement.model_json_schema()}


def looked_at(path: Path, *, files: bool = False) -> tuple[Statement | None, list[Told]]:
    """Check a statement. Returns it if it is sound, else every mistake. files: look into those that it names, too."""
    try:
        written = _read(path)
    except ScenarioError as error:
        line = error.place.rpartition(":")[2]
        return None, [Told(error, int(line) if line.isdecimal() else None)]
    mistakes = [*_secrets(written.value), *_older(written.value)]
    said = None
    try:
        said = Statement.model_validate(written.value)
        mistakes += [*_unfitting(said), *(_in_files(said, path.parent) if files else ())]
    except ValidationError as error:
        found = mistakes_of(error, written.value, Statement, MALFORMED)
        # Of what is one of two forms the other form's mistake is none: what lies deeper counts.
        deeper = {other.loc[:depth] for other in found for depth in range(len(other.loc))}
        known = {other.loc for other in mistakes}
        mistakes += [one for one in found if one.loc not in known and (not one.loc or one.loc not in deeper)]
    told = []
    for one in sorted(mistakes, key=lambda found: written.line(found.loc) or 0):
        mark = written.mark(one.loc)
        # What is written of a secret is told nowhere.
        excerpt = "" if mark is None or one.code == SECRET else written.text.splitlines()[mark.line]
        at = (mark.line + 1, mark.column + 1) if mark else (None, None)
        told.append(Told(written.error(one, ScenarioError), at[0], at[1], excerpt))
    return (None if told else said), told


def _read(path: Path) -> YamlDocument:
    try:
        written = read_yaml_file(path)
    except YamlProblem as error:
        text, mend = f"The statement cannot be read: {error.problem}.", "See docs/certify-your-system.md for one."
        raise ScenarioError("certify.unreadable", text, error.place, mend) from None
    if not isinstance(written.value, dict):
        text = "A statement is a mapping with role, name, version and claims."
        raise ScenarioError(MALFORMED, text, str(path), "See docs/certify-your-system.md for one.")
    return written


def load(path: Path) -> Statement:
    """Read a statement that is sound. Raises ScenarioError of its first mistake."""
    said, told = looked_at(path)
    if said is None:
        raise told[0].error
    return said
