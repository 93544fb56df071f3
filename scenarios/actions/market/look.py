"""``look``: a tester looks at SMT: at the throttle of an ESI ID, the stores, the queue, the audit, health, metrics."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pydantic import Field, model_validator

from headend.service.metrics import HeadEndMetrics
from headend.wire import InquiryKind
from meters.calendar import day_of, iso, seconds, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.exchange import AT, Answer, answer, document, of, sent, tell, texts
from scenarios.actions.market.requests import AtMarket
from scenarios.parts.expected import COUNT, INSTANT, TEXT, TEXTS, Fact
from scenarios.records.values import Count, Instant
from simulator.smt.metrics import SmtMetrics
from simulator.smt.ondemand.filing import Asked
from simulator.smt.throttle.limits import Door

if TYPE_CHECKING:
    import httpx

    from scenarios.stage import Stage

#: In the place of what is asked for values when somebody looks at metrics; for their names nobody is.
_UNASKED: Any = (None, None, None)
#: By kind of metric, how the names of its samples end.
_SAMPLES = {"gauge": ("",), "counter": ("_total", "_created"), "histogram": ("_bucket", "_count", "_sum", "_created")}
#: What is asked for over HTTP.
_PATHS = {"audit": "/control/requests", "health": "/healthz", "metrics": "/metrics"}


class Look(AtMarket):
    """A tester looks at SMT, or at the head-end's health or metrics. Nothing changes by it."""

    what: Literal["throttle", "store", "queue", "audit", "health", "metrics"] = Field(
        description="throttle: how a read of the ESI ID would be refused now. store: how far SMT's VEE data and the head-end's store reach. queue: open requests. audit: requests of the ESI ID today. metrics: 'at' names each with its labels, as name{label=\"value\"}."
    )
    party: Literal["smt", "headend"] = Field(default="smt", description="Whose health or metrics.")

    @model_validator(mode="after")
    def _has_it(self) -> Self:
        if self.party == "headend" and self.what not in ("health", "metrics"):
            raise ValueError(f"the head-end has no {self.what}; look at its health or metrics, or leave party out")
        return self


class RecordedLook(Answer):
    """What was seen; what another look is for is None."""

    refusal: str | None = None
    retry_at: Instant | None = None
    vee_to: Instant | None = None
    reaches_to: Instant | None = None
    open: Count | None = None
    requests: Count | None = None
    states: list[str] | None = None
    health: str | None = None


def _play(stage: Stage, action: Look) -> Played:
    path = _PATHS.get(action.what)
    if path is None:
        yield stage.runtime.env.timeout(0)
        seen = {"throttle": _throttle, "store": _store, "queue": _queue}[action.what](stage, action)
        return answer(stage, action, None, seen) | seen
    query = {"esiid": stage.esiid(action), "day": f"{day_of(stage.runtime.now())}"} if action.what == "audit" else {}

    async def call() -> httpx.Response | None:
        return await sent(stage.http, "GET", f"{stage.url(action.party)}{path}", params=query)

    reply = yield stage.runtime.io("look", action.ref, call, lane="smt")
    if reply is None:
        return answer(stage, action, None)
    if action.what == "metrics":
        return answer(stage, action, reply, _metrics(reply.text))
    told = document(reply)
    if action.what == "health":
        return answer(stage, action, reply) | {"health": told["status"]}
    rows = told["requests"]
    states = [row["transitions"][-1]["state"] for row in rows]
    return answer(stage, action, reply) | {"requests": len(rows), "states": states}


def _metrics(text: str) -> dict[str, float]:
    """Each sample by its name, with its labels as Prometheus writes them."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[metric_name(sample)] = sample.value
    return found


def metric_name(sample: Sample) -> str:
    """By what a sample of a metric is looked up."""
    labels = ",".join(f'{name}="{said}"' for name, said in sorted(sample.labels.items()))
    return f"{sample.name}{{{labels}}}" if labels else sample.name


@cache
def metrics_of(party: str) -> dict[str, tuple[str, ...]]:
    """Every sample that a party's metrics have, with the names of its labels."""
    registry = (SmtMetrics if party == "smt" else HeadEndMetrics)(*_UNASKED).registry
    collectors: list[Any] = [*registry._collector_to_names]
    return {
        f"{metric.name}{end}": (*getattr(collector, "_labelnames", ()), *(("le",) if end == "_bucket" else ()))
        for collector in collectors
        for metric in collector.describe()
        for end in _SAMPLES[metric.type]
    }


def _throttle(stage: Stage, action: Look) -> dict[str, Any]:
    desk, now = stage.sandbox.smt.desk, stage.runtime.now()
    user = stage.sandbox.market.registry.users[action.by(stage.scenario)]
    asked = Asked(user, InquiryKind.REGISTER, stage.esiid(action), Door.API)
    refusal = desk.admission.refusal(desk.filing.request(desk.filing.filed(asked, to_us(now))).requested, now)
    at = refusal and refusal.retry_at
    return {"refusal": refusal and refusal.code, "retry_at": None if at is None else iso(at)}


def _store(stage: Stage, action: Look) -> dict[str, Any]:
    esiid, now = stage.esiid(action), stage.runtime.now()
    end = stage.sandbox.smt.store.last_vee_end(esiid)
    reaches = stage.sandbox.headend_store.reaches_to(esiid, now - seconds(86_400) if end is None else end)
    return {"vee_to": None if end is None else iso(end), "reaches_to": iso(reaches)}


def _queue(stage: Stage, action: Look) -> dict[str, Any]:  # noqa: ARG001
    counts = stage.sandbox.smt.ledger.open_counts()
    return {"open": sum(counts.values()), "states": sorted(state.value for state, count in counts.items() if count)}


def _tell(seen: Seen[Look, RecordedLook]) -> str:
    record, what = seen.record, seen.action.what
    if record is None:
        return "Nothing recorded."
    match what:
        case "throttle":
            return (
                "A read would be let in." if record.refusal is None else f"A read would be refused: {record.refusal}."
            )
        case "store":
            return f"VEE data reach to {record.vee_to and iso(record.vee_to)}, the store to {record.reaches_to and iso(record.reaches_to)}."
        case "queue":
            return f"{record.open} requests are open."
        case _:
            return tell(seen)


ROWS = (
    Row(
        "look",
        "Look",
        Look,
        RecordedLook,
        _play,
        (
            AT,
            Fact("refusal", TEXT, "code that a read would be refused with", of("refusal")),
            Fact("retry_at", INSTANT, "from when on it would be let in", of("retry_at")),
            Fact("vee_to", INSTANT, "end of the VEE data at SMT", of("vee_to")),
            Fact("reaches_to", INSTANT, "end of what the head-end's store has without a hole", of("reaches_to")),
            Fact("open", COUNT, "open requests", of("open")),
            Fact("requests", COUNT, "requests of the ESI ID today", of("requests")),
            Fact("states", TEXTS, "states of these requests", texts("states")),
            Fact("health", TEXT, "what the service says of itself", of("health")),
        ),
        _tell,
    ),
)  # fmt: skip
