"""What is to be known of a batch in a few figures: intervals by status, findings by rule, and the meters with most of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import VeeDay
from headend.vee.rules import BY_NUMBER, Rule

#: So many meters are named.
OFFENDERS = 10


def summary(vee: VeeDay) -> dict[str, Any]:
    """Meters, intervals of the consumption channel by status, findings by rule, and ESI ID, number and findings of the meters with most, the first of equals first."""
    status = vee.channel(Channel.LOAD).status
    findings = Counter(BY_NUMBER[Rule(rule)].id for rule in vee.findings["rule"].tolist())
    by_meter = Counter(vee.findings["row"].tolist())
    return {
        "meters": len(vee.meters),
        "actual": int((status == IntervalStatus.ACTUAL).sum()),
        "estimated": int((status == IntervalStatus.ESTIMATED).sum()),
        "findings": dict(sorted(findings.items())),
        "offenders": _most([*vee.meters[row], count] for row, count in by_meter.items()),
    }


def together(summaries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is told of several as of one; nothing of none."""
    total: dict[str, Any] = {"meters": 0, "actual": 0, "estimated": 0, "duration_s": 0}
    findings: Counter[str] = Counter()
    offenders: list[list[Any]] = []
    stopped: dict[int, int] = {}
    for one in summaries:
        total |= {name: total[name] + one.get(name, 0) for name in total}
        findings.update(one["findings"])
        offenders += one["offenders"]
        # Of earlier versions none was told.
        stopped |= dict(one.get("stopped", ()))
    return total | {
        "stopped": sorted(stopped.items()),
        "findings": dict(sorted(findings.items())),
        "offenders": _most(offenders),
    }


def _most(counted: Iterable[list[Any]]) -> list[list[Any]]:
    return sorted(counted, key=lambda one: (-one[2], *one[:2]))[:OFFENDERS]
