"""A wheel, installed away from the checkout: it has every file of the houses, and ``ami`` works in an empty folder.

About ten seconds: it builds, installs, and compiles the kernels anew. All but what it has is among the long ones.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.simulator.processes import done
from tests.test_rooms import HOUSES, ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def output(*words: str | Path, cwd: Path) -> str:
    # Neither the checkout's path nor an index: what is imported is what was installed.
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return done(*words, cwd=cwd, env=alone).stdout


def files() -> list[str]:
    """What git tracks, or would."""
    listed = output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    return [file for file in listed if (ROOT / file).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git tracks, since a build leaves its own beside the sources."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for file in files():
        if not file.startswith(("tests/", "docs/")):
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, source / file)
    # As pip has it built, at a third of the time.
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    output(sys.executable, "-P", "-c", build, made, cwd=source)
    (found,) = made.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel, and the checkout's environment for all that it needs."""
    home = tmp_path_factory.mktemp("home")
    venv.create(home, symlinks=True)
    programs = home / "bin"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", programs / "python")
    output(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home)
    # By a path alone, whose own .pth files are not read: there the checkout is installed as editable.
    site = output(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home)
    (Path(site.strip()) / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return programs


@pytest.mark.process
def test_it_has_every_file_of_the_houses_and_the_licence(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    assert {file for file in files() if file == "ami.py" or file.split("/")[0] in HOUSES} <= names
    assert f"ami_testbed-{VERSION}.dist-info/licenses/LICENSE" in names
    assert [name for name in names if name.startswith("tests/")] == []


def test_the_changelog_tells_of_the_version() -> None:
    assert f"\n## [{VERSION}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.process
@pytest.mark.long
def test_it_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    def ami(*words: str) -> str:
        return output(installed / "ami", *words, cwd=tmp_path)

    where = output(installed / "python", "-c", "import ami, meters; print(ami.__file__, meters.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where
    assert ami("--version") == f"ami-testbed {VERSION}\n"
    assert str(installed.parent) in ami("scenario", "list")
    assert ": sound. customer-balance-inquiry, " in ami("scenario", "lint", "customer-balance-inquiry")
    assert ami("scenario", "show", "hour-before").startswith("hour-before: ")
    assert "There is no file and no shipped" in ami("scenario", "explain", "scenario.unknown")
    assert ami("capacity", "list").startswith("throttle-policies  ")
    assert "10443729924385485" in ami("meters", "show", "10443729924385485")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
@pytest.mark.long
def test_a_scenario_that_is_begun_with_it_is_sound(installed: Path, tmp_path: Path) -> None:
    output(installed / "ami", "scenario", "new", "mine", "--like", "gap-of-17-h-30", cwd=tmp_path)
    assert ": sound. mine, " in output(installed / "ami", "scenario", "lint", "mine.yaml", cwd=tmp_path)
