"""What an engine delivered, as arrays of a day: LSE and CMEP files, or CSV and Parquet with the columns esiid, channel, start, wh or kwh, status, rule, method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.lse.reader import read
from headend.vee.rules import RULES
from meters.calendar import INTERVAL_S, day_start, intervals_in
from meters.errors import UserError
from reports.interval_table import coded, read_table, starts_of, wh_of
from reports.score.cmep import is_cmep
from reports.score.cmep import read as read_cmep
from reports.score.made import CHANNELS, MARK, OURS, Made
from simulator.input.mistakes import did_you_mean
from simulator.input.yaml_text import YamlProblem, read_yaml_file

_CODE, _MEND = "vee.score.engine", "Give LSE or CMEP files, CSV or Parquet."
#: ``Delivered.status``.
ACTUAL, ESTIMATED, NOT_DELIVERED = range(3)


class Delivered(NamedTuple):
    """A day of an engine's; (2, m, n) each, delivered energy first."""

    #: Wh, 0 where nothing was delivered.
    wh: NDArray[np.int64]
    status: NDArray[np.uint8]
    #: Which of ``rules`` stands at an interval; each is the rules of the table that the engine named there.
    rule: NDArray[np.int64]
    rules: Sequence[frozenset[str]]
    #: Which of ``methods``.
    method: NDArray[np.int64]
    methods: Sequence[str]
    #: Whether the engine tells rules at all, as LSE and CMEP cannot.
    tells_rules: bool = True

    def found(self, rule: str) -> NDArray[np.bool_]:
        """(2, m, n) where that rule was named."""
        return np.array([rule in named for named in self.rules])[self.rule]


class Engine:
    """Files of an engine, read once."""

    def __init__(self, made: Made, files: Sequence[Path], names: Mapping[str, Sequence[str]] | None = None) -> None:
        """names: rules of the table by the engine's names; its names are the table's unless given. Raises UserError."""
        self._made, self._names = made, names
        #: Names that lead to no rule.
        self.unknown: set[str] = set()
        #: Rows that are of no interval that was made, or came again.
        self.strange = 0
        self._tells_rules = False
        self._days = {day: self._blank(day) for day in made.days}
        self._rules: dict[str, int] = {"": 0}
        self._methods: dict[str, int] = {"": 0}
        if not files:
            raise UserError(_CODE, "There are no files.", mend=_MEND)
        for path in files:
            self._take(path)

    def day(self, day: date) -> Delivered:
        """What was delivered of a day."""
        wh, status, rule, method = self._days[day]
        rules = [frozenset(self._named(text)) for text in self._rules]
        return Delivered(wh, status, rule, rules, method, list(self._methods), self._tells_rules)

    def _named(self, text: str) -> set[str]:
        found: set[str] = set()
        for name in filter(None, (piece.strip() for piece in text.split(";"))):
            known = (self._names or {}).get(name, [name] if self._names is None and name in RULES else None)
            if known is None:
                self.unknown.add(name)
            found.update(known or ())
        return found

    def _blank(self, day: date) -> tuple[Any, ...]:
        shape = (2, len(self._made.esiids), intervals_in(day))
        status = np.full(shape, NOT_DELIVERED, np.uint8)
        return np.zeros(shape, np.int64), status, np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    def _take(self, path: Path) -> None:
        try:
            if path.suffix.lower() == ".lse":
                self._take_lse(path)
            elif is_cmep(path):
                self._take_table(path, read_cmep(path))
            else:
                self._take_table(path, read_table(path, _CODE, _MEND))
        except OSError as error:
            raise UserError(_CODE, f"{error.strerror}.", str(path), "Name files of the engine.") from None

    def _take_lse(self, path: Path) -> None:
        """Faulty records deliver nothing."""
        row_of = {str(esiid): row for row, esiid in enumerate(self._made.assets["esiid"])}
        for record in read(path, path.name).records:
            row = row_of.get(record.esiid)
            if row is None or record.day not in self._days:
                self.strange += len(record.wh)
                continue
            wh, status, _, _ = self._days[record.day]
            at = CHANNELS.index(int(record.channel)), row
            wh[at], status[at] = record.wh, record.estimated

    def _take_table(self, path: Path, table: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        wh = wh_of(path, table, _CODE)
        if (beyond := np.abs(wh) >= 2**31).any():
            raise UserError(_CODE, f"{wh[beyond][0]:g} Wh is more than any interval has.", str(path), _MEND)
        start = starts_of(path, table, _CODE)
        row = pc.index_in(table["esiid"].cast(pa.string()), value_set=self._made.esiids).fill_null(-1).to_numpy()
        channel = table["channel"].cast(pa.int64()).fill_null(0).to_numpy()
        told, status_texts = coded(table["status"])
        status_of = {"A": ACTUAL, "E": ESTIMATED}
        for text in set(status_texts) - set(status_of):
            raise UserError(_CODE, f"A status '{text}' is neither A nor E.", str(path), "Write A or E.")
        status = np.array([status_of[text] for text in status_texts], np.uint8)[told]
        self._tells_rules |= "rule" in table.column_names
        rule = self._codes(table, "rule", self._rules)
        method = self._codes(table, "method", self._methods)
        sound = (row >= 0) & np.isin(channel, CHANNELS) & ~np.isnan(wh)
        taken = 0
        for day, arrays in self._days.items():
            place = (start - day_start(day)) // INTERVAL_S
            exact = (start - day_start(day)) % INTERVAL_S == 0
            mine = np.flatnonzero(sound & exact & (place >= 0) & (place < intervals_in(day)))
            cells = (channel[mine] != CHANNELS[0]).astype(np.int64), row[mine], place[mine]
            before = int((arrays[1] != NOT_DELIVERED).sum())
            columns: tuple[NDArray[Any], ...] = (np.rint(np.nan_to_num(wh)), status, rule, method)
            for into, values in zip(arrays, columns, strict=True):
                into[cells] = values[mine]
            taken += int((arrays[1] != NOT_DELIVERED).sum()) - before
        self.strange += len(row) - taken

    def _codes(self, table: Any, name: str, known: dict[str, int]) -> NDArray[np.int64]:
        if name not in table.column_names:
            return np.zeros(table.num_rows, np.int64)
        codes, texts = coded(table[name])
        return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)[codes]


