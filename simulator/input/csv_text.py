"""CSV that a user writes: its rows with their lines, the header held against the columns that there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from meters.errors import UserError
from simulator.input.whole_text import whole_text

E = TypeVar("E", bound=UserError)


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """The columns that a file may have, in their order, and those of them that it must."""

    known: Collection[str]
    needed: Collection[str]
    #: Of these there must be one.
    either: Collection[str] = ()

    def fault(self, names: list[str]) -> tuple[str, str] | None:
        """What is wrong with a header, and the mend."""
        for name in names:
            if name not in self.known:
                return f"There is no column '{name[:40]}'.", f"Columns: {', '.join(self.known)}."
            if names.count(name) > 1:
                return f"The column {name} stands twice.", "Leave one out."
        lacking = [name for name in self.needed if name not in names]
        if lacking:
            return f"The column {lacking[0]} is missing.", f"Needed: {', '.join(self.needed)}."
        if self.either and not set(self.either) & set(names):
            return f"There is neither a column {' nor '.join(self.either)}.", "Add one."
        return None


def csv_rows(
    path: Path, columns: CsvColumns, kind: type[E], code: str, faults: list[E], *, required: bool
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row's place, ``file:line``, and its cells by column, without blanks around them. Blank rows are passed over.

    kind, code: of the faults, which are put behind those there are: ``code.no_file`` (where the file is required), ``.unreadable``, ``.columns``,
    ``.cells``, ``.csv``.
    """
    try:
        text = whole_text(path)
    except FileNotFoundError:
        if required:
            mend = f"Its first line names the columns, at least {','.join(columns.needed)}."
            faults.append(kind(f"{code}.no_file", "The file is not there.", str(path), mend))
        return
    except (OSError, UnicodeDecodeError) as error:
        sentence = f"The file cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}."
        faults.append(kind(f"{code}.unreadable", sentence, str(path), "Save it as CSV in UTF-8."))
        return
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(table, [])
        wrong = columns.fault(names)
        if wrong:
            faults.append(kind(f"{code}.columns", wrong[0], f"{path}:1", wrong[1]))
            return
        for cells in table:
            place = f"{path}:{table.line_num}"
            if not any(cells):
                continue
            if len(cells) != len(names):
                sentence = f"The row has {len(cells)} cells, the first line names {len(names)} columns."
                faults.append(kind(f"{code}.cells", sentence, place, "Put quotes around a comma."))
                continue
            yield place, {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    except csv.Error as error:
        mend = "Mend that line: a quote is closed where its cell ends."
        faults.append(kind(f"{code}.csv", f"This is no CSV: {error}.", f"{path}:{table.line_num}", mend))
