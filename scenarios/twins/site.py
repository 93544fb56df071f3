"""SMT's intake of what a TDSP posts, written from docs/lse-format.md and docs/smt-market-api.md alone.

    python -I site.py --records FILE --inbox DIR --held FILE --clock URL [--fault ID|ID/near] [--faults FILE]
    python -I site.py --vectors [--fault ID]

It has no FTPS: a file that is laid into --inbox under its name is taken in (NAME.part is not), and answered in NAME.result.csv. What is loaded stands in
--held for smt.py, and each retailer of record on a record's day gets its own as <DUNS of the TDSP>IntervalData<time><3 digits>.lse in --inbox/<its DUNS>.
--records is smt.py's. With --vectors it answers those of scenarios/profile that are LSE files, a line of JSON each. A fault is a row of site_faults.json:
``be`` is what it is instead of HONEST.
"""

import argparse
import csv
import json
import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, DAY, QUARTER = ZoneInfo("America/Chicago"), timedelta(days=1), timedelta(minutes=15)
Json = dict[str, Any]
Found = tuple[str, int, str]
Rows = list[tuple[int, list[str]]]
TEXT = {"F1": "more than 50,000 data records", "F2": "mandatory element missing", "00": "loaded", "01": "bad value"}
TEXT |= {"02": "bad format", "03": "not a full day", "04": "future-dated", "05": "a more recent read is already held"}
#: deaf: codes that it does not tell; says: others in place of some; own: by which day a record's retailer is; day: quarter hours; replaces: a later revision.
HONEST: Json = {"deaf": [], "says": {}, "own": "record", "day": 0, "ahead_s": 300, "sum_kwh": 2, "replaces": True}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


def instant(text: str) -> datetime | None:
    """A local time of 14 digits, if there is such a one."""
    try:
        naive = datetime.strptime(text, "%Y%m%d%H%M%S") if re.fullmatch(r"[0-9]{14}", text) else None
    except ValueError:
        return None
    there = naive and naive.replace(tzinfo=CENTRAL).astimezone(UTC).astimezone(CENTRAL)
    return there if there and there.replace(tzinfo=None) == naive else None


def number(text: str, most: str) -> str:
    """The code of what is wrong with kWh, or nothing."""
    if not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", text, re.ASCII):
        return "02"
    value = Decimal(text)
    return "01" if value < 0 or value > Decimal(most) or value * 1000 % 1 else ""


