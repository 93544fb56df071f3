"""The same loads through the live processes: ``capacity.model`` over simpy, with the engine's own draws by key."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from headend.network.law import Span, Try
from headend.ondemand.gap import gap
from headend.wire import InquiryKind
from headend.wire import Outcome as HeadEndOutcome
from meters.calendar import Micros, Seconds, day_of, day_start, floor_interval, micros, seconds, to_s, to_us
from simulator.capacity.ends import ENDS
from simulator.capacity.engine import draws
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import Outages, Played, Requests, ground_of
from simulator.capacity.model import Air, Model, PowerFailure, Sweep, TabledRequest
from simulator.smt.ondemand.lifecycle import OnDemandRequest, State
from simulator.smt.ondemand.middle import LOST, Middle
from simulator.smt.throttle.limits import Door, Policy, RequesterClass, Scope

KINDS, DOORS, CLASSES = list(InquiryKind), list(Door), list(RequesterClass)


class Life(NamedTuple):
    """What became of one request; ``code`` and ``retry_at`` of a refusal."""

    planned_us: Micros
    end: int
    done_us: Micros
    tries: int
    reach: int
    code: str
    retry_at: Seconds


def lives_of(played: Played) -> dict[tuple[int, int], Life]:
    """What the engine made of it, by (call, attempt)."""
    r = played.rows
    columns = (r.planned_us, r.end, r.done_us, r.tries, r.reach, r.code, r.retry_at, r.call, r.attempt)
    return {
        (call, attempt): Life(planned, end, done, tries, reach, "" if code < 0 else played.codes[code], retry)
        for planned, end, done, tries, reach, code, retry, call, attempt in zip(
            *(one.tolist() for one in columns), strict=True
        )
    }


class Reference:
    """One load under one policy. ``lives`` is filled by ``run``."""

    def __init__(
        self, requests: Requests, outages: Outages, policy: Policy, assumptions: Assumptions, seed: int
    ) -> None:
        self.ground = ground_of(requests, outages, policy, assumptions, seed, 1, 1)
        self.law, self.tables = self.ground.law[0], self.ground.tables
        self.requests = requests
        self.lives: dict[tuple[int, int], Life] = {}
        self._row = {int(call): row for row, call in enumerate(requests.call)}
        self._asked: dict[tuple[int, int], Micros] = {}
        self._patience = {(int(call), 0): int(of) for call, of in zip(requests.call, requests.patience_us, strict=True)}
        placed = int(self.law.sweeps_place)
        self._sweep_starts = self.tables[placed : placed + self.law.sweeps_n].tolist()
        self._dark: dict[int, list[Span]] = defaultdict(list)
        told: dict[int, list[PowerFailure]] = defaultdict(list)
        for point, begins, ends, told_us in zip(
            *(one.tolist() for one in (outages.access_point, outages.from_us, outages.to_us, outages.told_us)),
            strict=True,
        ):
            self._dark[point].append(Span(begins, ends))
            told[point].append(PowerFailure(to_s(begins), told_us, ends))
        sweeps: dict[str, list[Sweep]] = {}
        failures = {}
        gasped = outages.gasped(requests.esi)
        for esi, point, gasps in zip(
            requests.esi.tolist(), requests.access_point.tolist(), gasped.tolist(), strict=True
        ):
            if str(esi) not in sweeps:
                sweeps[str(esi)] = self._sweeps(esi, point)
                if gasps:
                    failures[str(esi)] = told[point]
        swept = [Span(micros(at), micros(at + self.law.sweep_takes_us)) for at in self._sweep_starts]
        self.model = Model(
            policy,
            sweeps,
            micros(requests.planned_us[0]),
            air=Air(assumptions.network, self._dark, swept, assumptions.sweep_rule),
            expiry_us=assumptions.expiry_us,
            ended=self._ended,
            power_failures=failures,
            middle=self._middle,
            tries=self._try,
        )

    def _sweeps(self, esi: int, point: int) -> list[Sweep]:
        state, after = draws.meter(self.law, esi)
        read = [micros(at + after) for at in self._sweep_starts]
        return [
            Sweep(at, floor_interval(to_s(at)))
            for at in read
            if draws.answers(self.law, self.tables, esi, state, at)
            and not any(a <= at < b for a, b in self._dark[point])
        ]

    def run(self) -> dict[tuple[int, int], Life]:
        """Take every request to its end."""
        self.model.run([self._tabled(call, 0, planned) for call, planned in self._planned()])
        return self.lives

    def _planned(self) -> list[tuple[int, Micros]]:
        return list(zip(self.requests.call.tolist(), self.requests.planned_us.tolist(), strict=True))

    def _tabled(self, call: int, attempt: int, at_us: Micros) -> TabledRequest:
        all_, row = self.requests, self._row[call]
        kind = KINDS[all_.kind[row]]
        start = end = seconds(0)
        if kind is InquiryKind.INTERVALS:
            today = day_of(to_s(at_us))
            posted = at_us >= to_us(day_start(today)) + self.law.posted_us
            span = gap(day_start(today if posted else today - timedelta(days=1)), to_s(at_us))
            start, end = span.start, span.end
        self._asked[call, attempt] = at_us
        point = int(all_.access_point[row])
        scopes = {
            Scope.ESIID: str(all_.esi[row]),
            Scope.ROR: str(all_.ror[row]),
            Scope.REQUESTER_CLASS: CLASSES[all_.requester_class[row]],
            Scope.TDSP: str(all_.tdsp[row]),
            Scope.ACCESS_POINT: str(point),
        }
        key = f"{call} {attempt}"
        esiid, door = str(all_.esi[row]), DOORS[all_.door[row]]
        return TabledRequest(key, kind, esiid, at_us, start, end, scopes, door, _NO_WAY, (), point)

    def _middle(self, key: str) -> Middle:
        call, attempt = map(int, key.split())
        at_us = self._asked[call, attempt]
        picked_us, back_us, lost = draws.middle_way(self.law, self.tables, self.ground.memory, call, attempt, at_us)
        return Middle(picked_us - at_us, back_us, LOST[lost])

    def _try(self, key: str, attempt: int) -> Try:
        call, turn = map(int, key.split())
        out_us, back_us, heard = draws.tried(self.law, call, turn, attempt)
        esi = int(self.requests.esi[self._row[call]])
        state, _ = draws.meter(self.law, esi)
        at_us = self._asked[call, turn]
        return Try(out_us, back_us, heard and draws.answers(self.law, self.tables, esi, state, at_us))

    def _ended(self, request: OnDemandRequest) -> None:
        call, attempt = map(int, request.key.split())
        at_us, done_us = self._asked[call, attempt], request.history[-1][1]
        answered, refused, reach = request.answered, request.state is State.REFUSED, 0
        if answered is not None:
            held = answered.content.lacked_from is None or answered.meter_reads
            whole = answered.outcome is HeadEndOutcome.COMPLETED and held
            reach = int(answered.reaches_to or (request.end if whole else answered.content.lacked_from))
        code, retry_at = "", seconds(0)
        if refused:
            assert request.refusal is not None
            code, retry_at = request.refusal.code, request.refusal.retry_at
        life = Life(
            at_us,
            ENDS.index(request.state),
            done_us,
            0 if answered is None else answered.meter_reads,
            reach if reach > request.start else 0,
            code,
            retry_at,
        )
        self.lives[call, attempt] = life
        told = life.reach > 0 if request.kind is InquiryKind.INTERVALS else request.state is State.COMPLETED
        if told and done_us - at_us <= self._patience[call, attempt]:
            return
        asking = int(self.requests.requester_class[self._row[call]])
        again_us = draws.calls_again(self.law, call, attempt, asking, done_us)
        if again_us >= 0:
            self._patience[call, attempt + 1] = draws.patience_again_us(self.law, call, attempt + 1)
            self.model.ask(self._tabled(call, attempt + 1, again_us))


_NO_WAY = Middle(micros(0), micros(0))