def files_of(given: Iterable[Path]) -> list[Path]:
    """Files, and those in folders but for hidden ones and what has no ending."""
    folders = ((path, sorted(path.glob("*.*")) if path.is_dir() else [path]) for path in given)
    return [one for path, found in folders for one in found if one == path or (one.is_file() and one.name[0] != ".")]


def ours(made: Made) -> Path:
    """The folder of our batch's output. Raises UserError unless it is whole, and of this set."""
    folder = made.folder / OURS
    try:
        mark = (folder / MARK).read_text(encoding="utf-8")
    except OSError:
        mark = ""
    if mark != made.mark:
        text = "This is our batch over another set." if mark else "Here is no whole output of our batch."
        raise UserError("vee.score.ours", text, str(folder), f"Run 'ami vee run {made.folder}' first.")
    return folder


def read_names(path: Path) -> dict[str, list[str]]:
    """An engine's names of rules: ``its name: rule of the table``, or a list of them. Raises UserError."""
    code, mend = "vee.score.rules", "Write 'its name: a rule of headend/vee/rules.csv', or a list of them."
    try:
        written = read_yaml_file(path).value
    except YamlProblem as problem:
        raise UserError(code, problem.problem, problem.place, mend) from None
    if not isinstance(written, Mapping):
        raise UserError(code, "This is no mapping of names.", str(path), mend)
    names: dict[str, list[str]] = {}
    for name, rules in written.items():
        names[str(name)] = list(map(str, rules if isinstance(rules, list) else [rules]))
        for rule in names[str(name)]:
            if rule not in RULES:
                raise UserError(code, f"There is no rule '{rule}'.", f"{path}: {name}", did_you_mean(rule, RULES))
    return names
