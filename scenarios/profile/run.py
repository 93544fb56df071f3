"""Holds an implementation to the vectors of this profile; one file of the standard library, which lies beside its manifest.

    python -I run.py --target "COMMAND WORD..." [--kind gap]... [--id ID]... [--patience 10] [--json]

The command reads a vector as a line of JSON on standard input, {"id", "kind", "in"}, and answers with a line of JSON on standard output: what comes
of it, or {"cannot": why} for what it does not do. It may go on reading, or end: then it is started again for the next one. An answer has to hold all
that the vector tells; what it holds beside that is its own affair. Instants are the same however their offset is written.

A vector tells which requirements of registry.json it bears on. One is passed if a vector of it is passed and none is failed, skipped if none of its
vectors can be answered. --kind and --id (of a vector or a requirement) pick some. Exit 0: something is passed and nothing failed, 1: something failed
or all was skipped, 2: the profile is not whole, or the words are wrong.
"""

import argparse
import contextlib
import hashlib
import json
import queue
import shlex
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Target:
    """The implementation: a command that is started when it is needed."""

    def __init__(self, words: list[str], patience: float) -> None:
        self._words, self._patience = words, patience
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def ask(self, vector: dict[str, Any]) -> Any:
        """Its answer. Raises ValueError for none, or one that is no JSON object."""
        line = json.dumps({name: vector[name] for name in ("id", "kind", "in")}) + "\n"
        # One that has ended after its last answer is started again, once.
        answer = self._asked(line) or self._asked(line)
        told = json.loads(answer) if answer else None
        if not isinstance(told, dict):
            raise ValueError("it gave no answer" if told is None else "its answer is no JSON object")
        return told

    def _asked(self, line: str) -> str:
        if self._process is None or self._process.poll() is not None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._words, stdin=pipe, stdout=pipe, encoding="utf-8")
            self._lines = queue.Queue()
            threading.Thread(target=hand_on, args=(self._process.stdout, self._lines), daemon=True).start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            answer = self._lines.get(timeout=self._patience)
        except queue.Empty:
            self.end()
            raise ValueError(f"it gave no answer in {self._patience:g} s") from None
        except OSError:
            answer = ""
        if not answer:
            self.end()
        return answer

    def end(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def hand_on(stream: Any, lines: "queue.Queue[str]") -> None:
    """Its lines, and an empty one when it has ended."""
    for line in stream:
        lines.put(line)
    lines.put("")


def plain(value: Any) -> Any:
    """A value as it is compared: instants in UTC."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str) and value[10:11] == "T":
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


def judged(vector: dict[str, Any], target: Target) -> tuple[str, str]:
    """passed, failed or skipped, and why."""
    try:
        told = target.ask(vector)
    except (ValueError, OSError) as error:
        return "failed", str(error)
    if "cannot" in told:
        return "skipped", str(told["cannot"])
    for name, wanted in vector["out"].items():
        if plain(told.get(name)) != plain(wanted):
            return "failed", f"{name}: {json.dumps(told.get(name))[:300]}, not {json.dumps(wanted)[:300]}"
    return "passed", ""


def vectors_of(folder: Path) -> list[dict[str, Any]]:
    """All vectors; ValueError for a profile that is not what its manifest says."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name, digest in manifest["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} is not the file of version {manifest['version']}")
    names = [name for name in manifest["files"] if name.startswith("vectors/")]
    return [vector for name in names for vector in json.loads((folder / name).read_text("utf-8"))]


def main() -> None:
    words = argparse.ArgumentParser(description="Holds an implementation to the vectors of this profile.")
    words.add_argument("--target", required=True, help="the command, as a shell would have it")
    words.add_argument("--kind", action="append")
    words.add_argument("--id", action="append")
    words.add_argument("--patience", type=float, default=10.0, help="seconds for an answer")
    words.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    asked = words.parse_args()
    try:
        vectors = vectors_of(Path(__file__).parent)
    except (OSError, ValueError, KeyError) as error:
        words.error(f"the profile is not whole: {error}")
    picked = [one for one in vectors if not asked.kind or one["kind"] in asked.kind]
    picked = [one for one in picked if not asked.id or {one["id"], *one["requirements"]} & set(asked.id)]
    if not picked:
        words.error(f"no vector is picked: kinds are {', '.join(sorted({one['kind'] for one in vectors}))}")
    target, by_id, found = Target(shlex.split(asked.target), asked.patience), defaultdict[str, list[str]](list), []
    for vector in picked:
        state, why = judged(vector, target)
        found.append({"id": vector["id"], "state": state, "why": why})
        for ident in vector["requirements"]:
            by_id[ident].append(state)
        if not asked.json:
            print(f"{state:8}{vector['id']}{f': {why}' if why else ''}")
    target.end()
    ids = {one: next((s for s in ("failed", "passed") if s in states), "skipped") for one, states in by_id.items()}
    table = "".join(f"\n{state:8}{ident} ({len(by_id[ident])})" for ident, state in ids.items())
    print(json.dumps({"requirements": ids, "vectors": found}, indent=1) if asked.json else table)
    sys.exit("failed" in ids.values() or "passed" not in ids.values())


if __name__ == "__main__":
    main()
