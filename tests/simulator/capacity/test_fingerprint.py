"""A study's fingerprint: it changes with all that computes a cell, with nothing else, and is the same whoever asks."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from simulator.capacity.fingerprint import CELL, fingerprint
from simulator.versions import ROOT, files_behind
from tests.simulator.capacity.test_study import study, written
from tests.simulator.processes import done
from tests.test_rooms import HOUSES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for house in HOUSES:
        shutil.copytree(ROOT / house, root / house, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def printed(*words: str, hash_seed: str = "0") -> str:
    return done(sys.executable, *words, env={**os.environ, "PYTHONHASHSEED": hash_seed}).stdout


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("headend/ondemand/gap.py", True),
        ("meters/calendar.py", True),
        ("simulator/capacity/demand.py", True),
        ("simulator/smt/__init__.py", True),
        ("simulator/smt/throttle/policies.yaml", True),
        ("reports/capacity/page.py", False),
        ("scenarios/running/player.py", False),
        ("meters/load/kernel.py", False),
    ],
)
def test_an_edit_of_what_computes_a_cell_changes_it(tree: Path, file: str, changes: bool) -> None:
    before = fingerprint(study(), tree)
    kept = (tree / file).read_bytes()
    (tree / file).write_bytes(kept + b"\n# edited\n")
    try:
        assert (fingerprint(study(), tree) != before) is changes
    finally:
        (tree / file).write_bytes(kept)
    assert fingerprint(study(), tree) == before


def test_a_lazy_import_and_what_it_imports_count_and_others_packages_do_not(tmp_path: Path) -> None:
    for file, text in {
        "simulator/__init__.py": "import numpy, stranger",
        "simulator/cell.py": "def run():\n    from headend.far import away\n",
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
def test_nothing_that_a_worker_loads_is_missed() -> None:
    code = (
        "import sys; from simulator.capacity.run import Cell, run_cell\n"
        "from tests.simulator.capacity.test_study import study\n"
        "run_cell(study(), Cell(0, 0, 0))\n"
        "print(*(one.__file__ for one in list(sys.modules.values()) if getattr(one, '__file__', None)), sep='\\n')"
    )
    loaded = {Path(file) for file in printed("-c", code).splitlines()}
    ours = {file for file in loaded if file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in HOUSES}
    assert ROOT / "headend/ondemand/gap.py" in ours
    assert ours <= set(files_behind(CELL))


@pytest.mark.process
def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    # So little is wanted that two replications tell, and the command ends with 0.
    levels = [{"share": 0.01}]
    code = (
        "from simulator.capacity.fingerprint import fingerprint\n"
        f"from tests.simulator.capacity.test_study import study; print(fingerprint(study(service_levels={levels})))"
    )
    found = {printed("-c", code, hash_seed=seed).strip() for seed in ("1", "2", "3")}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(written(service_levels=levels)), encoding="utf-8")
    words = ("capacity", "run", str(tmp_path / "small.yaml"), "--out", str(tmp_path), "--workers", "1", "--json")
    found.add(json.loads(printed("-c", "import ami; ami.main()", *words))["fingerprint"])
    assert found == {fingerprint(study(service_levels=levels))}
    assert fingerprint(study(service_levels=levels, policies=["store-only"])) not in found
