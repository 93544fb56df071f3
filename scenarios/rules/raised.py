"""The errors of users, read where the product raises them: code, sentence, mend. What is filled in stands as it is called there, in braces."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import meters

_ROOT = Path(meters.__file__).parents[1]
_HOUSES = ("meters", "headend", "simulator", "scenarios", "reports")
#: Of a dotted word that names a file.
_SUFFIXES = ("csv", "html", "json", "jsonl", "parquet", "sqlite", "yaml")
_CODE = re.compile(r'"([a-z_]+(?:\.[a-z_]+)+)"')
#: Wherever one begins, though another one has not ended there.
_CODES = re.compile(rf"(?={_CODE.pattern})")
_CONSTANT = re.compile(rf"^([A-Z_]+)(?:: .*)? = {_CODE.pattern}", re.MULTILINE)


class Raised(NamedTuple):
    """One place where an error is raised. ``file``: from the houses' root."""

    file: str
    code: str
    message: str
    mend: str


@cache
def _texts() -> dict[str, str]:
    files = [_ROOT / "ami.py", *(file for house in _HOUSES for file in sorted((_ROOT / house).rglob("*.py")))]
    return {file.relative_to(_ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


@cache
def _constants() -> list[tuple[str, str, str]]:
    """Each constant that may be a code: file, name, code."""
    return [(file, *found) for file, text in _texts().items() for found in _CONSTANT.findall(text)]


@cache
def _quoted() -> dict[str, set[str]]:
    """The files in which each dotted word stands in quotes."""
    found: dict[str, set[str]] = {}
    for file, text in _texts().items():
        for word in _CODES.findall(text):
            found.setdefault(word, set()).add(file)
    return found


def raised_codes() -> set[str]:
    """Every dotted word of the product that may be a code."""
    words = {word for text in _texts().values() for word in _CODE.findall(text)}
    return {word for word in words if word.rpartition(".")[2] not in _SUFFIXES}


@cache
def raised(code: str) -> tuple[Raised, ...]:
    """Where an error of a code is raised, and what it says there; each sentence once."""
    if not _CODE.fullmatch(f'"{code}"'):
        return ()
    held = {(file, name) for file, name, its in _constants() if its == code}
    quoted = _quoted().get(code, ())
    found: dict[str, Raised] = {}
    for file, text in _texts().items():
        if file in quoted or any(re.search(rf"\b{name}\b", text) for _, name in held):
            for told in _told_in(file, code, held):
                found.setdefault(told.message, told)
    return tuple(found.values())


class _Read(NamedTuple):
    """What may tell of a code in a file. ``imported``: file, its name there and here. ``calls``: and tuples, with their arguments. ``held``: values by the names that they are given."""

    imported: list[tuple[str, str, str]]
    calls: list[tuple[ast.Call | ast.Tuple, dict[int | str, ast.expr]]]
    held: dict[str, list[ast.Assign]]


# Trees are large, and codes are mostly asked for file by file.
@lru_cache(maxsize=8)
def _read(file: str) -> _Read:
    read = _Read([], [], {})
    for node in ast.walk(ast.parse(_texts()[file])):
        if isinstance(node, ast.ImportFrom):
            its = f"{(node.module or '').replace('.', '/')}.py"
            read.imported.extend((its, one.name, one.asname or one.name) for one in node.names)
        elif isinstance(node, ast.Call | ast.Tuple):
            read.calls.append((node, _arguments(node)))
        elif isinstance(node, ast.Assign):
            read.held.setdefault(ast.unparse(node.targets[0]).strip("()"), []).append(node)
    return read


def _told_in(file: str, code: str, constants: set[tuple[str, str]]) -> list[Raised]:
    """What a file says with a code: beside it, or where it raises whatever code its own record has. constants: files and names that hold the code."""
    imported, calls, held = _read(file)
    names = {name for its, name in constants if its == file}
    names |= {here for its, there, here in imported if (its, there) in constants}

    def said(is_code: Callable[[ast.expr], bool]) -> list[Raised]:
        found = []
        for node, given in calls:
            at = next((at for at, one in given.items() if isinstance(at, int) and is_code(one)), None)
            if at is None and not ("code" in given and is_code(given["code"])):
                continue
            ahead = 1 if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Mistake") else 0
            begin = -1 if at is None else at
            message = _text(given.get("message") or given.get(begin + 1 + ahead), held)
            mend = _text(given.get("mend") or given.get(begin + 3), held)
            if " " in message and (message.endswith((".", "}", "?")) or "{" in message):
                found.append(Raised(file, code, message, mend))
        return found

    def named(one: ast.expr) -> bool:
        return (isinstance(one, ast.Constant) and one.value == code) or (isinstance(one, ast.Name) and one.id in names)

    return said(named) or said(lambda one: isinstance(one, ast.Attribute) and ast.unparse(one) == "self.code")


def _arguments(node: ast.Call | ast.Tuple) -> dict[int | str, ast.expr]:
    """What is given by place, and by name."""
    if isinstance(node, ast.Tuple):
        return dict(enumerate(node.elts))
    return dict(enumerate(node.args)) | {one.arg: one.value for one in node.keywords if one.arg}


def _text(node: ast.expr | None, held: dict[str, list[ast.Assign]]) -> str:
    """A text as it is written, what is filled in in braces; empty if it is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(
                str(part.value)
                if isinstance(part, ast.Constant)
                else f"{{{ast.unparse(part).split('{')[-1].split('}')[0]}}}"
                for part in node.values
            )
        case ast.IfExp():
            return _text(node.body, held)
        case ast.Name():
            return _held(node, held)
    return ""


def _held(name: ast.Name, held: dict[str, list[ast.Assign]]) -> str:
    """The text that a name was given last above."""
    for names, assigned in held.items():
        parts = [one.strip() for one in names.split(",")]
        above = [one for one in assigned if one.lineno <= name.lineno]
        if name.id in parts and above:
            value = max(above, key=lambda one: one.lineno).value
            if len(parts) > 1:
                return _text(value.elts[parts.index(name.id)], held) if isinstance(value, ast.Tuple) else ""
            return _text(value, held)
    return ""
