"""``ami lse``: LSE files checked, shown, made and compared, and what SMT lacks of a day. Imports nothing heavy before a command runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date as calendar_day
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="LSE files: check, show, make and compare them; what SMT lacks of a day.", no_args_is_help=True)

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
_Date = Annotated[str, typer.Option(help="One operating day alone, 2026-08-12.")]
_Esiid = Annotated[str, typer.Option(help="One ESI ID alone.")]
#: Records of a table that nobody asked the whole of, and characters of a line that is not a terminal's.
_ROWS, _WIDTH = 50, 110


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...|-", help="LSE files; - is standard input.")],
    name: Annotated[
        str, typer.Option(help="What the file is called when it is posted; its own name unless given.")
    ] = "",
    at: Annotated[
        str, typer.Option(help="When SMT gets it, 2026-08-12T07:30; when its name says that it was made, unless given.")
    ] = "",
    records: Annotated[
        Path | None, typer.Option(help="A registry's folder ('ami smt registry DIR'): ESI IDs and multipliers.")
    ] = None,
    held: Annotated[
        list[Path] | None, typer.Option(help="A file, or a folder of them, that SMT has loaded already.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Tell every fault and every warning of files with file, line, field, ESI ID, code and mend, as SMT would.

    Exit 0: no faults, 1: faults, 2: a file could not be read.
    """
    from headend.ports import HeadEndError
    from meters.calendar import epoch, seconds
    from reports.lse.checked import check as check_file
    from reports.lse.checked import held_by
    from simulator.smt.registry.csv_files import read_registry

    now = epoch(at, place="--at") if at else seconds(0)
    registry = None if records is None else read_registry(records)
    holds = held_by(file for path in held or [] for file in (sorted(path.glob("*.lse")) if path.is_dir() else [path]))
    code, told = 0, []
    for path in files:
        try:
            found = check_file(path, name, now, registry, holds)
        except HeadEndError as error:
            typer.echo(str(error), err=True)
            code = 2
            continue
        code = max(code, 1 if found.faults else 0)
        told.append(found.to_json())
        if not as_json:
            for line in found.lines():
                typer.echo(line)
    if as_json:
        _print(told)
    raise typer.Exit(code)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="An LSE file; - is standard input.")],
    esiid: _Esiid = "",
    date: _Date = "",
    every: Annotated[bool, typer.Option("--all", help=f"Every record, not the first {_ROWS} alone.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show the right records of a file as a table; of one ESI ID, its days as charts too."""
    import shutil
    import sys

    from meters.errors import UserError
    from reports.lse.checked import read_file
    from reports.lse.shown import charts, table, to_json
    from reports.terminal import console
    from reports.text_chart import glyphs_for

    day = _day(date, "--date") if date else None
    found = read_file(file)[1]
    # Spreadsheets leave digits alone behind an apostrophe.
    esiid = esiid.strip().lstrip("'")
    chosen = [one for one in found.records if esiid in ("", one.esiid) and day in (None, one.day)]
    if not chosen:
        mend = f"'ami lse check {file}' tells what is wrong with it." if found.findings else "Choose another."
        raise UserError("lse.show.none", "There is no such right record in it.", str(file), mend)
    if as_json:
        _print([to_json(one) for one in chosen])
        return
    to = console()
    _lines(table(chosen, len(chosen) if every else _ROWS))
    if len({one.esiid for one in chosen}) == 1:
        width = shutil.get_terminal_size((_WIDTH, 40)).columns
        for line in charts(chosen, width, glyphs_for(sys.stdout.encoding)):
            to.print(line, soft_wrap=True, markup=False)
    if found.findings:
        _lines(["", f"{len(found.findings)} faults and warnings: 'ami lse check {file}' tells them."])


@app.command()
def make(
    source: Annotated[
        Path,
        typer.Argument(
            help="A scenario ('ami scenario list', or a file), or a CSV or Parquet file: esiid, channel, start, wh or kwh, status, and start_wh, stop_wh (registers) if you have them."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for the files; one of the same name is replaced.")],
    date: Annotated[
        str,
        typer.Option(
            help="Of a scenario: the last operating day that is made, 2026-08-12.",
            show_default="the day before its first action",
        ),
    ] = "",
    duns: Annotated[str, typer.Option(help="Of a table: DUNS number of the TDSP.")] = "1039940674000",
    as_json: _AsJson = False,
) -> None:
    """Make LSE files: what the head-end of a scenario's world posts, faults, VEE and corrections in it, or the days of a table."""
    from meters.errors import UserError
    from reports.lse.made import of_table, of_world
    from scenarios.file.lint import load_sound
    from scenarios.file.shipped import SCENARIOS

    day = _day(date, "--date") if date else None
    is_table = source.suffix.lower() in (".csv", ".parquet")
    made = of_table(source, duns) if is_table else of_world(load_sound(SCENARIOS.named(source)), day)
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in made:
            (out / name).write_bytes(content)
            written.append({"file": str(out / name), "octets": len(content)})
    except OSError as error:
        raise UserError(
            "lse.make.unwritable", f"It cannot be written: {error.strerror}.", str(out), "Name another folder."
        ) from None
    if as_json:
        _print(written)
        return
    _lines(f"{one['file']}: {one['octets']:,} octets" for one in written)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="An LSE file; - is standard input.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    every: Annotated[bool, typer.Option("--all", help="Every interval that changed.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Tell the days and intervals that differ between the right records of two files.

    Exit 0: none, 1: some, 2: a file could not be read.
    """
    from reports.lse.checked import read_file
    from reports.lse.compared import differences

    first, second = (read_file(path)[1] for path in (before, after))
    found = differences(first.records, second.records)
    if as_json:
        _print([one.to_json() for one in found])
    else:
        _lines(line for one in found for line in one.lines(every=every))
        for path, file in ((before, first), (after, second)):
            if file.findings:
                typer.echo(f"{path}: not all of it is right: 'ami lse check {path}' tells what.", err=True)
    raise typer.Exit(1 if found else 0)


@app.command()
def missing(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The operating day, 2026-08-12.")],
    smt: Annotated[str, typer.Option(help="Base URL of a running SMT.")] = "http://127.0.0.1:8600",
    keys: Annotated[
        Path | None, typer.Option(help="File with the key of /control (keys_file of the ready line), beyond loopback.")
    ] = None,
    login: Annotated[
        str,
        typer.Option(
            help="USERNAME:PASSWORD of a TDSP or REP, which is told of its own ESI IDs; as a tester, of all, unless given.",
            envvar="AMI_SMT_LOGIN",
            show_envvar=True,
        ),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every ESI ID that SMT names, not a group's first ten.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Tell of which ESI IDs SMT has loaded nothing for a day, by TDSP and REP of record.

    Exit 0: none is missing, 1: some are, 2: SMT could not be asked.
    """
    from meters.errors import UserError
    from reports.lse.missing import ask, lines
    from simulator.parties.keys_file import read_keys

    username, colon, password = login.partition(":")
    if login and not colon:
        raise UserError("lse.missing.login", "A log-in has a password.", "--login", "Write USERNAME:PASSWORD.")
    key = "" if keys is None else read_keys(keys).control
    told = ask(smt, _day(day, "DAY"), key, (username, password) if login else None)
    if as_json:
        typer.echo(told.model_dump_json())
    else:
        _lines(lines(told, every=every))
    raise typer.Exit(1 if any(group.missing for group in told.groups) else 0)


def _day(text: str, place: str) -> calendar_day:
    """Raises UserError for what is no day."""
    from meters.calendar import YEARS
    from meters.errors import UserError

    try:
        day = calendar_day.fromisoformat(text)
    except ValueError:
        day = calendar_day.min
    if day.year not in YEARS:
        raise UserError("lse.day", f"'{text}' is not a day of this market.", place, "Write it as 2026-08-12.")
    return day


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _print(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
