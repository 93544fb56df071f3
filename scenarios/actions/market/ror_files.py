"""``ror_files``: a ROR looks into its folder at SMT's file site."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pydantic import Field

from headend.lse.writer import LseRecord, read
from headend.vee.quality import Channel
from meters.calendar import parse_us_date
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.requests import AtMarket
from scenarios.parts.expected import COUNT, LACKING, TEXTS, Fact, Lacking
from scenarios.records.values import Count, Record

if TYPE_CHECKING:
    from scenarios.stage import Stage


class RorFiles(AtMarket):
    """A ROR or the CSP looks into its folder at SMT's file site: LSE and CSV files."""


class FolderLoad(Record):
    """A record of a load, in an LSE file: the digest of its intervals."""

    esiid: str
    day: str
    digest: str


class FolderFile(Record):
    """A file: days of ESI IDs that it holds, and of whom it holds what is not the folder's owner's; and its loads."""

    name: str
    records: Count
    esiids: list[str]
    days: list[str]
    foreign: list[str]
    loads: list[FolderLoad] = Field(default_factory=list)


class RecordedFolder(Record):
    """What lay in the folder, by name."""

    files: list[FolderFile] = Field(default_factory=list)


def _play(stage: Stage, action: RorFiles) -> Played:
    username = action.by(stage.scenario)
    lying = yield from stage.lying(username, action.ref)
    registry, user = stage.sandbox.market.registry, stage.sandbox.market.registry.users[username]
    found: list[dict[str, Any]] = []
    for name, content in lying:
        records = list(read(content, name).records) if name.endswith(".lse") else []
        held = [(one.esiid, one.day) for one in records] or _rows(name, content)
        foreign = {esiid for esiid, day in held if not registry.may_see(user, esiid, day)}
        found.append(
            {
                "name": name,
                "records": len(held),
                "esiids": sorted({esiid for esiid, _ in held}),
                "days": sorted({day.isoformat() for _, day in held}),
                "foreign": sorted(foreign),
                "loads": [_load(one) for one in records if one.channel is Channel.LOAD],
            }
        )
    return {"files": found}


def digest_of(wh: Iterable[int], estimated: Iterable[bool]) -> str:
    """The digest of a day's intervals: Wh, and which are estimated."""
    told = " ".join(f"{int(one)}{'AE'[bool(guess)]}" for one, guess in zip(wh, estimated, strict=True))
    return blake2b(told.encode(), digest_size=12).hexdigest()


def _load(one: LseRecord) -> dict[str, str]:
    return {"esiid": one.esiid, "day": one.day.isoformat(), "digest": digest_of(one.wh, one.estimated)}


def _rows(name: str, content: bytes) -> list[tuple[str, date]]:
    """ESI ID and operating day of what a CSV file holds: the rows of a day are one."""
    if not name.endswith(".CSV"):
        return []
    rows = csv.DictReader(io.StringIO(content.decode("utf-8")))
    return list({(row["ESIID"].lstrip("'"), parse_us_date(row["USAGE_DATE"])): None for row in rows})


def _all(name: str) -> Any:
    return lambda seen: (
        seen.record and tuple(sorted({one for file in seen.record.files for one in getattr(file, name)}))
    )


def _foreign(seen: Seen[RorFiles, RecordedFolder]) -> tuple[str, ...] | Lacking | None:
    """Of a folder without a record nothing is shown."""
    if seen.record is not None and not any(file.records for file in seen.record.files):
        return LACKING
    found: tuple[str, ...] | None = _all("foreign")(seen)
    return found


def _files(suffix: str) -> Any:
    return lambda seen: seen.record and sum(1 for file in seen.record.files if file.name.endswith(suffix))


def _tell(seen: Seen[RorFiles, RecordedFolder]) -> str:
    if seen.record is None:
        return "Nothing recorded."
    return f"{len(seen.record.files)} files of {len(_all('days')(seen))} days lie in the folder."


ROWS = (
    Row(
        "ror_files",
        "Files of the ROR",
        RorFiles,
        RecordedFolder,
        _play,
        (
            Fact("files", COUNT, "files", _files("")),
            Fact("lse", COUNT, "LSE files", _files(".lse")),
            Fact("csv", COUNT, "CSV files", _files(".CSV")),
            Fact("records", COUNT, "records: days of a channel of an ESI ID", lambda seen: seen.record and sum(one.records for one in seen.record.files)),
            Fact("esiids", TEXTS, "ESI IDs", _all("esiids"), shown=False),
            Fact("meters", COUNT, "ESI IDs, how many", lambda seen: seen.record and len(_all("esiids")(seen))),
            Fact("days", TEXTS, "operating days", _all("days")),
            Fact("foreign", TEXTS, "ESI IDs that the owner may not see", _foreign),
            Fact("holds_account", COUNT, "files that hold the account's ESI ID", lambda seen: seen.record and sum(seen.evidence.esiid in one.esiids for one in seen.record.files)),
        ),
        _tell,
    ),
)  # fmt: skip
