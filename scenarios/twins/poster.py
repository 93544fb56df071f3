"""What a TDSP's head-end posts of a day, written from docs/lse-format.md and docs/parties.md alone; beside headend.py, which it starts and which answers inquiries.

    python -I poster.py --smt URL --ftps HOST:PORT --ca FILE --truth FILE --duns N [--post ID] [--faults FILE] [OPTION of headend.py...]

The time is SMT's (GET /control/clock). From six in the morning on it posts the day before of every ESI ID of --truth (esiid, end, wh, register_wh,
known_from), as soon as --ca is there, which says whose certificates are good; its log-in stands in AMI_TDSP_USERNAME and AMI_TDSP_PASSWORD. A quarter hour
that is not known yet is estimated by the mean of the day; once it is, the day is posted again. A fault is a row of poster_faults.json: ``be`` is what it
is instead of HONEST.
"""

import argparse
import csv
import ftplib
import io
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, DAY, QUARTER_S, MORNING = ZoneInfo("America/Chicago"), timedelta(days=1), 900, 6
Json = dict[str, Any]
#: hole, double: an interval left out, told twice; twice: a record; shift: quarter hours by which values are late; of_96: every day; by: instead of 1,000 Wh;
#: stranger: another ESI ID in place of the last; fewer: of them are left out; swapped: two change places; contents: files of a day that differ; plain: nothing
#: is marked as estimated; revises: what it had estimated; stop_wh: more in the stop reading; prefix: of a name; ahead_s: of the timestamp; value, letter: of
#: the first interval; channel: of every record; estimate: Wh of each; times: the multiplier; gives: the load is told as generation too.
HONEST: Json = {"hole": False, "double": False, "twice": False, "shift": 0, "of_96": False, "by": 1000, "stranger": ""}
HONEST |= {"fewer": 0, "swapped": False, "contents": 1, "plain": False, "revises": True, "stop_wh": 0, "prefix": ""}
HONEST |= {"ahead_s": 0, "value": None, "letter": "", "channel": 4, "estimate": None, "times": 1, "gives": False}


class DataChannel(ssl.SSLSocket):
    """One whose peer may end it without TLS's goodbye."""

    def unwrap(self) -> ssl.SSLSocket:
        with suppress(OSError):
            super().unwrap()
        return self


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=CENTRAL).timestamp())


