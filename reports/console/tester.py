"""The pages of scenarios, runs and studies: from a text to its verdict, each run at an address that stays."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from meters.errors import UserError
from reports.console.bed import BedProblem
from reports.console.children import free, said_by
from reports.console.door import ROOT, Console
from reports.console.runs import PROGRESS, Run, exchange_of, folders, run_of
from reports.console.studies import begun_of
from scenarios.file.lint import Told, looked_at
from scenarios.file.shipped import SCENARIOS, STUDIES
from simulator.capacity.workload.chosen import shipped
from simulator.smt.throttle.policy import preset_names
from simulator.web.parts import Problem
from simulator.web.site import HEADERS, fields_of

#: A finished page is its own: no script, no other file, its one style.
_REPORT = {
    **HEADERS,
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
#: Mistakes of a scenario that are shown at once.
_MISTAKES = 50
#: Octets of a body that are shown.
_SHOWN = 4000
#: Characters of what a process said that are shown.
_SAID = 20_000


def add_pages(console: Console, routes: APIRouter) -> None:
    """Put the pages' routes to the others. Those that read a folder of runs are plain functions: they have a thread of their own, since a folder may hold much."""
    _scenarios(console, routes)
    _runs(console, routes)

    @routes.get(f"{ROOT}studies")
    def studies() -> Response:
        found = [one for one in _all(console) if one.kind == "study"]
        return console.show(
            "studies.html.j2",
            at="studies",
            title="Studies",
            about="Load studies: throttle policies over whole days of everybody who asks.",
            names=list(STUDIES.files()),
            policies=preset_names(),
            workloads=list(shipped()),
            runs=found,
        )

    @routes.post(f"{ROOT}studies")
    async def run_study(request: Request) -> Response:
        begun = begun_of(console.root, await fields_of(request))
        _begun_once(console, begun.out)
        # By it the folder is a run's, though its command may not come to tell anything.
        for name, text in {PROGRESS: "", **begun.files}.items():
            (begun.out / name).write_text(text, encoding="utf-8")
        await console.children.begin(begun.words, begun.out)
        return _to(f"runs/{begun.out.relative_to(console.root).as_posix()}")


def _scenarios(console: Console, routes: APIRouter) -> None:
    @routes.get(f"{ROOT}scenarios")
    async def listed(request: Request) -> Response:
        name, files = request.query_params.get("name", ""), SCENARIOS.files()
        if name in files:
            return _editor(console, files[name].read_text(encoding="utf-8"), title=name)
        by_folder: dict[str, list[str]] = {}
        for one, path in files.items():
            by_folder.setdefault(path.parent.name, []).append(one)
        about = "What happens, and what is expected of it. Open one, change it, see whether it is well written, run it."
        return console.show("scenarios.html.j2", at="scenarios", title="Scenarios", about=about, folders=by_folder)

    @routes.post(f"{ROOT}scenarios")
    async def looked(request: Request) -> Response:
        fields = await fields_of(request)
        text = fields.get("text", "").replace("\r\n", "\n")
        sound, mistakes = await asyncio.to_thread(_looked, text)
        if fields.get("do") != "run" or mistakes or not sound:
            return _editor(console, text, mistakes, sound[0].name if sound else None)
        console.children.room()
        out = free(console.root / "console", sound[0].name if _WORD.fullmatch(sound[0].name) else "scenario")
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"{sound[0].name}.yaml"
        file.write_text(text, encoding="utf-8")
        (out / PROGRESS).touch()
        await console.children.begin(
            ["scenario", "run", str(file), "--out", str(out), "--progress", str(out / PROGRESS)], out
        )
        return _to(f"runs/{out.relative_to(console.root).as_posix()}")


