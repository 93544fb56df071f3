"""The path of a read from meter to file as stations with counts: what each says, and whether it keeps up. Pure: answers in, stations out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.console.runs import standing_of

#: Wall seconds behind its clock from which on a bed does not keep up.
BEHIND_S = 1.0


class Station(NamedTuple):
    """A place on the path. ``tone``: ``ok``, ``behind`` or ``stopped``; ``word``: the same in words; ``counts``: what is counted there, by name."""

    name: str
    page: str
    tone: str
    word: str
    counts: Sequence[tuple[str, str]]


def stations(told: Mapping[str, Any]) -> list[Station]:
    """The stations, in the order in which a read goes by. told: what the calls of the picture's page answered."""
    return [_meters(told), _head_end(told), _vee(told), _files(told), _smt(told), _throttle(told)]


def requests_of(counts: Mapping[str, Any]) -> dict[str, int]:
    """Requests by where they stand."""
    return {one["state"]: one["count"] for one in counts["requests"]}


def _meters(told: Mapping[str, Any]) -> Station:
    counts = told["meters"]["counts"]
    return Station(
        "Meters",
        "meters",
        "ok",
        "answering",
        [(name, f"{counts[name]:,}") for name in ("ok", "flaky", "dead", "faulty")],
    )


def _head_end(told: Mapping[str, Any]) -> Station:
    health, batch = told["headend"], told["batch"]
    age = health.get("lastSweepAgeS")
    tone, word = {"ok": ("ok", "sweeping"), "late": ("behind", "sweeps are late")}.get(
        health.get("sweeps", ""), ("stopped", "it says nothing")
    )
    if health.get("store") == "unwritable":
        tone, word = "stopped", "its store takes no writes"
    counts = [("last sweep ended", "none yet" if age is None else f"{age / 60:,.0f} min ago")]
    counts += (
        [("collected", f"{batch['complete']:,} of {batch['meters']:,} meters, {batch['operatingDay']}")]
        if batch
        else []
    )
    return Station("Head-end", "collection", tone, word, counts)


def _vee(told: Mapping[str, Any]) -> Station:
    batch = told["batch"]
    if batch is None or not batch["runs"]:
        return Station("VEE", "vee", "behind", f"not yet run over {told['asked']['day']}", [])
    last = batch["runs"][-1]
    done = f"{last['partitionsValidated']} of {last['partitions']} parts, run {last['run']}"
    found = sum(one["findings"] for one in last["findings"])
    ended = last["partitionsPosted"] == last["partitions"]
    counts = [("validated", done), ("estimated", f"{last['estimatedPercent']:g} %"), ("findings", f"{found:,}")]
    return Station(
        "VEE",
        "vee",
        "ok" if ended else "behind",
        f"{batch['operatingDay']}: {'posted' if ended else 'at work'}",
        counts,
    )


def _files(told: Mapping[str, Any]) -> Station:
    posted, failing = told["counts"]["posted"], told["headend"].get("posting") == "failing"
    codes = [(f"code {code}", f"{count:,} records") for code, count in posted["codes"].items()]
    counts = [
        ("files today", f"{posted['files']:,}"),
        *codes,
        *([("cut off", f"{posted['cut']:,}")] if posted["cut"] else []),
    ]
    return Station(
        "LSE files", "files", "stopped" if failing else "ok", "posting fails" if failing else "taken in", counts
    )


def _smt(told: Mapping[str, Any]) -> Station:
    counts, health = told["counts"], told["smt"]
    lag = float(health.get("clockLagS") or 0)
    tone, word = ("behind", f"{lag:.1f} s behind its clock") if lag > BEHIND_S else ("ok", "serving")
    if health.get("status") != "ok":
        tone, word = "stopped", "it cannot do all of its work"
    states = [(state.replace("_", "-"), f"{count:,}") for state, count in requests_of(counts).items()]
    played = told.get("load")
    # What never came to SMT, or came late, is in the player's own times alone.
    planned = [("load", played[0]), *standing_of(played[1])[:2]] if played else []
    return Station(
        "Requests at SMT",
        "requests",
        tone,
        word,
        [*(states or [("today", "none yet")]), ("answered, from arrival at SMT", _took(counts["answered"])), *planned],
    )


def _throttle(told: Mapping[str, Any]) -> Station:
    counts = told["counts"]
    codes = [(code, f"{count:,}") for code, count in counts["refused"]["codes"].items()]
    rest = [("refused", f"{counts['refused']['count']:,}"), *codes, ("failed", f"{counts['failed']['count']:,}")]
    failed = [("failed after", _took(counts["failed"]))] if counts["failed"]["count"] else []
    return Station("Throttle", "throttle", "ok", told["bed"]["policy"], [*rest, *failed])


def _took(took: Mapping[str, Any]) -> str:
    if not took["count"]:
        return "none yet"
    return f"{took['p50S']:,.0f} s, 19 of 20 within {took['p95S']:,.0f} s"
