"""Versions of what made a page or a result."""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from meters.errors import UserError

PRODUCT = "ami-testbed"
#: The folder that the houses lie in, which may hold others' packages too, and the houses that compute.
ROOT = Path(__file__).parents[1]
HOUSES = ("meters", "headend", "simulator")
A = TypeVar("A")
R = TypeVar("R")


@cache
def version_of(package: str) -> str:
    """The version that is installed, as this process found it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "from source"


def product() -> str:
    """Name and version of the product."""
    return f"{PRODUCT} {version_of(PRODUCT)}"


@cache
def told_by_code(module: str) -> str:
    """The product's version, and the code behind a module of it, of this process."""
    return f"{product()}, code {code_behind(module)[:12]}"


def only_as(told: str, module: str, call: Callable[[A], R], what: A) -> R:
    """Call, where the code behind a module is the asker's. told: as the asker's ``told_by_code`` says. Raises UserError with both."""
    if (here := told_by_code(module)) != told:
        text = f"A worker runs {here}; asked was for {told}."
        mend = "Install the asker's version there, and start the worker again."
        raise UserError("worker.other_code", text, f"worker on {platform.node()}", mend)
    return call(what)


def code_behind(module: str, root: Path = ROOT) -> str:
    """A hash of ``files_behind``, names and content."""
    digest = hashlib.sha256()
    for file in files_behind(module, root):
        digest.update(f"\0{file.relative_to(root).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def code_of_houses() -> str:
    """A hash of all that the houses that compute are made of, as this process found it: what ``code_behind`` says, coarser, and without reading it as a program."""
    digest = hashlib.sha256()
    for house in HOUSES:
        for file in sorted(ROOT.joinpath(house).rglob("*")):
            if file.is_file() and file.parent.name != "__pycache__":
                content = file.read_bytes()
                digest.update(f"\0{file.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()


def files_behind(module: str, root: Path = ROOT) -> list[Path]:
    """The source of a module and of all of ours that it imports, however far away, and the data files that lie beside one of these.

    Read from the text: what a process has loaded depends on who started it, and a lazy import is not there yet.
    """
    found: set[Path] = set()
    names, seen = [module], set[str]()
    while names:
        name = names.pop()
        if name in seen or name.split(".")[0] not in HOUSES:
            continue
        seen.add(name)
        place = root.joinpath(*name.split("."))
        file = next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)
        if file is None:
            # Another's, or a name out of a module.
            continue
        found.add(file)
        found.update(near for near in file.parent.iterdir() if near.is_file() and near.suffix != ".py")
        names.append(name.rpartition(".")[0])
        names += _imported(file.read_bytes())
    return sorted(found)


# A run asks for the code behind several modules, which have most files in common.
@lru_cache(maxsize=1_000)
def _imported(text: bytes) -> tuple[str, ...]:
    """What a module's imports name, wherever they stand."""
    return tuple(_named(ast.parse(text)))


def _named(module: ast.Module) -> Iterator[str]:
    # Expressions, of which most of a module is made, have no imports and are not looked into.
    nodes: list[ast.AST] = [module]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            nodes += getattr(node, part, ())