class Poster:
    """What it knows and has posted."""

    def __init__(self, asked: argparse.Namespace, be: Json) -> None:
        self.asked, self.be, self.number = asked, HONEST | be, 0
        #: By ESI ID and end: Wh, the register, and since when that is known.
        self.held: dict[str, dict[int, tuple[int, int, float]]] = {}
        for row in csv.DictReader(asked.truth.read_text("utf-8").splitlines()):
            end = int(datetime.fromisoformat(row["end"]).timestamp())
            known = datetime.fromisoformat(row["known_from"]).timestamp() if row["known_from"] else end
            self.held.setdefault(row["esiid"], {})[end] = (int(row["wh"]), int(row["register_wh"]), known)
        #: Days that were posted, and how many quarter hours of them were estimated.
        self.posted: dict[date, int] = {}

    def now(self) -> datetime:
        with urllib.request.urlopen(f"{self.asked.smt}/control/clock", timeout=10) as reply:
            return datetime.fromisoformat(json.load(reply)["now"]).astimezone(CENTRAL)

    def due(self, now: datetime) -> Iterator[date]:
        """Days that are to be posted, for the first time or again."""
        yesterday = now.date() - DAY
        if now.hour >= MORNING and yesterday not in self.posted:
            yield yesterday
        for day, estimated in list(self.posted.items()):
            if estimated and self.be["revises"] and not self.missing(day, now):
                yield day

    def missing(self, day: date, now: datetime) -> int:
        """How many quarter hours of a day are not known yet."""
        ends = range(midnight(day) + QUARTER_S, midnight(day + DAY) + 1, QUARTER_S)
        return sum(its[end][2] > now.timestamp() for its in self.held.values() for end in ends if end in its)

    def record(self, esiid: str, day: date, now: datetime, plus: int) -> str:
        """One ESI ID's day. plus: Wh more in what is estimated."""
        be, its, first, last = self.be, self.held[esiid], midnight(day), midnight(day + DAY)
        ends = list(range(first + QUARTER_S, last + 1, QUARTER_S))
        if be["of_96"]:
            ends = (ends + ends[-4:])[:96]
        known = [its[end][0] for end in ends if its[end][2] <= now.timestamp()]
        told = []
        for end in ends:
            wh, _, since = its.get(end - QUARTER_S * be["shift"], its[end])
            sure = since <= now.timestamp()
            mean = sum(known) // max(1, len(known)) if be["estimate"] is None else be["estimate"]
            value = wh if sure else mean + plus
            told.append([f"{value / be['by']:.3f}", "A" if sure or be["plain"] else "E"])
        told[0] = [told[0][0] if be["value"] is None else be["value"], be["letter"] or told[0][1]]
        told = told[:40] + told[41:] if be["hole"] else told[:40] + told[39:] if be["double"] else told
        start = its[ends[0]][1] - its[ends[0]][0]
        stop = its[last][1] + be["stop_wh"]
        made = now + timedelta(seconds=be["ahead_s"])
        whose = be["stranger"] if be["stranger"] and esiid == max(self.held) else esiid
        rows = [
            f"00000001,{whose},{be['channel']},{day:%Y%m%d}000000,{day:%Y%m%d}235900,Y,N",
            f"00000002,{start / 1000:.3f},{stop / 1000:.3f},{be['times']},0,1,0,900,01,,,,",
            "00000003,",
            f"00000004,{made:%Y%m%d%H%M%S},M",
            "10000000," + ",".join(f"{value},{letter}," for value, letter in told),
        ]
        return "".join(f"{row}\n" for row in rows)

    def file(self, day: date, now: datetime, plus: int = 0) -> bytes:
        """A day of all ESI IDs."""
        ids = sorted(one for one, its in self.held.items() if midnight(day + DAY) in its)
        kept = ids[: len(ids) - self.be["fewer"]]
        texts = [self.record(esiid, day, now, plus) for esiid in kept]
        texts += [text.replace(",4,", ",1,", 1) for text in texts if self.be["gives"]]
        if self.be["swapped"]:
            texts[0], texts[1] = texts[0].replace(kept[0], kept[1]), texts[1].replace(kept[1], kept[0])
        return "".join(texts + texts[:1] * self.be["twice"]).encode("ascii")

    def post(self, day: date, now: datetime) -> None:
        """Log in, send, rename."""
        tls = ssl.create_default_context(cafile=self.asked.ca)
        tls.sslsocket_class = DataChannel
        host, _, port = self.asked.ftps.rpartition(":")
        with ftplib.FTP_TLS(context=tls, timeout=10) as ftp:
            ftp.connect(host, int(port))
            ftp.login(os.environ["AMI_TDSP_USERNAME"], os.environ["AMI_TDSP_PASSWORD"])
            ftp.prot_p()
            for content in range(self.be["contents"]):
                self.number += 1
                name = f"{self.be['prefix']}{self.asked.duns}IntervalData{now:%Y%m%d%H%M%S}{self.number:03}.lse"
                ftp.storbinary(f"STOR {name}.part", io.BytesIO(self.file(day, now, content)))
                ftp.rename(f"{name}.part", name)
                print(json.dumps({"event": "posted", "name": name}), flush=True)

    def work(self) -> None:
        """Look at the clock, and post what is due while there is somebody to trust."""
        try:
            if not self.asked.ca.exists():
                return
            now = self.now()
            for day in self.due(now):
                ends = midnight(day + DAY)
                if any(ends in its for its in self.held.values()):
                    self.post(day, now)
                self.posted[day] = self.missing(day, now)
        except (OSError, EOFError, ftplib.Error) as error:
            print(json.dumps({"event": "not posted", "why": repr(error), "at": str(datetime.now(UTC))}), flush=True)


def main() -> None:
    """Post until it is killed, the head-end beside it."""
    words = argparse.ArgumentParser(description="What a stranger's head-end posts.", allow_abbrev=False)
    for name in ("smt", "ftps", "duns"):
        words.add_argument(f"--{name}", required=True)
    for name in ("ca", "truth"):
        words.add_argument(f"--{name}", type=Path, required=True)
    words.add_argument("--post", default="", help="ID of --faults: what it posts wrongly")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("poster_faults.json"))
    asked, others = words.parse_known_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    if asked.post and asked.post not in faults:
        words.error(f"there is no {asked.post}: write one of {', '.join(faults)}")
    beside = [sys.executable, "-I", str(Path(__file__).with_name("headend.py")), "--truth", str(asked.truth), *others]
    poster = Poster(asked, faults[asked.post]["fault"]["be"] if asked.post else {})
    with subprocess.Popen(beside) as headend:
        try:
            while headend.poll() is None:
                poster.work()
                time.sleep(0.1)
        finally:
            headend.terminate()


if __name__ == "__main__":
    main()
