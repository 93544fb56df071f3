"""What is to be known of a batch in a few figures: intervals by status, findings by rule, and the meters with most of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import VeeDay
from headend.vee.rules import BY_NUMBER, Rule

#: So many meters are named.
OFFENDERS = 10


def summary(vee: VeeDay) -> dict[str, Any]:
    """Meters, intervals of the consumption channel by status, findings by rule."""
    status = vee.channel(Channel.LOAD).status
    findings = Counter(BY_NUMBER[Rule(rule)].id for rule in vee.findings["rule"].tolist())
    return {
        "meters": len(vee.meters),
        "actual": int((status == IntervalStatus.ACTUAL).sum()),
        "estimated": int((status == IntervalStatus.ESTIMATED).sum()),
        "findings": dict(sorted(findings.items())),
    }


def offenders(vee: VeeDay) -> list[tuple[str, str, int]]:
    """ESI ID, meter number and findings of the meters with most of them, the first of equals first."""
    counted = Counter(vee.findings["row"].tolist())
    most = sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:OFFENDERS]
    return [(*vee.meters[row], count) for row, count in most]
