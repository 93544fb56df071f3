"""The parts of ``docs/meters.md`` that are made: tables of faults, of the ledger and of magic ESI IDs, and what the commands print.

Written by ``python -m tests.reports.meter_pages``, held equal by a test. A part stands between ``<!-- made: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from meters.device.special import SPECIALS, TWO_METERS, special_esiid, special_meter_number
from meters.faults.kinds import KINDS, LOOKALIKES, Kind, Layer, Parameter
from meters.identity import TDSPS
from reports.commands.meters import list_meters, show_meter, tell_truth

PAGE = Path(__file__).parents[3] / "docs" / "meters.md"
_PART = re.compile(r"(<!-- made: (?P<name>\S+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
FENCED_FAULTS = re.compile(r"```yaml\n(faults:.*?)```", re.DOTALL)

_app = typer.Typer()
_app.command("list")(list_meters)
_app.command("show")(show_meter)
_app.command("truth")(tell_truth)


def _range(name: str, parameter: Parameter) -> str:
    unit = f"{parameter.unit}, " if parameter.unit else ""
    given = "must be given" if parameter.default is None else f"{_number(parameter.default)} unless given"
    return f"`{name}`: {unit}{_number(parameter.least)} to {_number(parameter.most)}, {given}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def kinds(table: Mapping[Any, Kind] = KINDS) -> str:
    """Every kind of fault (or look-alike), layer by layer."""
    rows = ["| kind | what happens | its span | parameters |", "|---|---|---|---|"]
    for layer in Layer:
        for kind, row in table.items():
            if row.layer is layer:
                told = [_range(name, parameter) for name, parameter in row.parameters.items()]
                told += [f"`channel`: {row.channel} unless given"] if row.channel else []
                rows.append(f"| `{kind}` ({layer}) | {row.does} | {row.span} | {'; '.join(told)} |")
    return "\n".join(rows) + "\n"


def special() -> str:
    """Every magic ESI ID of one company."""
    company = TDSPS["ONCOR"]
    rows = ["| unit | ESI ID | meter number | what it does |", "|---|---|---|---|"]
    rows += [
        f"| {one.number} | {special_esiid(company, one.number)} | {special_meter_number(one.number)} | {one.note} |"
        for one in SPECIALS
    ]
    shared = TWO_METERS.number
    rows += [
        f"| {unit} | {special_esiid(company, shared)} | {special_meter_number(unit)} | {TWO_METERS.note} {what} |"
        for unit, what in ((shared, "60 % of the load"), (shared + 1, "the rest of the load"))
    ]
    return "\n".join(rows) + "\n"


def printed(command: str, faults: str = "") -> str:
    """The command and what it prints, fenced. faults: text of the file that it calls ``faults.yaml``."""
    words = command.split()[2:]
    with tempfile.TemporaryDirectory() as folder:
        if faults:
            file = Path(folder) / "faults.yaml"
            file.write_text(faults, encoding="utf-8")
            words = [str(file) if word == "faults.yaml" else word for word in words]
        done = CliRunner().invoke(_app, words, env={"COLUMNS": "110"})
    if done.exit_code:
        raise RuntimeError(f"{command}: {done.exception}")
    return f"```\n$ {command}\n{done.output}```\n"


def page(text: str) -> str:
    """The page with every part made anew."""
    example = FENCED_FAULTS.search(text)
    faults = "" if example is None else example[1]
    parts: dict[str, Callable[[], str]] = {
        "kinds": kinds,
        "look-alikes": lambda: kinds(LOOKALIKES),
        "special": special,
        "list": lambda: printed("ami meters list --count 5"),
        "truth": lambda: printed("ami meters truth"),
        "show": lambda: printed("ami meters show 10443729989633043 --date 2026-05-10"),
        "show-faults": lambda: printed(
            "ami meters show 10443729947992279 --date 2026-08-11 --faults faults.yaml", faults
        ),
    }
    return _PART.sub(lambda found: found[1] + parts[found["name"]](), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
