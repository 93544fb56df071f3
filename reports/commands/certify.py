"""``ami certify``: a statement checked, a plan run against a system, its verdict again, a bundle verified, a stranger's system started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenarios.cli import AsJson, print_json

if TYPE_CHECKING:
    from scenarios.certify.statement import Statement

app = typer.Typer(no_args_is_help=True, help="A system of yours in the place of a party, and a verdict on it.")

_Statement = Annotated[
    list[Path],
    typer.Option(
        help="The statement of your system (docs/certify-your-system.md); a retailer's and a head-end's are a flight."
    ),
]
_Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder or bundle.zip of 'ami certify run'.")]


@app.command()
def lint(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Statements.")], as_json: AsJson = False
) -> None:
    """Check statements. Prints every mistake on a line: code, file and line, field, what is wrong, the mend. Exit 0: sound, 2: not."""
    from scenarios.certify.statement import looked_at

    reports: list[dict[str, Any]] = []
    for path in files:
        said, told = looked_at(path, files=True)
        reports.append({"file": str(path), "sound": said is not None, "mistakes": [one.to_json() for one in told]})
        for one in told if not as_json else ():
            typer.echo(str(one.error), err=True)
        if said and not as_json:
            typer.echo(f"{path}: sound. {said.name} {said.version}, a {said.role}, claims {', '.join(said.claims)}.")
    if as_json:
        print_json(reports, alone=len(reports) == 1)
    if not all(one["sound"] for one in reports):
        raise typer.Exit(2)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a statement, for an editor."""
    from scenarios.certify.statement import schema as statement_schema

    print_json([statement_schema()], alone=True)


@app.command()
def plan(statement: _Statement, as_json: AsJson = False) -> None:
    """Print the script of what will be played: script, track, step, sender, receiver, what is expected."""
    from scenarios.certify.flight import plan_rows
    from scenarios.certify.plan import flight_of, plan_of

    said = _loaded(statement)
    steps = (
        plan_of(said[0].role, said[0].claims) if len(said) == 1 else flight_of({one.role: one.claims for one in said})
    )
    rows = [row for one in steps for row in plan_rows(one.name, one.scenario)]
    if as_json:
        print_json(rows)
    else:
        _tell_script(rows)


