"""The line that a party prints when it is ready, as the next party reads it: what of it others need, and where it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from simulator.errors import SimulatorError


class _Told(BaseModel):
    # Another party may tell more than is needed here.
    model_config = ConfigDict(extra="ignore", frozen=True)


class ReadyClock(_Told):
    """The clock: with ``epoch`` and ``wall_start`` it can be shared."""

    mode: str
    speed: float
    epoch: str | None = None
    #: A file spells it so, an HTTP body the other way.
    wall_start: float | None = Field(default=None, validation_alias=AliasChoices("wall_start", "wallStart"))


class ReadyMeter(_Told):
    """One meter behind a gateway."""

    esiid: str
    meter_number: str
    unit_id: int = Field(ge=1, le=247)
    multiplier: int = Field(default=1, ge=1)
    phases: Literal[1, 3] = 1


class ReadyGateway(_Told):
    """One gateway and the meters behind it."""

    host: str
    port: int
    meters: tuple[ReadyMeter, ...]


class ReadyFleet(_Told):
    """Which meters were made: the same words make the same ones anywhere."""

    tdsp: str
    seed: int
    count: int
    mix: str
    special: bool


class ReadyFtps(_Told):
    """SMT's file site."""

    host: str
    port: int
    ca_file: str


class ReadyLogin(_Told):
    """What someone needs to log in."""

    username: str
    password: str = Field(repr=False)
    duns: str = ""


class ReadyLine(_Told):
    """A ready line; each party tells the keys it has."""

    clock: ReadyClock
    gateways: tuple[ReadyGateway, ...] = ()
    fleet: ReadyFleet | None = None
    smt_url: str = ""
    ca_file: str = ""
    #: Where SMT is called back, if not at ``smt_url``.
    reply_to: str = ""
    headend_url: str = ""
    keys_file: str = ""
    ftps: ReadyFtps | None = None
    logins: dict[str, ReadyLogin] = Field(default_factory=dict)


def read_ready(file: str | Path, option: str) -> ReadyLine:
    """Read the ready line that a party's ``--json`` wrote into a file. Raises SimulatorError ``ready.*`` naming the option."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(
            "ready.unreadable",
            f"The ready line cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.",
            f"{option} {file}",
            "Name the file that the other party's --json was written to.",
        ) from None
    line = next((one for one in text.splitlines() if one.strip()), "")
    if not line:
        raise SimulatorError(
            "ready.empty", "There is no ready line yet.", f"{option} {file}", "Wait until the other party is ready."
        )
    try:
        return ReadyLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise SimulatorError(
            "ready.malformed",
            f"This is no ready line: {field}: {first['msg']}.",
            f"{option} {file}",
            "Name the file that the other party's --json was written to.",
        ) from None
