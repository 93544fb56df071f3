"""An output folder belongs to one run at a time, and what an earlier run wrote is cleared from it, and nothing else."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from meters.errors import reason
from simulator.errors import SimulatorError

LOCK = ".ami-lock"


def write_whole(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of a file in a folder that cannot be written meanwhile: raises SimulatorError ``out.unusable``."""
    try:
        yield
    except OSError as error:
        text, place = f"A file cannot be written: {reason(error)}.", str(error.filename or folder)
        raise SimulatorError(
            "out.unusable", text, place, "Make room there, or name another folder with --out."
        ) from error


@contextmanager
def own(folder: Path, written: Iterable[str], option: str = "--out") -> Iterator[Path]:
    """Hold a folder for one run, made if need be, cleared of the names in ``written``.

    option: that names the folder. Raises SimulatorError ``out.unusable`` when it cannot be made or written, ``out.in_use`` while another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise SimulatorError(
            "out.unusable",
            f"The output folder cannot be used: {error.strerror}.",
            str(folder),
            f"Name another with {option}.",
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SimulatorError(
                "out.in_use",
                "Another run is writing to this folder.",
                str(folder),
                f"Wait for it, or name another with {option}.",
            ) from None
        for name in written:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        yield folder