@app.command()
def run(
    statement: _Statement,
    out: Annotated[Path, typer.Option(help="Folder of the recording, the verdict and its bundle.")] = Path(
        "ami-out/certify"
    ),
    key: Annotated[Path | None, typer.Option(help="An Ed25519 private key (PEM) that signs the bundle.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="An id that alone is looked at; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the plan of a system's role against it, and judge it.

    A connectivity test comes first. Ctrl-C leaves a judged bundle of what was played, exit 130. Exit 0: a certificate, 1: none, 2: could not run, 3: inconclusive.
    """
    import json

    from reports.terminal import Bar
    from scenarios.certify.run import Certification
    from simulator.runtime.folder import writing
    from simulator.runtime.until_stopped import finishing

    said = _loaded(statement)
    written = [path.read_text("utf-8") for path in statement]

    def tell(url: str, brief: dict[str, Any]) -> None:
        told = json.dumps({"event": "ready", "control_url": url, **brief}) if as_json else _briefed(url, brief)
        print(told, flush=True)

    with Bar("steps", hidden=as_json) as bar:
        beside = (said[1], written[1]) if len(said) > 1 else None
        with writing(out):
            stopped = Certification(said[0], written[0], out, tuple(only or ()), bar.show, tell, beside).go()
    with finishing(), writing(out):
        result = _published(out, key)
    if as_json:
        print_json([result], alone=True)
    else:
        _tell(result)
        typer.echo(f"  bundle: {out / 'bundle.zip'}{' (signed)' if key else ''}\n  page: {out / 'report.html'}")
    if stopped:
        typer.echo("Stopped: what was played is judged.", err=True)
    raise typer.Exit(128 + stopped if stopped else _code(result))


@app.command()
def judge(bundle: _Bundle, as_json: AsJson = False) -> None:
    """Judge a bundle again. Exit 0: a certificate, 1: none, 2: it is not as it was written, 3: inconclusive."""
    from scenarios.certify.bundle import judged_again

    result = judged_again(bundle)
    if as_json:
        print_json([result], alone=True)
    else:
        _tell(result)
    raise typer.Exit(_code(result))


@app.command()
def verify(
    bundle: _Bundle,
    key: Annotated[Path | None, typer.Option(help="The public key (PEM) of whoever signed it.")] = None,
) -> None:
    """Check that a bundle is as it was written: its files, their digests, its exchanges, its signature, and that its verdict comes out again.

    Exit 0: it is, 2: not; the first thing that is not is named.
    """
    from scenarios.certify.bundle import verified

    typer.echo(f"{bundle}: {verified(bundle, key)}")


@app.command()
def twin(
    role: Annotated[str, typer.Argument(help="Whose place a stranger's system takes: headend, ror, smt, meter.")],
    mutant: Annotated[str, typer.Option(help="What it does wrong; nothing unless given.")] = "",
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[-- OPTION...]", help="Further options of that system.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where it listens.")] = 8610,
) -> None:
    """Start a stranger's system, honest or with a fault, without any of our packages: to try a certification on."""
    import os

    from scenarios.certify.strangers import command

    argv = command(role, mutant, port, words or [])
    os.execv(argv[0], argv)


def _loaded(paths: list[Path]) -> list[Statement]:
    """The statement of a system, or the two of a flight."""
    from scenarios.certify.flight import pair
    from scenarios.certify.statement import load
    from scenarios.certify.truth import own_truth

    said = []
    for path in paths:
        one = load(path)
        if one.truth is not None and one.serves != "ours":
            its = own_truth(one.truth, path.parent, (each.esiid for each in one.serves))
            one = one.model_copy(update={"truth": str(its)})
        said.append(one)
    if len(said) > 1:
        pair(said)
    return said


def _published(out: Path, key: Path | None) -> dict[str, Any]:
    """Judge what was recorded, and write all that is published of it."""
    from reports.scenario.certified import made_of
    from scenarios.certify.bundle import publish

    return publish(out, key, made_of)


def _code(result: dict[str, Any]) -> int:
    from simulator.verdicts import Mark, exit_code_of

    return exit_code_of(Mark(result["mark"]))


def _briefed(url: str, brief: dict[str, Any]) -> str:
    known = "\n".join(f"  {name:<13} {value}" for name, value in brief.items() if name != "do")
    return f"{brief['do']}\n{known}\n  curl -X POST {url}/next"


def _tell_script(rows: list[dict[str, Any]]) -> None:
    """A script as a table."""
    from shutil import get_terminal_size

    from rich.console import Console
    from rich.table import Table

    columns = ("script", "track", "step", "sender", "receiver", "expected", "seen")
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns), style="red" if row.get("mark") else None)
    Console(width=max(get_terminal_size().columns, 150)).print(table)


def _tell(result: dict[str, Any]) -> None:
    """Plain lines of a verdict, the worst first; of a flight its script, and each one's."""
    from scenarios.certify.statement import NAMED
    from simulator.verdicts import Mark

    if result.get("flight"):
        _tell_script(result["script"])
        for one in result["connection"]:
            typer.echo(f"  {'reached' if one['well'] else 'NOT reached':<13} {one['what']}: {one['said']}")
        for one in result["parties"].values():
            _tell(one)
        names = {role: one["sut"]["name"] for role, one in result["parties"].items()}
        for one in result["faults"]:
            cited = f" [{', '.join(one['exchanges'][:4])}]"
            typer.echo(
                f"  fault of {names[one['party']]}: {one['id']}, {one['step']} {one['ref']}: {one['said']}{cited}"
            )
        typer.echo(f"  flight: {'CERTIFICATES for both' if result['certificate'] else 'no certificate for both'}.")
        return
    sut, order = result["sut"], {mark.value: at for at, mark in enumerate(Mark)}
    typer.echo(f"{sut['name']} {sut['version']}, in the role of {NAMED[result['role']]}")
    for one in sorted(result["ids"], key=lambda one: order[one["mark"]]):
        cited = f" [{', '.join(one['exchanges'][:4])}]" if one["mark"] == Mark.FAILED else ""
        typer.echo(f"  {one['mark']:<13} {one['conformance']:<6} {one['id']:<18} {one['said']}{cited}")
    typer.echo(f"  verdict: {'CERTIFICATE' if result['certificate'] else 'no certificate'}. {result['why']}")
