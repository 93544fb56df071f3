"""An implementation that answers the vectors of scenarios/profile, written from docs/balance-desk.md, docs/plans.md, docs/portal-api.md and docs/parties.md alone.

    python -I scenarios/profile/run.py --target "python -I scenarios/twins/vectors.py [--fault ID|ID/near] [--faults FILE]"

It reads vectors, a line of JSON each, and answers each with a line: the gap, a day and its quarter hours, bills without export (by bills.py), what a
head-end's answer is held to. Of the rest it says that it cannot. A fault is a row of vectors_faults.json: ``be`` is what it is instead of HONEST.
"""

import argparse
import json
import runpy
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, QUARTER, DAY = ZoneInfo("America/Chicago"), timedelta(minutes=15), timedelta(days=1)
Json = dict[str, Any]
at = datetime.fromisoformat
#: limit: quarter hours that are served; elapsed: or by the wall's clock; reach: of the gap, also a quarter hour that is not over; cut: of a long gap the
#: latest part; always_96: quarter hours of a day; rounding: of a line; deaf: rules for answers that it does not know.
HONEST: Json = {"limit": 192, "elapsed": True, "reach": 0, "cut": "oldest", "always_96": False, "utc": True}
HONEST |= {"rounding": ROUND_HALF_UP, "deaf": []}
billed = runpy.run_path(str(Path(__file__).with_name("bills.py")))["bill"]


def local(when: datetime) -> str:
    return when.astimezone(CENTRAL).isoformat()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


@cache
def ends_of(day: date) -> list[datetime]:
    """Where a day's quarter hours end, local."""
    count = (midnight(day + DAY) - midnight(day)) // QUARTER
    return [(midnight(day) + number * QUARTER).astimezone(CENTRAL) for number in range(1, count + 1)]


