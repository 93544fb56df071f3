"""What a head-end measures of itself, for Prometheus: counted where its processes note what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from headend.http.exchange import Exchange
from headend.http.front import Refusal
from headend.http.log import tell
from headend.ports import FAULT, Journal
from meters.calendar import Seconds


class HeadEndMetrics:
    """The metrics of one head-end, in a registry of its own; and the journal that counts what passes through it."""

    def __init__(self, journal: Journal, count_open: Callable[[], int], lag_s: Callable[[], float]) -> None:
        """journal: what is noted here goes on to it. count_open: gives the open inquiries when somebody looks. lag_s: see ``ports.Driver``."""
        self._journal = journal
        self.registry = CollectorRegistry()
        common: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("ami_headend_requests", "HTTP requests by endpoint and outcome.", ["endpoint", "outcome"], **common)  # fmt: skip
        self.refused = Counter("ami_headend_refused", "HTTP requests refused unread, by reason.", ["reason"], **common)
        self.inquiries = Counter("ami_headend_inquiries", "Inquiries answered, by kind and outcome.", ["kind", "outcome"], **common)  # fmt: skip
        self.served = Counter("ami_headend_intervals", "Intervals served on demand, by where they came from.", ["source"], **common)  # fmt: skip
        self.meter_reads = Counter("ami_headend_meter_reads", "Tries at a meter that inquiries cost.", **common)
        self.given_up = Counter("ami_headend_call_backs_given_up", "Results that nobody took.", **common)
        self.pushed = Counter("ami_headend_pushed_octets", "Octets of batches of non-VEE intervals, by whether SMT took them.", ["taken"], **common)  # fmt: skip
        self.faults = Counter("ami_headend_faults", "Faults of the head-end's own.", **common)
        waiting = Gauge("ami_headend_open_inquiries", "Accepted inquiries that have not ended.", **common)
        waiting.set_function(count_open)
        lag = Gauge("ami_headend_clock_lag_s", "Wall seconds behind the clock, the most of the last ten.", **common)
        lag.set_function(lag_s)

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self._journal.note(at, party, kind, ident, **facts)
        if kind == "inquiry answered":
            self.inquiries.labels(facts["inquiry"], facts["outcome"]).inc()
            self.meter_reads.inc(facts["meter_reads"])
            for source in ("store", "meter"):
                self.served.labels(source).inc(facts[source])
        elif kind == "call-back given up":
            self.given_up.inc()
        elif kind in ("pushed", "push failed"):
            self.pushed.labels("yes" if kind == "pushed" else "no").inc(facts["octets"])
        elif kind == FAULT:
            self.faults.inc()

    def exchanged(self, exchange: Exchange) -> None:
        """Count and log an HTTP exchange."""
        self.requests.labels(exchange.endpoint, exchange.how()).inc()
        tell("http", party="TDSP", **exchange.facts())

    def refuse(self, refusal: Refusal) -> None:
        """Count and log an HTTP request that was refused before anybody read it."""
        self.refused.labels(refusal.reason).inc()
        tell("refused", party="TDSP", reason=refusal.reason, status=refusal.status)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
