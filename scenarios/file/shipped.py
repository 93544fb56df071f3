"""What comes with the test bed, by name: scenarios and load studies. Nothing heavy is imported, so that a shell completes a name at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import ScenarioError


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of YAML files, and of folders of them, each called as what it holds. kind: what they are. code: the error's that tells of an unknown name."""

    folder: Path
    kind: str
    code: str

    def files(self) -> dict[str, Path]:
        """Every file by its name."""
        return {file.stem: file for file in sorted(self.folder.rglob("*.yaml"))}

    def names(self) -> list[str]:
        """Every name, for the shell."""
        return list(self.files())

    def named(self, given: Path) -> Path:
        """The file that was given, or the shipped one of that name. Raises ScenarioError for a bare name that is neither."""
        if given.is_file() or given.suffix or len(given.parts) > 1:
            return given
        # One that a file is like is looked for at each of dozens.
        for folder, _, files in os.walk(self.folder):
            if f"{given}.yaml" in files:
                return Path(folder, f"{given}.yaml")
        from simulator.input.mistakes import did_you_mean

        text = f"There is no file and no shipped {self.kind} '{given}'."
        raise ScenarioError(self.code, text, str(given), did_you_mean(str(given), self.files()))

    def all_in(self, given: Path) -> list[Path]:
        """The file of that name, or every file of a folder: of one that is there, or of a shipped one. Raises ScenarioError where there is none."""
        if given.is_file() or str(given) in self.files():
            return [self.named(given)]
        folder = given if given.is_dir() else self.folder / given
        if not folder.is_dir():
            return [self.named(given)]
        found = sorted(file for end in ("yaml", "yml") for file in folder.rglob(f"*.{end}"))
        if not found:
            text = f"There is no {self.kind} in the folder: no file ends in .yaml."
            raise ScenarioError(self.code, text, str(given), "Name another folder, or a file.")
        return found


SCENARIOS = Shelf(Path(__file__).parents[1] / "library", "scenario", "scenario.unknown")
STUDIES = Shelf(Path(__file__).parents[1] / "capacity", "load study", "capacity.study.unknown")
