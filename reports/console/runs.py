"""A folder of runs: what each came to, how far one is that goes on, and its exchanges. No bed is needed for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.recording import WIRE
from simulator.runtime.progress_file import read_progress
from simulator.tap.chain import Exchange, exchanges

#: In a run's folder: how far it is.
PROGRESS = "progress.jsonl"
#: What a run's folder has of these.
_MARKS = (PROGRESS, "result.json", "outcome.json")
#: Folders below folders that are looked through, and runs that are listed.
_DEEP, MOST_LISTED = 3, 500
#: Wall seconds after which a load that nobody has told of is no longer played.
_SILENT_S = 30.0
_FOREIGN = "Its files cannot be read: they are no run's of this version."


class Step(NamedTuple):
    """A step or check. ``state``: waiting, running, over, or once there is a verdict on it, the mark; ``so_far``: the run goes on, and may change it."""

    ident: str
    state: str
    happened: str
    so_far: bool = False
    failures: tuple[str, ...] = ()
    exchanges: tuple[int, ...] = ()


class Run(NamedTuple):
    """A run of a scenario or a study. ``mark``: its verdict; empty while it has none. ``share``: of 1, how far it is; None where it tells none."""

    ident: str
    folder: Path
    kind: str
    name: str
    title: str
    mark: str
    going: bool
    share: float | None
    reached: str
    error: str
    steps: tuple[Step, ...]

    @property
    def page(self) -> Path | None:
        """Its page, if it has been made."""
        found = self.folder / "report.html"
        return found if found.is_file() else None


def folders(root: Path) -> dict[str, Path]:
    """The folders of runs below a root by their ids, which are their paths below it; the latest first."""
    found: list[Path] = []
    level = [root]
    for _ in range(_DEEP + 1):
        runs = [one for one in level if any((one / name).is_file() for name in _MARKS)]
        found += runs
        level = [below for one in level if one not in runs for below in _below(one)]
    latest = sorted(found, key=lambda one: (-_changed(one), str(one)))
    return {"." if one == root else one.relative_to(root).as_posix(): one for one in latest[:MOST_LISTED]}


def _below(folder: Path) -> list[Path]:
    try:
        return sorted(
            one for one in folder.iterdir() if one.is_dir() and not one.is_symlink() and not one.name.startswith(".")
        )
    except OSError:
        return []


def _changed(folder: Path) -> float:
    return max((one.stat().st_mtime for name in _MARKS if (one := folder / name).is_file()), default=0.0)


def run_of(ident: str, folder: Path, *, going: bool) -> Run:
    """A run by its files; one whose files are none of ours says so, and hides no other. going: its process is known to run."""
    try:
        return _run_of(ident, folder, going=going)
    except (AttributeError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        return Run(ident, folder, "scenario", folder.name, "", "", going, None, "", _FOREIGN, ())


def _run_of(ident: str, folder: Path, *, going: bool) -> Run:
    lines = read_progress(folder / PROGRESS)
    of = {one["event"]: one for one in lines}
    begun, reached, ended = of.get("begun", {}), of.get("reached", {}), of.get("ended", {})
    if begun.get("kind") == "load":
        return _load(ident, folder, begun, reached, of, going=going)
    error = str(of.get("stopped", {}).get("error") or ended.get("error") or "")
    outcome = _read(folder / "outcome.json")
    if outcome or "done" in reached or (folder.parent.name == "studies" and not begun.get("actions")):
        return _study(ident, folder, outcome, begun, reached, error, going=going)
    result = {} if going else _read(folder / "result.json")
    named = result.get("scenario", begun)
    share = 1.0 if result else float(reached["share"]) if "share" in reached else None
    return Run(
        ident,
        folder,
        "scenario",
        str(named.get("name", folder.name)),
        str(named.get("title", "")),
        str(result.get("mark", "")),
        going,
        share,
        str(reached.get("at", "")),
        error if not result else "",
        tuple(_judged(result) if result else _so_far(begun, reached, of.get("judged", {}))),
    )


def _study(
    ident: str,
    folder: Path,
    outcome: Mapping[str, Any],
    begun: Mapping[str, Any],
    reached: Mapping[str, Any],
    error: str,
    *,
    going: bool,
) -> Run:
    study = outcome.get("study", begun)
    of = reached.get("of")
    share = reached["done"] / of if of else None
    told = f"{reached['done']:,} of {of:,} cells" if of else ""
    mark = "" if going or not outcome else "done"
    title = str(begun.get("title") or study.get("question", ""))
    return Run(ident, folder, "study", str(study.get("name", folder.name)), title, mark, going, share, told, error, ())


def _load(
    ident: str,
    folder: Path,
    begun: Mapping[str, Any],
    reached: Mapping[str, Any],
    of: Mapping[str, Any],
    *,
    going: bool,
) -> Run:
    """A load that was played: its times go from the planned arrival."""
    error = str(of.get("stopped", {}).get("error") or of.get("ended", {}).get("error") or "")
    # One that is played elsewhere goes on while it is told of; a player that was killed tells no end.
    going = going or ("ended" not in of and time.time() - _changed(folder) < _SILENT_S)
    done, all_of = reached.get("done", 0), reached.get("of", 0)
    steps = [Step(name, "over", text) for name, text in standing_of(reached)] if reached else []
    return Run(
        ident,
        folder,
        "load",
        str(begun["name"]),
        str(begun["title"]),
        "done" if "ended" in of and not going and not error else "",
        going,
        done / all_of if all_of else None,
        f"{done:,} of {all_of:,} requests have ended" if all_of else "",
        error,
        tuple(steps),
    )


def standing_of(reached: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How a load stands, by name and in words; seconds are model time from the planned arrival."""
    answered = f"{reached['answered']:,}"
    if reached["p50_s"] is not None:
        answered += f": {reached['p50_s']:,.0f} s, 19 of 20 within {reached['p95_s']:,.0f} s"
    waiting = f"{reached['waiting']:,}"
    if reached["longest_s"] is not None:
        waiting += f", the longest {reached['longest_s']:,.0f} s"
    ended = [(name, f"{sum(reached[name].values()):,}") for name in ("refused", "failed")]
    given_up = ("given up", f"{reached['unanswered']:,}")
    return [("answered, from planned arrival", answered), ("waiting, from planned arrival", waiting), *ended, given_up]


