"""A customer's usage file, recognised by its content and read into the retailer's record, with what was found of it on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headend.ports import IntArray
from headend.vee.quality import Channel
from headend.vee.rules import limits
from meters.calendar import INTERVAL_S, iso, seconds
from meters.errors import reason
from simulator.ror.billing.money import kwh
from simulator.ror.files.found import Found, Tally
from simulator.ror.files.green_button import read_green_button
from simulator.ror.files.grid import Grid
from simulator.ror.files.lse import read_lse
from simulator.ror.files.smt_csv import NEEDED, is_smt_csv, read_smt_csv
from simulator.ror.usage import Quality, UsageRecord, from_vee

#: Octets by which a form is known: a first line may not be longer.
_LOOKED_AT = 4096
_LSE = re.compile(rb"\s*\d{8},")
_Reader = Callable[[Path, Tally, dict[Channel, Grid]], str]


@dataclass(frozen=True, slots=True, eq=False)
class UsageFile:
    """What a file tells of one ESI ID. It has values."""

    file: str
    #: In words.
    form: str
    #: Empty: the file names none.
    esiid: str
    record: UsageRecord
    found: tuple[Found, ...]

    @property
    def left_out(self) -> int:
        """Values that are in the file and not in the record."""
        return sum(one.count for one in self.found if one.left_out)

    def sentence(self) -> str:
        """What was read, in one sentence."""
        ends = self.record.ends
        estimated = int(np.count_nonzero(self.record.quality == Quality.VEE_ESTIMATED))
        given = int(self.record.given.sum(dtype=np.int64))
        of = f" of ESI ID {self.esiid}" if self.esiid else ""
        parts = [f"{len(ends):,} quarter hours from {iso(seconds(ends[0]) - INTERVAL_S)} to {iso(seconds(ends[-1]))}"]
        parts += [f"{estimated:,} of them estimated"] * bool(estimated)
        parts += [f"{kwh(given)} kWh given to the grid"] * bool(given)
        return f"{self.form}{of}: {', '.join(parts)}."

    def to_dict(self) -> dict[str, Any]:
        """JSON values; instants as ISO 8601 in Central time."""
        ends = self.record.ends
        return {
            "file": self.file,
            "form": self.form,
            "esiid": self.esiid,
            "quarter_hours": len(ends),
            "start": iso(seconds(ends[0]) - INTERVAL_S),
            "end": iso(seconds(ends[-1])),
            "estimated": int(np.count_nonzero(self.record.quality == Quality.VEE_ESTIMATED)),
            "left_out": self.left_out,
            "found": [one.to_dict() for one in self.found],
        }


def read_usage(path: Path, esiid: str = "") -> UsageFile:
    """Read a file. esiid: the one that is meant, where it has several. Raises RorError for a file of which nothing can be read."""
    tally = Tally(path.name, esiid.strip().lstrip("'"))
    grids = {channel: Grid() for channel in Channel}
    try:
        form = _reader(path, tally)(path, tally, grids)
    except OSError as error:
        raise tally.refuse("unreadable", f"{reason(error)}.", "Name a file that can be read.") from None
    read = tally.esiid()
    ends, wh, estimated = grids[Channel.LOAD].held(tally)
    if not len(ends):
        first = f" {tally.kinds[0]}" if tally.kinds else ""
        raise tally.refuse(
            "nothing", f"There is no value of consumption in it that can be read.{first}", "Export it anew."
        )
    record = from_vee(ends, wh, estimated, _given(grids[Channel.GENERATION], record_ends=ends, tally=tally))
    _tell_gaps(record, tally)
    _tell_doubtful(record, tally)
    return UsageFile(path.name, form, read, record, tally.kinds)


def _reader(path: Path, tally: Tally) -> _Reader:
    if path.is_dir() or path.is_char_device() or path.is_block_device():
        raise tally.refuse("unreadable", "It is no file.", "Name a file.")
    with path.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    if not head.strip():
        raise tally.refuse("empty", "The file is empty.", "Export it anew.")
    mend = "SMT's interval CSV, Green Button (XML) and LSE are read."
    if head.startswith((b"PK", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        raise tally.refuse("packed", "It is an archive or a spreadsheet.", f"Unpack it, or save it as CSV: {mend}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise tally.refuse("encoding", "It is text in UTF-16.", "Save it as CSV in UTF-8.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return read_green_button
    if _LSE.match(head):
        return read_lse
    if is_smt_csv(text.decode("utf-8", "replace").partition("\n")[0]):
        return read_smt_csv
    raise tally.refuse(
        "form",
        "Its form is not known by what it begins with.",
        f"{mend} A CSV begins with the names of its columns: {', '.join(NEEDED)}.",
        1,
    )


def _given(grid: Grid, record_ends: Any, tally: Tally) -> IntArray:
    """(n,) Wh given at the ends of the record."""
    ends, wh, _ = grid.held(tally)
    given = np.zeros(len(record_ends), np.int32)
    places = np.searchsorted(record_ends, ends)
    there = (places < len(record_ends)) & (record_ends[np.minimum(places, len(record_ends) - 1)] == ends)
    given[places[there]] = wh[there]
    alone = np.flatnonzero(~there)
    if len(alone):
        text = f"The quarter hour to {iso(seconds(ends[alone[0]]))} has surplus generation and no consumption."
        tally.tell("generation_alone", 0, text, "Export both channels.", len(alone))
    return given


def _tell_gaps(record: UsageRecord, tally: Tally) -> None:
    holes = record.holes(seconds(record.ends[0]) - INTERVAL_S, seconds(record.ends[-1]))
    if holes:
        count = sum(end - start for start, end in holes) // INTERVAL_S
        text = (
            f"{count:,} quarter hours are not in it, the first of them from {iso(holes[0][0])} to {iso(holes[0][1])}."
        )
        tally.tell("gap", 0, text, "What is missing is in no bill to date.", len(holes), left_out=False)


def _tell_doubtful(record: UsageRecord, tally: Tally) -> None:
    most = limits().interval_hard_maximum_wh
    beyond = np.flatnonzero(record.wh > most)
    if len(beyond):
        at = beyond[0]
        mend = "Look at the unit if that is no large service."
        text = f"The quarter hour to {iso(seconds(record.ends[at]))} has {kwh(int(record.wh[at]))} kWh, more than the {kwh(most)} kWh of a home's service."
        tally.tell("doubtful", 0, text, mend, len(beyond), left_out=False)