def gap(of: Json, be: Json) -> Json:
    """From the end of the VEE data to the last whole quarter hour; of a long one the latest 48 hours."""
    vee, now = (at(of[name]).astimezone(UTC) for name in ("vee_to", "now"))
    end = now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    end += be["reach"] * QUARTER
    if end <= vee:
        return {"intervals": 0, "uncovered": []}
    back = end - be["limit"] * QUARTER
    if not be["elapsed"]:
        wall = end.astimezone(CENTRAL).replace(tzinfo=None) - be["limit"] * QUARTER
        back = wall.replace(tzinfo=CENTRAL).astimezone(UTC)
    start = max(vee, back)
    uncovered = [{"start": local(vee), "end": local(start)}] if start > vee else []
    if be["cut"] == "latest" and uncovered:
        uncovered = [{"start": local(vee + (end - start)), "end": local(end)}]
        start, end = vee, vee + (end - start)
    return {"start": local(start), "end": local(end), "intervals": (end - start) // QUARTER, "uncovered": uncovered}


def slots(day: date) -> list[int]:
    """Which of RD's 100 slots a day fills: from its beginning up to the twelfth, from its end down to it."""
    count = len(ends_of(day))
    return [*range(12 if count == 100 else 8), *range(100 - (count - (12 if count == 100 else 8)), 100)]


def day(of: Json, be: Json) -> Json:
    on = date.fromisoformat(of["day"])
    count = 96 if be["always_96"] else len(ends_of(on))
    edges = {"begins": local(midnight(on)), "ends": local(midnight(on) + count * QUARTER)}
    return edges | {"intervals": count, "slots": [*range(8), *range(12, 100)] if be["always_96"] else slots(on)}


def quarter(of: Json, be: Json) -> Json:
    on, number = date.fromisoformat(of["day"]), of["number"]
    if not be["utc"]:
        wall = datetime.combine(on, datetime.min.time()) + number * QUARTER
        return {"end": wall.replace(tzinfo=CENTRAL).isoformat(), "slot": slots(on)[number - 1]}
    return {"end": local(ends_of(on)[number - 1]), "slot": slots(on)[number - 1]}


def bill(of: Json, be: Json) -> Json:
    told: Json = billed(of, {"be": {"rounding": be["rounding"]}})
    return told


def broken(of: Json) -> Iterator[str]:
    """The rules of docs/parties.md that an answer breaks, in the table's order."""
    asked, told, now, may = of["inquiry"], of["answer"], at(of["now"]), of["inquiry"]["meterAllowed"]
    its, reads, done = told.get("intervals", []), told.get("meterReads", 0), told["outcome"] == "completed"
    if not may and (reads or any(one["source"] == "meter" for one in its)):
        yield "METER-NOT-ALLOWED"
    if asked["kind"] == "INTERVALS":
        start, end = at(asked["start"]), at(asked["end"])
        wanted = [start + n * QUARTER for n in range(1, (end - start) // QUARTER + 1)]
        ends = Counter([at(one["end"]) for one in its] + [at(one) for one in told.get("missing", [])])
        off = [one for one in ends if one.timestamp() % 900]
        meant = {datetime.fromtimestamp(round(one.timestamp() / 900) * 900, UTC) for one in off}
        lacking = [one for one in wanted if one not in ends and one not in meant]
        beyond = told.get("partial")
        tests = {
            "SOURCE-NOT-READ": not reads and any(one["source"] == "meter" for one in its),
            "COLLECTED-EARLY": any(at(one["collectedAt"]) < at(one["end"]) for one in its),
            "COLLECTED-AHEAD": any(at(one["collectedAt"]) > now + timedelta(seconds=300) for one in its),
            "OFF-QUARTER": bool(off),
            "DUPLICATE": any(count > 1 and one in wanted for one, count in ends.items()),
            "HOLE": done and bool(lacking),
            "REACHES-PAST-HOLE": bool(lacking)
            and bool(told.get("reachesTo"))
            and at(told["reachesTo"]) > lacking[0] - QUARTER,
            "SURPLUS": any(one not in wanted and one not in off for one in ends),
            "PARTIAL-AT": bool(beyond) and not at(beyond["from"]) == end <= at(beyond["asOf"]),
            "ENERGY-SIZE": any(one["wh"] > of["most_wh"] for one in its),
            "ENERGY-SIGN": any(one["wh"] < 0 for one in its),
        }
        yield from (rule for rule, breaks in tests.items() if breaks)
    elif asked["kind"] == "REGISTER" and done:
        read, earliest = told.get("register"), at(asked["submitted"]) - timedelta(seconds=180)
        if read is None:
            yield "NO-REGISTER"
        elif not earliest <= at(read["at"]) <= now + timedelta(hours=1):
            yield "REGISTER-AT"
    elif asked["kind"] == "POWER" and done:
        power = told.get("power") or {"status": "UNKNOWN"}
        if power["status"] == "UNKNOWN":
            yield "POWER-UNKNOWN"
        elif power["source"] != {"ON": "reply", "OFF": "event"}[power["status"]]:
            yield "POWER-UNBACKED"
    if of["ack"] is not None and of["ack"]["correlationId"] != asked["correlationId"]:
        yield "OTHER-ID"
    if "again" in of and content(of["again"]) != content(told):
        yield "SECOND-ANSWER"


def content(value: Any) -> Any:
    """What an answer says, however its instants are written."""
    if isinstance(value, dict):
        return {name: content(one) for name, one in value.items()}
    if isinstance(value, list):
        return [content(one) for one in value]
    return at(value).timestamp() if isinstance(value, str) and value[10:11] == "T" else value


NOT_FATAL = {"SURPLUS", "PARTIAL-AT", "ENERGY-SIZE", "ENERGY-SIGN", "OTHER-ID", "SECOND-ANSWER"}


def answer(of: Json, be: Json) -> Json:
    if not 0 <= of["answer"].get("meterReads", 0) <= 1000:
        return {"rules": ["MALFORMED"], "ends": "expired"}
    rules = [rule for rule in broken(of) if rule not in be["deaf"]]
    return {"rules": rules, "ends": "failed" if set(rules) - NOT_FATAL else of["answer"]["outcome"]}


def main() -> None:
    words = argparse.ArgumentParser(description="An implementation of a stranger: it answers vectors.")
    words.add_argument("--fault", "--mutant", default="", help="ID or ID/near of --faults")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("vectors_faults.json"))
    asked = words.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    ident, _, which = asked.fault.partition("/")
    if asked.fault and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    be = HONEST | (faults[ident][which or "fault"]["be"] if ident else {})
    kinds = {"gap": gap, "day": day, "quarter": quarter, "bill": bill, "answer": answer}
    for line in sys.stdin:
        vector = json.loads(line)
        told = kinds[vector["kind"]](vector["in"], be) if vector["kind"] in kinds else {"cannot": "it is no such thing"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
