"""What SMT measures of itself, for Prometheus; and the journal that counts and logs what passes through it.

The parties' processes note what a reader must know in the journal anyway: counting there needs no second place in their code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headend.http.exchange import Exchange
from headend.http.front import Refusal
from headend.http.log import tell
from headend.ports import Journal
from meters.calendar import Seconds, fraction_s
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import ENDED, State

#: Seconds of model time: around the service levels of 120 and 180 s, up to the expiry of 45 minutes.
LATENCY_BUCKETS_S = (5, 15, 30, 60, 90, 120, 150, 180, 300, 600, 1200, 1800, 2700)
_REQUEST = "request "
#: What is looked up in the ledger: requests in one of these states.
_GAUGES = (
    ("ami_smt_queue_depth", "Requests waiting in the middle tier.", (State.REQUESTED, State.ACCEPTED, State.QUEUED)),
    ("ami_smt_in_flight", "Requests sent to a head-end and not ended.", (State.SENT, State.PENDING, State.ANSWERED)),
)


class SmtMetrics:
    """The metrics of one SMT process, in a registry of its own."""

    def __init__(self, ledger: Ledger, policy: str, lag_s: Callable[[], float]) -> None:
        """ledger: its open requests are counted when the metrics are read. lag_s: see ``headend.ports.Driver``."""
        self.registry = CollectorRegistry()
        self._policy = policy
        self._ledger = ledger
        common: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "ami_smt_requests", "HTTP requests by endpoint and outcome.", ["endpoint", "outcome"], **common
        )
        self.refused = Counter("ami_smt_refused", "HTTP requests refused unread, by reason.", ["reason"], **common)
        self.blocks = Counter("ami_smt_login_blocks", "Blocks of log-ins after bad ones, at any door.", **common)
        self.refusals = Counter(
            "ami_smt_throttle_refusals",
            "On-demand requests refused, by policy and limit.",
            ["policy", "limit"],
            **common,
        )
        self.latency = Histogram(
            "ami_smt_odr_seconds",
            "Model seconds from the submission of an on-demand request to its end.",
            ["kind", "state"],
            buckets=LATENCY_BUCKETS_S,
            **common,
        )
        self.call_backs = Counter("ami_smt_call_backs", "Call-backs of head-ends, by what became of them.", ["became"], **common)  # fmt: skip
        self.findings = Counter("ami_smt_findings", "Rules broken by head-ends and requesters.", ["rule"], **common)
        self.ended_by = Counter("ami_smt_ended_by", "Requests by what they ended by: drawn, expired_late, a fatal rule.", ["rule"], **common)  # fmt: skip
        self.non_vee = Counter("ami_smt_non_vee_intervals", "Non-VEE intervals that head-ends sent, by what became of them.", ["became"], **common)  # fmt: skip
        self.intake = Counter("ami_smt_intake_records", "LSE records taken in, by result code.", ["code"], **common)
        self.intake_failed = Counter("ami_smt_intake_failures", "Files that a fault of SMT's own kept out.", **common)
        self.registry.register(_Queue(ledger))
        lag = Gauge("ami_smt_clock_lag_s", "Wall seconds behind the clock, the most of the last ten.", **common)
        lag.set_function(lag_s)
        self._children: dict[tuple[str, str], Any] = {}

    def exchanged(self, exchange: Exchange) -> None:
        """Count an HTTP exchange."""
        labels = (exchange.endpoint, exchange.how())
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self.requests.labels(*labels)
        child.inc()

    def noted(self, kind: str, ident: str, facts: dict[str, Any]) -> None:
        """Count what was noted in the journal."""
        if kind.startswith(_REQUEST):
            self._moved(State(kind.removeprefix(_REQUEST)), ident, facts)
        elif kind == "call-back":
            self.call_backs.labels(facts["became"]).inc()
        elif kind == "non-VEE intervals":
            # The same batch again brings nothing.
            for became in ("accepted", "posted", "refused") if facts["status"] == "accepted" else ("duplicate",):
                self.non_vee.labels(became).inc(facts.get(became, facts["accepted"]))
        elif kind == "intake":
            for code, count in facts["results"].items():
                self.intake.labels(code).inc(count)
        elif kind == "intake failed":
            self.intake_failed.inc()

    def refuse(self, refusal: Refusal) -> None:
        """Count and log an HTTP request that was refused before anybody read it."""
        self.refused.labels(refusal.reason).inc()
        tell("refused", party="SMT", reason=refusal.reason, status=refusal.status)

    def blocked(self, username: str, peer: str, seconds: float) -> None:
        """Count and log a block of log-ins. username: of a user there is, else empty; what was typed may be a password. Any thread."""
        self.blocks.inc()
        tell("log-in blocked", party="SMT", username=username, peer=peer, seconds=seconds)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _moved(self, state: State, key: str, facts: dict[str, Any]) -> None:
        if state is State.FOUND:
            self.findings.labels(facts["rule"]).inc()
        if state not in ENDED:
            return
        if "rule" in facts:
            self.ended_by.labels(facts["rule"]).inc()
        if state is State.REFUSED:
            self.refusals.labels(self._policy, facts.get("code", "")).inc()
        entry = self._ledger.entry(key)
        if entry is not None:
            seconds = fraction_s(entry.last.at_us - entry.filed.submitted_us)
            self.latency.labels(entry.filed.kind.value, state.value).observe(seconds)


class _Queue(Collector):
    """Gauges that are looked up in the ledger: the same whichever process is asked."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """See ``prometheus_client``."""
        counts = self._ledger.open_counts()
        for name, text, states in _GAUGES:
            yield GaugeMetricFamily(name, text, value=sum(counts.get(state, 0) for state in states))

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """See ``prometheus_client``: told without asking the database."""
        return [GaugeMetricFamily(name, text) for name, text, _ in _GAUGES]


class ObservedJournal:
    """``headend.ports.Journal`` that tells an observer too."""

    def __init__(self, journal: Journal, observe: Callable[[str, str, dict[str, Any]], None]) -> None:
        """observe: called with kind, ident and facts, after the journal has them."""
        self._journal = journal
        self._observe = observe

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self._journal.note(at, party, kind, ident, **facts)
        self._observe(kind, ident, facts)
