"""What a kept cell is a result of: the study's content, and every file of ours that can have a say in a cell."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
from pathlib import Path

from simulator.capacity.study import Study

#: The folder that the houses lie in, which may hold others' packages too, and the houses behind a cell.
ROOT = Path(__file__).parents[2]
HOUSES = ("meters", "headend", "simulator")
#: Where a worker finds what computes a cell.
CELL = "simulator.capacity.run"


def fingerprint(study: Study, root: Path = ROOT) -> str:
    """Sixteen hex digits that change with the study's content and with the code that computes a cell."""
    digest = hashlib.sha256(study.spec.model_dump_json().encode())
    # A preset's limits are not in the study. A set has no order of its own, so it is sorted.
    digest.update(json.dumps([dataclasses.asdict(policy) for policy in study.policies], default=sorted).encode())
    for file in files_behind(CELL, root):
        digest.update(f"\0{file.relative_to(root).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


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
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return sorted(found)
