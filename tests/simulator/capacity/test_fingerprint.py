"""A study's fingerprint: it changes with all that computes a cell, with nothing else, and is the same whoever asks."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from simulator.capacity.cell import CELL
from simulator.capacity.study import load_study
from simulator.runtime.progress_file import read_progress
from simulator.versions import ROOT, code_behind, files_behind
from tests.cases import few
from tests.simulator.capacity.studies import POLICIES, study
from tests.simulator.processes import done
from tests.test_rooms import HOUSES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for house in HOUSES:
        shutil.copytree(ROOT / house, root / house, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def before(tree: Path) -> str:
    return study().fingerprint(code_behind(CELL, tree))


def printed(*words: str, hash_seed: str = "0") -> str:
    return done(sys.executable, *words, env={**os.environ, "PYTHONHASHSEED": hash_seed}).stdout


@pytest.mark.parametrize(
    ("file", "changes"),
    few(
        4,
        [
            ("simulator/capacity/engine/kernel.py", True),
            ("simulator/capacity/workload/curves.csv", True),
            ("simulator/capacity/run.py", False),
            ("scenarios/running/player.py", False),
            ("headend/ondemand/gap.py", True),
            ("meters/calendar.py", True),
            ("simulator/smt/__init__.py", True),
            ("simulator/smt/throttle/policies.yaml", True),
            ("reports/capacity/page.py", False),
            ("meters/load/kernel.py", False),
        ],
    ),
)
def test_an_edit_of_what_computes_a_cell_changes_it(tree: Path, before: str, file: str, changes: bool) -> None:
    small = study()
    kept = (tree / file).read_bytes()
    (tree / file).write_bytes(kept + b"\n# edited\n")
    try:
        assert (small.fingerprint(code_behind(CELL, tree)) != before) is changes
    finally:
        (tree / file).write_bytes(kept)
    assert small.fingerprint(code_behind(CELL, tree)) == before


LAZY = """
class Cell:
    def run(self):
        try:
            with open("x"):
                pass
        except OSError:
            pass
        else:
            for _ in ():
                match self:
                    case _:
                        from headend.far import away
"""


def test_a_lazy_import_and_what_it_imports_count_and_others_packages_do_not(tmp_path: Path) -> None:
    for file, text in {
        "simulator/__init__.py": "import numpy, stranger",
        "simulator/cell.py": LAZY,
        "headend/__init__.py": "",
        "headend/far/__init__.py": "",
        "headend/far/away.py": "import json, meters.near",
        "headend/far/laws.csv": "1,2",
        "headend/far/other.py": "",
        "meters/__init__.py": "",
        "meters/near.py": "import simulator.cell",
        "stranger.py": "",
        "unrelated.pth": "",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    found = {file.relative_to(tmp_path).as_posix() for file in files_behind("simulator.cell", tmp_path)}
    ours = {"simulator/__init__.py", "simulator/cell.py", "meters/__init__.py", "meters/near.py", "headend/__init__.py"}
    assert found == ours | {"headend/far/__init__.py", "headend/far/away.py", "headend/far/laws.csv"}


@pytest.mark.process
def test_nothing_that_a_worker_loads_is_missed(tmp_path: Path) -> None:
    small = study()
    (tmp_path / "task").write_bytes(pickle.dumps(small.task(small.main(range(1))[0])))
    code = (
        "import pickle, sys; from pathlib import Path; from simulator.capacity.cell import play_cell\n"
        f"play_cell(pickle.loads(Path({str(tmp_path / 'task')!r}).read_bytes()))\n"
        "print(*(one.__file__ for one in list(sys.modules.values()) if getattr(one, '__file__', None)), sep='\\n')"
    )
    loaded = {Path(file) for file in printed("-c", code).splitlines()}
    ours = {file for file in loaded if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in HOUSES}
    assert ROOT / "headend/ondemand/gap.py" in ours
    assert ours <= set(files_behind(CELL))


TINY = "{name: tiny, day: 2026-08-12, fleet: {tdsps: [{name: Oncor, meters: 9000}]}, calls: {ror_call_centre: {reads: 50}}}"


@pytest.mark.long
@pytest.mark.process
def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    path = tmp_path / "small.yaml"
    written = {"name": "small", "replications": 1, "workloads": ["tiny.yaml"], "policies": list(POLICIES)}
    # So little is wanted that one replication tells, and the command ends with 0.
    path.write_text(yaml.safe_dump({**written, "levels": ["told_in_call>0.01"]}), encoding="utf-8")
    code = (
        "from pathlib import Path; from simulator.capacity.study import load_study\n"
        f"print(load_study(Path({str(path)!r})).fingerprint())"
    )
    found = {printed("-c", code, hash_seed=seed).strip() for seed in ("1", "2", "3")}
    words = (
        "capacity",
        "run",
        str(path),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "1",
        "--json",
        "--progress",
        str(tmp_path / "far.jsonl"),
    )
    found.add(json.loads(printed("-c", "import ami; ami.main()", *words))["fingerprint"])
    assert found == {load_study(path).fingerprint()}
    begun, *reached, ended = read_progress(tmp_path / "far.jsonl")
    assert (begun["name"], ended["error"]) == ("small", "")
    assert [one["done"] for one in reached] == sorted(one["done"] for one in reached)
    assert reached[-1]["done"] == reached[-1]["of"] > 0
    path.write_text(yaml.safe_dump({**written, "policies": ["store-only"]}), encoding="utf-8")
    assert load_study(path).fingerprint() not in found