def _runs(console: Console, routes: APIRouter) -> None:
    @routes.get(f"{ROOT}runs")
    def listed() -> Response:
        about = f"Below {console.root}. Each has an address that stays."
        return console.show("runs.html.j2", at="runs", title="Runs", about=about, runs=_all(console))

    @routes.get(ROOT + "runs/{ident:path}/report")
    def report(ident: str) -> Response:
        page = _run(console, ident).page
        if page is None:
            raise BedProblem(404, Problem("console.no_report", "It has no page yet.", "Wait until the run is over."))
        return FileResponse(page, media_type="text/html", headers=_REPORT)

    @routes.get(ROOT + "runs/{ident:path}/x/{number}")
    def exchange(ident: str, number: int) -> Response:
        run = _run(console, ident)
        found = exchange_of(run.folder, number)
        if found is None:
            raise BedProblem(
                404, Problem("console.no_exchange", "This run has no such exchange.", "Go back to the run.")
            )
        sides = [(name, _shown(side)) for name, side in (("Asked", found.ask), ("Answered", found.reply))]
        return console.show(
            "exchange.html.j2", at="runs", title=f"Exchange {number}", about=run.title, run=run, one=found, sides=sides
        )

    @routes.post(ROOT + "runs/{ident:path}/stop")
    async def stop(ident: str) -> Response:
        run = _run(console, ident)
        child = console.children.of(run.folder)
        if child is not None:
            await console.children.stop(child)
        return _to(f"runs/{ident}")

    @routes.get(ROOT + "runs/{ident:path}")
    def run(ident: str) -> Response:
        found = _run(console, ident)
        return console.show("run.html.j2", at="runs", title=found.name, about=found.title, run=found, log=_log(found))


def _to(path: str) -> Response:
    return RedirectResponse(ROOT + path, 303, HEADERS)


def _editor(
    console: Console, text: str, mistakes: list[Told] | None = None, sound: str | None = None, title: str = ""
) -> Response:
    status = 400 if mistakes else 200
    shown, more = (mistakes or [])[:_MISTAKES], len(mistakes or []) - _MISTAKES
    told = [f"There are {more:,} more: lint it again once these are mended."] if more > 0 else []
    return console.show("scenario.html.j2", status, at="scenarios", title=title or sound or "Scenario", text=text, told=told, mistakes=shown, sound=sound)  # fmt: skip


def _looked(text: str) -> tuple[list[Any], list[Told]]:
    """Whether a text is a sound scenario; else each mistake."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
        sound, told = looked_at(file)
    return sound, [one._replace(error=_without(one.error, folder)) for one in told]


def _without(error: UserError, folder: str) -> UserError:
    """The error, without the folder that nobody knows."""
    return UserError(error.code, error.message, error.place.replace(f"{folder}/", ""), error.mend)


def _begun_once(console: Console, out: Path) -> None:
    if console.children.going(out):
        raise BedProblem(409, Problem("console.going", "It runs already.", "Wait for it, or stop it."))
    console.children.room()
    out.mkdir(parents=True, exist_ok=True)


def _all(console: Console) -> list[Run]:
    known = folders(console.root)
    return [run_of(ident, folder, going=console.children.going(folder)) for ident, folder in known.items()]


def _run(console: Console, ident: str) -> Run:
    """One of the runs that there are: an id is looked up, never made a path of."""
    folder = folders(console.root).get(ident)
    if folder is None:
        # One that has only just begun has written nothing yet.
        folder = next((out for out in console.children.folders if out == console.root / ident), None)
    if folder is None:
        raise BedProblem(404, Problem("console.no_run", "There is no such run.", "Choose one of the list."))
    return run_of(ident, folder, going=console.children.going(folder))


def _log(run: Run) -> str:
    """What its process said, the end of it; nothing of one that goes on, or has a page."""
    return "" if run.going or (run.mark and run.page) else said_by(run.folder, _SAID)


def _shown(side: dict[str, Any]) -> list[tuple[str, str | list[tuple[str, str]]]]:
    """What was asked, or answered, field by field; what has names of its own, such as headers, as pairs."""
    return [
        (name, [(str(key), _cut(its)) for key, its in value.items()] if isinstance(value, dict) else _cut(value))
        for name, value in side.items()
        if value not in ("", None, {}, [])
    ]


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
