"""Which exchanges on the wires belong to which action of a timeline, and to which of the seven steps; the rest is daily traffic, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from meters.calendar import Micros, day_of, to_s, to_us
from scenarios.evidence import Evidence
from scenarios.recording import WIRE, Recording
from simulator.errors import SimulatorError
from simulator.tap.chain import Chain, Exchange, check_chain, exchanges

#: Wires on which a name of ours stands in nothing that is sent: what comes there is of the action that went there last.
_NAMELESS = {"portal": ("portal_read", "same_answers", "load"), "control": ("complaint",), "ftps": ("await_files",)}
#: The step of the use case that an exchange of a balance call belongs to, by its wire; of the market API, by its path.
_STEPS = {"inquiries": "S4", "modbus": "S5", "call-backs": "S5", "/v2/odr/": "S3", "/v2/odrstatus/": "S6"}


@dataclass(slots=True)
class Traffic:
    """The exchanges of a run. ``beside``: how many there were of no action, by operating day and wire."""

    chain: Chain
    actions: dict[str, list[Exchange]] = field(default_factory=dict)
    beside: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Numbers of the exchanges of each check, and of each step by the ref of its call.
    judged: dict[str, list[int]] = field(default_factory=dict)
    steps: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def traffic_of(recording: Recording, folder: Path, most: int | None = None) -> Traffic | None:
    """Find the exchanges of a recording in the file that lies in its folder; None where there is none. most: of an action that are held, its first.

    Raises SimulatorError ``wire.broken`` for a file that is not as it was written.
    """
    path = folder / WIRE
    if not path.is_file():
        return None
    chain = check_chain(path)
    if chain.fault:
        raise SimulatorError(
            "wire.broken",
            f"It is not as it was written. {chain.fault}",
            str(path),
            "Restore it, or take it out of the folder: what is told then rests on the recording alone.",
        )
    found = Traffic(chain)
    sorting = _Sorting(recording)
    calls = {one.ref for one in recording.scenario.timeline if one.do == "balance_call"}
    idle = {wire for wire, its in sorting.nameless.items() if not its}
    day = lru_cache(maxsize=8)(lambda at_us: day_of(to_s(at_us)).isoformat())

    def aside(at_us: Micros, wire: str) -> bool:
        """Count what can be of no action, unread."""
        unread = {"ftps": not sorting.posts, "modbus": not sorting.reading and not sorting.reads}
        if wire in idle or unread.get(wire, False):
            found.beside[day(at_us), wire] += 1
            return True
        return False

    for ref, exchange in sorting.of(exchanges(path, aside)):
        if not ref:
            found.beside[day(exchange.at_us), exchange.wire] += 1
            continue
        its = found.actions.setdefault(ref, [])
        if most is not None and len(its) >= most:
            continue
        its.append(exchange)
        found.judged.setdefault(ref, []).append(exchange.n)
        if ref in calls:
            key = str(exchange.ask["path"]) if exchange.wire == "market" else exchange.wire
            # What the retailer reads when it has the answer is for the re-bill.
            read = "S7" if (ref, "S6") in found.steps else "S2"
            found.steps.setdefault((ref, _STEPS.get(key, read)), []).append(exchange.n)
    return found


class _Sorting:
    """Sorts exchanges by action, in one pass."""

    def __init__(self, recording: Recording) -> None:
        timeline, evidence = recording.scenario.timeline, Evidence(recording)
        #: Longest first: a ref may begin as another does.
        self._refs = sorted((one.ref for one in timeline), key=len, reverse=True)
        self.nameless: Mapping[str, Sequence[tuple[Micros, str]]] = {
            wire: sorted((to_us(evidence.at(one)), one.ref) for one in timeline if one.do in kinds)
            for wire, kinds in _NAMELESS.items()
        }
        #: Whether an action reads a meter past the head-end, under its own name.
        self.reads = any(one.do == "read_meter" for one in timeline)
        #: Whether the head-end's files are looked at.
        self.posts = any(one.do == "await_files" for one in timeline)
        #: Refs by correlation id; by the ESI ID of an inquiry that is under way.
        self._asked: dict[str, str] = {}
        self.reading: dict[str, str] = {}

    def of(self, found: Iterator[Exchange]) -> Iterator[tuple[str, Exchange]]:
        """Each with its action's ref, empty for those of none; in their order, but for a log-in, which comes with what it was for."""
        log_ins: list[Exchange] = []
        for exchange in found:
            ref = self._ref(exchange)
            if exchange.wire == "market" and not exchange.ids:
                log_ins.append(exchange)
                continue
            if log_ins and (exchange.wire == "market" or exchange.at_us != log_ins[0].at_us):
                yield from ((ref if exchange.at_us == one.at_us else "", one) for one in log_ins)
                log_ins.clear()
            yield ref, exchange
        yield from (("", one) for one in log_ins)

    def _ref(self, exchange: Exchange) -> str:
        ids, key, esiid = exchange.ids, exchange.ids.get("correlationId", ""), exchange.ids.get("esiid", "")
        if exchange.wire == "modbus" and "callReference" not in ids:
            return self.reading.get(esiid, "")
        if exchange.wire in self.nameless:
            return next((ref for at, ref in reversed(self.nameless[exchange.wire]) if at <= exchange.at_us), "")
        said = ids.get("callReference") or ids.get("trans_id", "")
        ref = next((one for one in self._refs if said == one or said.startswith(f"{one}-")), "") or self._asked.get(
            key, ""
        )
        if key and ref:
            self._asked[key] = ref
        if exchange.wire == "inquiries" and ref:
            self.reading[esiid] = ref
        if exchange.wire == "call-backs":
            self.reading = {esiid: its for esiid, its in self.reading.items() if its != ref}
        return ref
