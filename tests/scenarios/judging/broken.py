"""What of a real run's recording is broken, which step or check must fail, and words of the rule that must say so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

Written = dict[str, Any]
Mutation = Callable[[Written], None]


def call(r: Written) -> Written:
    found: Written = r["actions"]["call-0001"]
    return found


def entry(r: Written, ref: str = "call-0001") -> Written:
    return next(one for one in r["ledger"] if one["call_reference"] == ref)


def premise(r: Written) -> Written:
    (found,) = r["world"]["accounts"].values()
    its: Written = found
    return its


def note(r: Written, kind: str, ident: str | None = None) -> Written:
    return next(one for one in r["journal"] if one["kind"] == kind and ident in (None, one["ident"]))


def inquiry(r: Written) -> Written:
    return note(r, "inquiry answered", entry(r)["key"])


def drop_note(kind: str) -> Mutation:
    def mutate(r: Written) -> None:
        r["journal"].remove(note(r, kind))

    return mutate


def put(path: str, **facts: Any) -> Mutation:
    """Facts in a part of what an action left: ``call-0001.request.served``."""
    return lambda r: reduce(getitem, path.split("."), r["actions"]).update(facts)


def put_part(stand: str, at: int, **facts: Any) -> Mutation:
    """Facts in a part of what a stand of the first call rests on."""
    return lambda r: reduce(getitem, stand.split("."), call(r))["rests_on"][at].update(facts)


def noted(kind: str, **facts: Any) -> Mutation:
    return lambda r: note(r, kind).update(facts)


def filed(ref: str, **facts: Any) -> Mutation:
    return lambda r: entry(r, ref).update(facts)


def ended(ref: str, **facts: Any) -> Mutation:
    """Facts in the last transition of a request."""
    return lambda r: entry(r, ref)["transitions"][-1].update(facts)


def other_days(r: Written) -> None:
    """Both doors tell one consumption of a day, which is not the sum of its intervals."""
    answers = r["actions"]["answers-0001"]
    answers["market"]["daily"][0].update(energyDataKwh="1.000")
    answers["portal"]["daily"][0].update(reading=1.0)


def of_no_use(ref: str) -> Mutation:
    """A request read no meter, and has given its allowance back."""
    return ended(ref, state="failed", meter_reads=0)


def second_success(kind_ref: str, other_ref: str) -> Mutation:
    """The refused request of the day becomes a success that cost a read, in the ledger alone."""

    def mutate(r: Written) -> None:
        entry(r, other_ref)["transitions"][-1] |= {"state": "completed", "meter_reads": 1}
        assert entry(r, kind_ref)["transitions"][-1]["state"] == "completed"

    return mutate


def longer_gap(r: Written) -> None:
    entry(r)["gap"] = {"start": "2026-08-10T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"}
    call(r)["request"]["served"]["gap"] = entry(r)["gap"]


def unflag(r: Written) -> None:
    r["usage"]["call-0001"]["served"]["source"][0] = "meter"


def lose_an_interval(r: Written) -> None:
    for column in r["usage"]["call-0001"]["served"].values():
        column.pop()


def keep_as_vee(r: Written) -> None:
    r["usage"]["call-0001"]["at_call"]["quality"][-1] = 0


def bill_more_usage(r: Written) -> None:
    r["usage"]["call-0001"]["at_call"]["wh"][0] += 1


def stale_non_vee(r: Written) -> None:
    r["usage"]["call-0001"]["after_posting"]["quality"][-1] = 2


def vee_lost(r: Written) -> None:
    for column in r["usage"]["call-0001"]["after_posting"].values():
        column.pop(5)


def file_of_a_day_missing(r: Written) -> None:
    first = note(r, "posted")
    r["journal"] = [one for one in r["journal"] if one["ident"] != first["ident"]]


def sole_hour_wrong(r: Written) -> None:
    call(r)["pattern"]["day_wh"][3] += 1


def own_request_twice(r: Written) -> None:
    r["ledger"].append(copy.deepcopy(entry(r)))


def request_of_no_call(r: Written) -> None:
    entry(r, "status-0001")["call_reference"] = "nobody"


def result_code_07(r: Written) -> None:
    codes = note(r, "result codes")
    codes["codes"] = {"00": codes["codes"]["00"] - 1, "07": 1}


TOLD_TOO_MUCH = put("rebill-0001", vee_usd="30.00", difference_usd="12.79")
FIRST_HOUR = {"start": "2026-08-09T00:00:00-05:00", "end": "2026-08-09T01:00:00-05:00"}

BROKEN: list[tuple[str, Mutation, str, str]] = [
    ("no call noted", drop_note("S1.called"), "S1", "noted once"),
    ("call of another ESI ID", noted("S1.called", esiid="1"), "S1", "ESI ID"),
    ("call of another account", noted("S1.called", account="x"), "S1", "account"),
    ("other question", noted("S1.called", question="last_bill"), "S1", "question"),
    ("decided against", put("call-0001.decision", needs_more=False), "S2", "more is needed"),
    ("no reason", put("call-0001.decision", reason=""), "S2", "reason"),
    ("decision not noted", drop_note("S2.decided"), "S2", "as it was noted"),
    ("no VEE data", put("call-0001", trouble={"code": "x", "reason": "y", "retry_at": None}), "S2", "VEE data"),
    ("own record wrong", put("call-0001.own_record", amount_due_usd="1.00"), "S2", "own record"),
    ("VEE end of the decision", put("call-0001.decision.facts", vee_end=None), "S2", "decision names"),
    ("VEE end seen", keep_as_vee, "S2", "retailer saw"),
    ("nothing fetched", noted("S2.decided", vee_intervals=0), "S2", "fetched"),
    ("two requests for a call", own_request_twice, "S3", "of this call"),
    ("register read asked", noted("S3.requested", read_type="REGISTER"), "S3", "read type"),
    ("other ESI ID asked", noted("S3.requested", esiid="1"), "S3", "ESI ID"),
    ("filed as a status", filed("call-0001", kind="POWER"), "S3", "kind"),
    ("another login", filed("call-0001", username="someone"), "S3", "login"),
    ("another instant", filed("call-0001", submitted="2026-08-12T17:41:00-05:00"), "S3", "instant"),
    ("turned away, and filed all the same", put("call-0001.request", trouble={"code": "smt.AC1", "reason": "Not yours", "retry_at": None}), "S3", "of this call"),
    ("another correlation id", put("call-0001.request", correlation_id="1"), "S3", "correlation id"),
    ("never sent", lambda r: entry(r)["transitions"].pop(2), "S4", "life"),
    ("refused in the ledger", ended("call-0001", state="refused"), "S4", "life"),
    ("backwards in time", lambda r: entry(r)["transitions"][2].update(at_us=0), "S4", "ascend"),
    ("not AMS", lambda r: premise(r)["service_point"].update(ams=False), "S4", "A1"),
    ("not provisioned", lambda r: premise(r)["service_point"].update(provisioned=False), "S4", "A2"),
    ("not received", lambda r: premise(r)["service_point"].update(receiving=False), "S4", "A3"),
    ("not as LSE", lambda r: premise(r)["service_point"].update(lse=False), "S4", "A4"),
    ("not of record", filed("call-0001", duns="0"), "S4", "ROR of record"),
    ("gap begins too early", longer_gap, "S4", "begins where"),
    ("gap over 48 h", longer_gap, "S4", "48 hours"),
    ("gap ends too late", lambda r: entry(r)["gap"].update(end="2026-08-12T17:45:00-05:00"), "S4", "quarter hour"),
    ("another gap told", put("call-0001.request.served", gap=None), "S4", "told"),
    ("uncovered part that is none", put("call-0001.request.served", uncovered=[FIRST_HOUR]), "S4", "beyond the 48 hours"),
    ("no answer", put("call-0001.request", end="failed"), "S4", "answer that the retailer got"),
    ("status code", put("call-0001.request.served", status_code="1"), "S4", "status code"),
    ("TDSP noted nothing", drop_note("inquiry answered"), "S5", "notes the answer"),
    ("counts do not add up", lambda r: inquiry(r).update(missing=1), "S5", "make the gap"),
    ("other count in SMT's ledger", ended("call-0001", from_store=1), "S5", "SMT's ledger"),
    ("other meter count in the ledger", ended("call-0001", from_meter=1), "S5", "SMT's ledger"),
    ("other reads in the ledger", ended("call-0001", meter_reads=9), "S5", "meter reads"),
    ("meter intervals without a read", lambda r: inquiry(r).update(meter_reads=0), "S5", "need a read"),
    ("missing not told", put("call-0001.request.served", missing=["2026-08-12T10:00:00-05:00"]), "S5", "reported missing"),
    ("an interval lost on the way", lose_an_interval, "S5", "handed on"),
    ("wrong source flag", unflag, "S5", "flagged"),
    ("collected before its end", lambda r: r["usage"]["call-0001"]["served"]["collected_at"].__setitem__(0, 0), "S5", "before they ended"),
    ("store held nothing", lambda r: inquiry(r).update(store=0, meter=70), "S5", "PRE2"),
    ("kept as VEE", keep_as_vee, "S5", "keeps them as non-VEE"),
    ("nothing told", put("call-0001", sentences=[]), "S6", "told something"),
    ("told otherwise", noted("S6.told", sentences=["Hello."]), "S6", "as they were noted"),
    ("usage of the bill", bill_more_usage, "S6", "usage billed"),
    ("bill does not add up", put("call-0001.with_gap.bill", total_usd="1.00"), "S6", "bill total"),
    ("nothing told at once", put("call-0001.instant", sentences=[]), "S6", "at once"),
    ("at once after the read", put("call-0001.instant", told_at="2026-08-12T17:41:00-05:00"), "S6", "at once"),
    ("VEE usage of the bill at once", put_part("instant.stand", 0, wh=1), "S6", "usage billed, instant"),
    ("expected usage does not add up", put_part("instant.stand", 1, wh=1), "S6", "parts of the bill, instant, Wh"),
    ("a quarter hour of no part", put_part("with_gap", 0, intervals=1), "S6", "quarter hours billed, with_gap"),
    ("dollars of no part", put_part("with_gap", 0, usd="1.00"), "S6", "parts of the bill, with_gap, $"),
    ("bill stops short", put("call-0001.with_gap", to="2026-08-12T17:15:00-05:00"), "S6", "reaches to"),
    ("no gap in the bill", put("call-0001", with_gap=None), "S6", "reaches to"),
    ("hour of the pattern", sole_hour_wrong, "S6", "by hour"),
    ("no pattern", put("call-0001.pattern", day=None), "S6", "hours of the gap day"),
    ("no usual day", put("call-0001.pattern", usual_wh=[None] * 24), "S6", "usual day"),
    ("too late", put("call-0001", told_at="2026-08-12T17:43:01-05:00"), "S7", "before hang-up"),
    ("patience", put("call-0001", hangs_up_at="2026-08-12T17:50:00-05:00"), "S7", "patience"),
    ("outcome not noted", drop_note("S7.outcome"), "S7", "as noted"),
    ("bill wrong by more than the tolerance", TOLD_TOO_MUCH, "S7", "AMB-12"),
    ("another bill compared", put("rebill-0001", told_usd="1.00"), "S7", "the one told"),
    ("re-bill not covered", put("rebill-0001", covered=False), "S7", "instant"),
    ("no re-bill", lambda r: r["actions"].pop("rebill-0001"), "S7", "both bills"),
    ("difference", put("rebill-0001", difference_usd="0.01"), "S7", "difference"),
    ("call left nothing", lambda r: r["actions"].pop("call-0001"), "call-0001", "ended"),
    ("call refused", put("call-0001.request", end="refused"), "call-0001", "ended"),
    ("store count", put("call-0001.request.served", from_store=63), "call-0001", "from the store"),
    ("meter count", put("call-0001.request.served", from_meter=7), "call-0001", "from the meter"),
    ("after hang-up", put("call-0001", told_at="2026-08-12T17:43:01-05:00"), "call-0001", "before hang-up"),
    ("second call answered", put("call-0002.request", end="answered"), "call-0002", "ended"),
    ("other code", put("call-0002.request.trouble", code="SMT-HOUR"), "call-0002", "code"),
    ("no reason given", put("call-0002.request.trouble", reason=""), "call-0002", "reason"),
    ("no time given", put("call-0002.request.trouble", retry_at=None), "call-0002", "again"),
    ("time already past", put("call-0002.request.trouble", retry_at="2026-08-12T18:00:00-05:00"), "call-0002", "again"),
    ("store withheld", put("call-0002.request.served", from_store=0), "call-0002", "store"),
    ("store's part not billed", put("call-0002", with_gap=None), "call-0002", "store holds"),
    ("told as whole", put("call-0002", told_on="VEE and non-VEE data, nothing missing"), "call-0002", "data are missing"),
    ("refusal not told", put("call-0002", sentences=["Fine."]), "call-0002", "of the refusal"),
    ("ledger served it", second_success("call-0001", "call-0002"), "call-0002", "ledger"),
    ("refused, and read all the same", ended("call-0002", meter_reads=1), "call-0002", "cost"),
    ("power off", put("status-0001.served.power", status="OFF"), "status-0001", "status"),
    ("status failed", put("status-0001", end="failed"), "status-0001", "ended"),
    ("status failed in the ledger", ended("status-0001", state="failed"), "status-0001", "ledger"),
    ("second status answered", put("status-0002", end="answered"), "status-0002", "ended"),
    ("status code of rule", put("status-0002.trouble", code="x"), "status-0002", "code"),
    ("status without a time", put("status-0002.trouble", retry_at=None), "status-0002", "again"),
    ("bill was wrong", TOLD_TOO_MUCH, "rebill-0001", "AMB-12"),
    ("non-VEE stays", stale_non_vee, "rebill-0001", "non-VEE intervals left"),
    ("VEE interval lost", vee_lost, "rebill-0001", "VEE data lack"),
    ("a day was not posted", file_of_a_day_missing, "lse-daily", "LSE files of"),
    ("a record was refused", result_code_07, "lse-daily", "records of"),
    ("SMT never took it in", drop_note("intake"), "lse-daily", "records of"),
    ("codes never came", drop_note("result codes"), "lse-daily", "records of"),
    ("posted twice", lambda r: r["journal"].append(copy.deepcopy(note(r, "posted"))), "lse-daily", "LSE files of"),
    ("request of no call", request_of_no_call, "one-per-call", "of no call"),
    ("two of one call", own_request_twice, "one-per-call", "more than one"),
    ("one id twice", lambda r: entry(r, "call-0002").update(key=entry(r)["key"]), "one-per-call", "twice"),
    ("a read without leave on a day without any", of_no_use("call-0001"), "rule-1b", "refused though it had room"),
    ("a status refused on a day without any", of_no_use("status-0001"), "rule-1a", "refused though it had room"),
    ("two reads on a day", second_success("call-0001", "call-0002"), "rule-1b", "more than one"),
    ("doors differ", put("answers-0001.portal.premise", address="1 OTHER LN"), "answers-0001", "at the portal: premise"),
    ("days differ", lambda r: r["actions"]["answers-0001"]["portal"]["daily"][0].update(reading=1.0), "answers-0001", "at the portal: daily"),
    ("a day is no sum", other_days, "answers-0001", "daily read is not their intervals' sum: 08/11/2026"),
    ("no device told", put("answers-0001.market", devices=[]), "answers-0001", "market API does not answer: devices"),
    ("portal said nothing", lambda r: r["actions"]["answers-0001"]["portal"].pop("usage"), "answers-0001", "at the portal: usage"),
    ("own file missing", lambda r: premise(r)["ror_files"].pop(), "ror-files", "files with"),
    ("own file of another", lambda r: premise(r)["ror_files"][0].update(foreign=["1"]), "ror-files", "not the retailer's"),
    ("own file unreadable", lambda r: premise(r)["ror_files"][0].update(faults=1), "ror-files", "faults in"),
    ("own file tells otherwise", lambda r: premise(r)["ror_files"][0]["days"][0].update(wh=1), "ror-files", "other Wh"),
    ("two statuses on a day", second_success("status-0001", "status-0002"), "rule-1a", "more than one"),
]  # fmt: skip