def load_of(root: Path, url: str, day: str) -> tuple[str, Mapping[str, Any]] | None:
    """Name and standing of the load that was last told of a bed on a day of its model; None of none. root: folder of runs."""
    files = sorted((root / "loads").glob(f"*/{PROGRESS}"), key=lambda one: -one.stat().st_mtime)
    for lines in map(read_progress, files):
        last = next((one for one in reversed(lines) if one["event"] == "reached"), None)
        begun = lines[0] if lines else {}
        if last is not None and begun.get("kind") == "load" and begun.get("smt") == url:
            return (str(begun["name"]), last) if str(last["at"]).startswith(day) else None
    return None


def _judged(result: Mapping[str, Any]) -> list[Step]:
    """Steps and checks of a verdict."""
    return [
        Step(
            f"{one['id']} of {one['call']}" if one.get("call") else str(one["id"]),
            str(one["mark"]),
            str(one["happened"]),
            failures=tuple(f"{it['what']}: expected {it['expected']}, found {it['found']}" for it in one["failures"]),
            exchanges=tuple(one.get("exchanges", ())),
        )
        for one in (*result["steps"], *result["checks"])
    ]


def _so_far(begun: Mapping[str, Any], reached: Mapping[str, Any], judged: Mapping[str, Any]) -> list[Step]:
    """Each action as it stands, and below those that are over what the verdict on them is by now."""
    states, steps = reached.get("states", {}), []
    for action in begun.get("actions", ()):
        ref = action["ref"]
        state = states.get(ref, "waiting")
        steps.append(Step(ref, state, f"{action['do'].replace('_', ' ')}, {action['at']}"))
    for one in judged.get("judged", ()):
        ident = f"{one['id']} of {one['call']}" if one["call"] else one["id"]
        steps.append(Step(ident, one["mark"], one["happened"], so_far=True))
    return steps


def exchange_of(folder: Path, number: int) -> Exchange | None:
    """One exchange of a run by its number; None where there is none. Raises SimulatorError for a file that is none of exchanges."""
    path = folder / WIRE
    if not path.is_file():
        return None
    return next((one for one in exchanges(path) if one.n == number), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