class Intake:
    """One file after the other, and what is held of those before."""

    def __init__(self, be: Json, esiids: set[str], duns: str) -> None:
        self.be, self.esiids, self.duns = HONEST | be, esiids, duns
        #: By ESI ID, channel and day: when made, registers, intervals, lines.
        self.held: dict[tuple[str, str, date], Json] = {}

    def take(self, name: str, content: str, now: datetime) -> tuple[list[Found], list[tuple[Rows, str, str]]]:
        """What is found of a file, and its records: rows, result code, what is doubtful; before them what stands outside of any."""
        found: list[Found] = []
        made = re.fullmatch(r"(\d{9}|\d{13})IntervalData(\d{14})\d{3}\.lse", name, re.ASCII)
        if not made or made[1] != self.duns or not instant(made[2]):
            found.append(("F2", 0, "file name"))
        if content.startswith("\ufeff"):
            content = content[1:]
            found.append(("00", 1, "file"))
        records, broken = self.records(content)
        misnamed, found = bool(found and found[0][0] == "F2"), found + broken
        results = [([(line, list[str]())], code, "") for code, line, _ in self.said(found) if code != "00"]
        for rows in records:
            told = list(self.looked_at(rows))
            told += [] if misnamed or any(one[0] != "00" for one in told) else self.decided(rows, now)
            said = self.said(told)
            code = next((one[0] for one in said if one[0] != "00"), "00")
            results += [] if misnamed else [(rows, code, "; ".join(field for one, _, field in said if one == "00"))]
            found += told
        return self.said(found), results

    def said(self, found: list[Found]) -> list[Found]:
        """What is told of what is found."""
        says = self.be["says"]
        return [(says.get(one, one), *at) for one, *at in found if says.get(one, one) not in self.be["deaf"]]

    def records(self, content: str) -> tuple[list[Rows], list[Found]]:
        """The rows of each whole record with their lines, and what stands where it should not."""
        lines = content.split("\n")
        ends_whole = lines[-1] == ""
        rows = [(at, line.removesuffix("\r").split(",")) for at, line in enumerate(lines, 1) if line.strip()]
        last = len(lines) - ends_whole
        records: list[Rows] = []
        found: list[Found] = []
        open_rows: Rows = []
        skipping, count = False, 0
        for at, fields in rows:
            code, begins = fields[0], fields[0] == "00000001"
            count += begins
            if count > 50_000:
                return [], [("F1", at, "file")]
            if skipping and not begins:
                continue
            if begins and len(open_rows) >= 5:
                records.append(open_rows)
                open_rows = []
            step = len(open_rows)
            known = re.fullmatch(r"0000000[1-4]|[1-9]\d{7}", code, re.ASCII)
            right = code == f"0000000{step + 1}" if step < 4 else bool(known) and code[0] != "0"
            skipping = not right
            if right:
                open_rows.append((at, fields))
                continue
            found.append(("02" if step and not known else "F2", at, "sort code"))
            skipping, open_rows = not begins, [(at, fields)] if begins else []
        if len(open_rows) >= 5:
            records.append(open_rows)
        elif open_rows:
            found.append(("F2", last, "sort code" if ends_whole else "file"))
        if not rows:
            found.append(("F2", last, "file"))
        if open_rows and not ends_whole and len(open_rows) >= 5 and (len(open_rows[-1][1]) - 1) % 3 != 0:
            records.pop()
            found.append(("F2", last, "file"))
        return records, found

    def looked_at(self, rows: Rows) -> Iterator[Found]:
        """What is wrong with a record's fields."""
        widths = (7, 13, 2, 3)
        for (at, fields), width in zip(rows, widths, strict=False):
            if len(fields) != width:
                yield "02", at, "fields"
                return
        (at, head), (at2, registers), _, (at4, stamp) = rows[:4]
        known = "" if re.fullmatch(r"[0-9]{17,22}", head[1]) and head[1] in self.esiids else "01"
        checks = [(at, head[1], "ESIID", known), (at, head[2], "channel", "" if head[2] in ("1", "4") else "01")]
        checks += [(at, head[3], "start", "" if instant(head[3]) else "02")]
        checks += [(at, head[4], "stop", "" if instant(head[4]) else "02")]
        checks += [
            (at, head[5], "Y", "" if head[5] == "Y" else "01"),
            (at, head[6], "N", "" if head[6] == "N" else "01"),
        ]
        checks += [(at2, registers[7], "interval length", "" if registers[7] == "900" else "01")]
        checks += [(at4, stamp[1], "timestamp", "" if instant(stamp[1]) else "02")]
        yield from ((code if text else "F2", line, name) for line, text, name, code in checks if code)
        for text, name in zip(registers[1:3], ("start reading", "stop reading"), strict=True):
            if text and (code := number(text, "1000000000000")):
                yield code, at2, name
        if registers[3] and not registers[3].isdecimal():
            yield "01", at2, "meter multiplier"
        if registers[8] != "01":
            yield "00", at2, "unit of measure"
        if stamp[2] != "M":
            yield "00", at4, "origin"
        start, stop = instant(head[3]), instant(head[4])
        if (
            start
            and stop
            and (head[3][8:] != "000000" or head[4] not in (head[3][:8] + "235900", head[3][:8] + "235959"))
        ):
            yield "03", at, "start, stop"
            return
        yield from self.intervals(rows, start)

    def intervals(self, rows: Rows, start: datetime | None) -> Iterator[Found]:
        """What is wrong with the intervals, and how many there are."""
        count, before = 0, ""
        for at, fields in rows[4:]:
            if fields[0] <= before:
                yield "00", at, "sort code"
            before, told = fields[0], fields[1:]
            if len(told) % 3 or not 1 <= len(told) // 3 <= 100:
                yield "02", at, "intervals"
                return
            for one in range(0, len(told), 3):
                count += 1
                value, status, began = told[one : one + 3]
                if code := number(value, "2147483.647") if value else "01":
                    yield code, at, f"value {count}"
                if status not in ("A", "E"):
                    yield "01", at, f"status {count}"
                if began and not instant(began):
                    yield "02", at, f"start-time {count}"
        day = start.date() if start else None
        wanted = self.be["day"] or (day and (midnight(day + DAY) - midnight(day)) // QUARTER)
        if wanted and count != wanted:
            yield "03", rows[0][0], "intervals"

    def decided(self, rows: Rows, now: datetime) -> Iterator[Found]:
        """What needs a clock and what is held; then it is loaded."""
        (at, head), (_, registers), _, (_, stamp) = rows[:4]
        day, made = day_of(head), instant(stamp[1])
        latest = now + timedelta(seconds=self.be["ahead_s"])
        if midnight(day + DAY) > now or (made and made > latest):
            yield "04", at, "stop, timestamp"
            return
        key = (head[1], head[2], day)
        intervals = [one for _, fields in rows[4:] for one in zip(*[iter(fields[1:])] * 3, strict=True)]
        held = self.held.get(key)
        if held and held["made"] > stamp[1]:
            yield "05", at, "timestamp"
            return
        if held and held["made"] == stamp[1]:
            yield "00", at, "record"
        multiplier, total = int(registers[3] or 1), sum(Decimal(value) for value, *_ in intervals)
        if all(registers[1:3]):
            went = Decimal(registers[2]) - Decimal(registers[1])
            ways = [went, *(went + turn for turn in (100_000, 1_000_000) if went < 0)]
            if all(abs(way * multiplier - total) > self.be["sum_kwh"] * multiplier for way in ways):
                yield "00", at, "readings"
        before = self.held.get((head[1], head[2], day - DAY))
        if before and before["stop"] and registers[1] and Decimal(before["stop"]) != Decimal(registers[1]):
            yield "00", at, "start reading"
        told = [f"{Decimal(value):.3f}".removeprefix("0") + f"-{status}" for value, status, _ in intervals]
        if not held or self.be["replaces"]:
            self.held[key] = {"made": stamp[1], "stop": registers[2], "intervals": told}


def day_of(head: list[str]) -> date:
    return date.fromisoformat(f"{head[3][:4]}-{head[3][4:6]}-{head[3][6:8]}")


def taken_in(intake: Intake, path: Path, records: Json, held: Path, now: datetime) -> None:
    """A file: its result codes, what is held, and each retailer's share."""
    answers: list[list[Any]] = [["line", "esiid", "channel", "operating_day", "code", "text", "warnings"]]
    shares: dict[str, str] = {}
    today = now.astimezone(CENTRAL)
    for rows, code, doubts in intake.take(path.name, path.read_text("utf-8", "replace"), now)[1]:
        head = [*rows[0][1], *[""] * 4]
        day = f"{head[3][:4]}-{head[3][4:6]}-{head[3][6:8]}".strip("-")
        answers.append([rows[0][0], *head[1:3], day, code, TEXT[code], doubts])
        of = answers[-1][3] if intake.be["own"] == "record" else today.date().isoformat()
        rors = records["points"].get(head[1], {}).get("rors", [])
        duns = next((duns for duns, first, last in rors if first <= of <= last), "") if code == "00" else ""
        if duns:
            shares[duns] = shares.get(duns, "") + "".join(",".join(fields) + "\n" for _, fields in rows)
    told: Json = {}
    for (esiid, channel, on), one in intake.held.items():
        told.setdefault(esiid, {}).setdefault(channel, {})[on.isoformat()] = one
    held.write_text(json.dumps(told), "utf-8")
    for duns, share in shares.items():
        folder = path.parent / duns
        folder.mkdir(exist_ok=True)
        name = f"{records['tdsp']}IntervalData{today:%Y%m%d%H%M%S}{len(list(folder.iterdir())) + 1:03}.lse"
        (folder / name).write_text(re.sub(intake.be.get("hides", "^$"), ",0.001,", share), "utf-8")
    with path.with_name(f"{path.name}.result.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(answers[: intake.be.get("rows")])
    say(event="taken in", name=path.name, codes=[one[4] for one in answers[1:]])


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    words = argparse.ArgumentParser(description="SMT's intake of a stranger.")
    for name in ("records", "inbox", "held"):
        words.add_argument(f"--{name}", type=Path)
    for name in ("clock", "fault"):
        words.add_argument(f"--{name}", default="")
    words.add_argument("--vectors", action="store_true")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("site_faults.json"))
    asked = words.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    ident, _, which = asked.fault.partition("/")
    if asked.fault and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    be = faults[ident][which or "fault"]["be"] if ident else {}
    for line in sys.stdin if asked.vectors else ():
        vector = json.loads(line)
        of, told = vector["in"], dict[str, Any](cannot="it is no LSE file")
        if vector["kind"] == "lse":
            intake, content = Intake(be, set(of["esiids"]), of["duns"]), of["content"] * of["times"]
            found = intake.take(of["name"], content, datetime.fromisoformat(of["at"]))[0]
            told = {"findings": [dict(zip(("code", "line", "field"), one, strict=True)) for one in found]}
        say(**told)
    if asked.vectors:
        return
    if not (asked.records and asked.inbox and asked.held and asked.clock):
        words.error("it needs --records, --inbox, --held and --clock, or --vectors")
    records = json.loads(asked.records.read_text("utf-8"))
    intake = Intake(be, set(records["points"]), records["tdsp"])
    say(event="ready", inbox=str(asked.inbox))
    while True:
        for path in sorted(asked.inbox.glob("*.lse")):
            if not path.with_name(f"{path.name}.result.csv").exists():
                with urllib.request.urlopen(f"{asked.clock}/control/clock", timeout=10) as reply:
                    now = datetime.fromisoformat(json.load(reply)["now"])
                taken_in(intake, path, records, asked.held, now)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
