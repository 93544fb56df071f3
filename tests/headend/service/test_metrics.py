"""What a head-end counts of what its processes note."""

from __future__ import annotations

from typing import Any

import pytest

from headend.http.exchange import Exchange
from headend.http.front import WRONG_HOST
from headend.ports import FAULT
from headend.service.metrics import HeadEndMetrics
from meters.calendar import epoch
from simulator.runtime.journal import RunJournal

AT = epoch("2026-08-12T16:00")


def samples(metrics: HeadEndMetrics) -> dict[str, float]:
    """Those that are not 0, by name and labels, without when they began."""
    lines = [line.rsplit(" ", 1) for line in metrics.text().decode().splitlines() if line[0] != "#"]
    return {
        name.removeprefix("ami_headend_"): float(value)
        for name, value in lines
        if float(value) and "_created" not in name
    }


@pytest.mark.parametrize(
    ("kind", "facts", "counted"),
    [
        (
            "inquiry answered",
            {"inquiry": "INTERVALS", "outcome": "completed", "meter_reads": 2, "store": 64, "meter": 6},
            {'inquiries_total{kind="INTERVALS",outcome="completed"}': 1, "meter_reads_total": 2, 'intervals_total{source="store"}': 64, 'intervals_total{source="meter"}': 6},
        ),
        ("call-back given up", {"reason": "HTTP 404"}, {"call_backs_given_up_total": 1}),
        ("pushed", {"octets": 512}, {'pushed_octets_total{taken="yes"}': 512}),
        ("push failed", {"octets": 512}, {'pushed_octets_total{taken="no"}': 512}),
        (FAULT, {"error": "ValueError"}, {"faults_total": 1}),
        ("posted", {}, {}),
    ],
)  # fmt: skip
def test_what_is_noted_is_counted_and_goes_on_to_the_journal(
    kind: str, facts: dict[str, Any], counted: dict[str, float]
) -> None:
    journal = RunJournal()
    metrics = HeadEndMetrics(journal, lambda: 0, lambda: 0.0)
    metrics.note(AT, "TDSP", kind, "1", **facts)
    assert samples(metrics) == counted
    assert [(one["kind"], one["ident"]) for one in journal.entries()] == [(kind, "1")]


def test_exchanges_are_counted_by_outcome_refusals_by_reason_and_what_stands_is_asked_for_when_somebody_looks() -> None:
    metrics = HeadEndMetrics(RunJournal(), lambda: 3, lambda: 1.5)
    for status in (202, 202, 404):
        metrics.exchanged(Exchange("POST", "/inquiries", "/inquiries", status))
    metrics.refuse(WRONG_HOST)
    assert samples(metrics) == {
        'requests_total{endpoint="/inquiries",outcome="ok"}': 2,
        'requests_total{endpoint="/inquiries",outcome="http_404"}': 1,
        'refused_total{reason="host"}': 1,
        "open_inquiries": 3,
        "clock_lag_s": 1.5,
    }
