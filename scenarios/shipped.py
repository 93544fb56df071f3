"""What comes with the test bed, by name: scenarios and load studies. Nothing heavy is imported, so that a shell completes a name at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import ScenarioError


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of YAML files, each called as what it holds. kind: what they are. code: the error's that tells of an unknown name."""

    folder: Path
    kind: str
    code: str

    def files(self) -> dict[str, Path]:
        """Every file by its name."""
        return {file.stem: file for file in sorted(self.folder.glob("*.yaml"))}

    def names(self) -> list[str]:
        """Every name, for the shell."""
        return list(self.files())

    def named(self, given: Path) -> Path:
        """The file that was given, or the shipped one of that name. Raises ScenarioError for a bare name that is neither."""
        if given.is_file() or given.suffix or len(given.parts) > 1:
            return given
        known = self.files()
        if str(given) in known:
            return known[str(given)]
        from simulator.input.mistakes import did_you_mean

        text = f"There is no file and no shipped {self.kind} '{given}'."
        raise ScenarioError(self.code, text, str(given), did_you_mean(str(given), known))


SCENARIOS = Shelf(Path(__file__).with_name("library"), "scenario", "scenario.unknown")
STUDIES = Shelf(Path(__file__).with_name("capacity"), "load study", "capacity.study.unknown")
