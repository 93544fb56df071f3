"""``tdsp_file``: a file that the TDSP posts beside those of its days, sound or wrong in one thing, and what SMT answers to it."""

from __future__ import annotations

import functools
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from headend.day import posting
from headend.lse.writer import RESULT_SUFFIX, ResultRow, file_name, read_result_csv
from headend.lse.zoo import Animal, animals
from headend.ports import HeadEndError
from headend.vee.quality import Channel
from meters.calendar import epoch, iso, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.evidence import Evidence
from scenarios.parts.expected import COUNT, INSTANT, TEXT, TEXTS, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import Day, LocalTime
from scenarios.records.values import Count, Instant, Record
from simulator.input.mistakes import did_you_mean
from simulator.parties.headend import in_thread

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: After the upload, until the result codes are fetched: SMT takes a file in at once.
_FETCHED_AFTER_US = to_us(1)
#: Counters in the names of files that are posted so; the head-end's own begin at 1.
_FIRST_COUNTER = 900
#: By what a recording calls it, what is kept of a row of a result file.
_OF_A_ROW = {name: name for name in ("line", "esiid", "channel", "code", "text", "warnings")} | {"day": "operating_day"}
#: The file is not sound, and nothing of it is loaded.
_OF_THE_FILE = ("F1", "F2")


class TdspFile(Act):
    """The TDSP posts a file of its own making on SMT's file site: a day of the account's ESI ID, sound or wrong in one thing."""

    day: Day = Field(description="The operating day that it tells of.")
    wrong: str | None = Field(default=None, description="What is wrong with it: an id of headend/lse/zoo.yaml.")
    of: Literal["pair", "two_days", "twice"] = Field(
        default="pair",
        description="A sound file: load and generation of the day; two days of load; a day of load twice.",
    )
    made: LocalTime | None = Field(
        default=None, description="The records' own timestamp; 07:30 two days after the operating day unless given."
    )

    @model_validator(mode="after")
    def _in_the_zoo(self) -> Self:
        known = [one.id for one in animals()]
        if self.wrong is not None and self.wrong not in known:
            raise ValueError(f"there is no faulty file {self.wrong}; {did_you_mean(self.wrong, known)}")
        return self

    @property
    def animal(self) -> Animal:
        """How it is made."""
        sound = Animal("sound", "00", 0, "", self.of)
        return next((one for one in animals() if one.id == self.wrong), sound)


class RecordedAnswer(Record):
    """A row of a result file."""

    line: Count
    esiid: str
    channel: str
    day: str
    code: str
    text: str
    warnings: str


class RecordedFile(Record):
    """A file that was posted, and SMT's answer to it."""

    at: Instant
    file: str
    trouble: str
    answers: list[RecordedAnswer]


SeenFile = Seen[TdspFile, RecordedFile]


def _play(stage: Stage, action: TdspFile) -> Played:
    runtime, animal = stage.runtime, action.animal
    made_at = None if action.made is None else epoch(action.made)
    name, content = animal.file(site_duns := stage.world.tdsp.duns, stage.esiid(action), action.day, made_at)
    if not animal.name:
        place = [one.ref for one in stage.scenario.timeline].index(action.ref)
        name = file_name(site_duns, runtime.now(), _FIRST_COUNTER + place)
    left: dict[str, Any] = {"at": iso(runtime.now()), "file": name, "trouble": "", "answers": []}
    drop = stage.drop
    try:
        if drop is not None:
            told: bytes = yield runtime.io("post", action.ref, lambda: drop.post(name, content, action.ref))
            return left | {"answers": _answers(told)}
        yield runtime.io("post", action.ref, lambda: stage.sandbox.post(name, content), lane="smt")
        yield runtime.env.timeout(_FETCHED_AFTER_US)
        fetch = functools.partial(posting.download, stage.sandbox.site, name + RESULT_SUFFIX)
        told = yield runtime.io("results", action.ref, lambda: in_thread(fetch), lane="smt")
    except HeadEndError as error:
        return left | {"trouble": f"{error.code}: {error.message}"}
    return left | {"answers": _answers(told)}


def _answers(told: bytes) -> list[dict[str, Any]]:
    return [answer_of(row) for row in read_result_csv(told)]


def answer_of(row: ResultRow) -> dict[str, Any]:
    """A row of a result file as a recording has it."""
    return {name: getattr(row, of) for name, of in _OF_A_ROW.items()}


def loaded(evidence: Evidence, day: date) -> int:
    """How many files brought the account's consumption of a day, beside those of the daily posting."""
    key = ("00", evidence.esiid, str(int(Channel.LOAD)), day.isoformat())
    files = (evidence.action(RecordedFile, action.ref) for action in evidence.scenario.timeline)
    held = ({(one.code, one.esiid, one.channel, one.day) for one in file.answers} for file in files if file)
    return sum(key in answers for answers in held)


def _codes(seen: SeenFile) -> Counter[str]:
    return Counter(answer.code for answer in seen.record.answers) if seen.record else Counter()


def _first_bad(seen: SeenFile) -> RecordedAnswer | None:
    """The first record, or the file, that is not taken in."""
    return next((answer for answer in seen.record.answers if answer.code != "00"), None) if seen.record else None


def _field(seen: SeenFile) -> str | None:
    """What of it is wrong, as its answer begins."""
    bad = _first_bad(seen)
    field, colon, _ = ("", "", "") if bad is None else bad.text.partition(":")
    return field if colon else None


def _at_most_one(seen: SeenFile) -> str | None:
    return next((code for code in sorted(_codes(seen)) if code in _OF_THE_FILE), None)


def _tell(seen: SeenFile) -> str:
    if seen.record is None:
        return "Nothing recorded."
    if seen.record.trouble:
        return f"The file is not posted. {seen.record.trouble}"
    told = ", ".join(f"{code} {count} times" for code, count in sorted(_codes(seen).items()))
    bad = _first_bad(seen)
    return (
        f"{seen.record.file} is answered: {told or 'nothing'}.{'' if bad is None else f' Line {bad.line}: {bad.text}.'}"
    )


ROWS = (
    Row(
        "tdsp_file",
        "File of the TDSP",
        TdspFile,
        RecordedFile,
        _play,
        (
            Fact("posted", TRUTH, "whether SMT's site took the file", lambda seen: seen.record and not seen.record.trouble),
            Fact("trouble", TEXT, "why it did not", lambda seen: (seen.record and seen.record.trouble) or None),
            Fact("posted_at", INSTANT, "when it was posted", lambda seen: seen.record and seen.record.at),
            Fact("file", TEXT, "its name", lambda seen: seen.record and seen.record.file),
            Fact("codes", TEXTS, "result codes in it", lambda seen: seen.record and tuple(sorted(_codes(seen)))),
            Fact("file_code", TEXT, "the code that refuses the file: F1 or F2", _at_most_one),
            Fact("taken_in", COUNT, "records taken in", lambda seen: seen.record and _codes(seen)["00"]),
            Fact("turned_away", COUNT, "records, and faults of the file, that were not", lambda seen: seen.record and _codes(seen).total() - _codes(seen)["00"]),
            Fact("line", COUNT, "line of the first thing that is wrong", lambda seen: (bad := _first_bad(seen)) and bad.line),
            Fact("field", TEXT, "what is wrong there", _field),
            Fact("warned", COUNT, "answers with a warning", lambda seen: seen.record and sum(bool(one.warnings) for one in seen.record.answers)),
        ),
        _tell,
        required=("codes",),
    ),
)  # fmt: skip
