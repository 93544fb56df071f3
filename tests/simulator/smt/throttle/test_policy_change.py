"""Another policy at the same database: what was used stays used where the leases tell it, and nothing is taken for what it is not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select, text

from meters.calendar import Seconds, epoch
from simulator.smt.database.tables import throttle_window
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import Door, Kind, Lease, Policy, Refusal, Requested, Scope
from simulator.smt.throttle.policy import parse_policy, preset

NOON = epoch("2026-08-12T12:00")
HOUR = 3600


def of(**fields: Any) -> Policy:
    written = {"name": "L", "scope": "esiid", "code": "L", "rule": "A rule.", "amount": 2} | fields
    return parse_policy("mine", {"title": "t", "limits": [written]}, place="test")


def ask(
    engine: Engine, policy: Policy | str, at: Seconds, kind: Kind = Kind.READ
) -> tuple[DatabaseAdmission, Lease | Refusal]:
    """Restart under a policy, and ask."""
    admission = DatabaseAdmission(engine, preset(policy) if isinstance(policy, str) else policy)
    scopes = {Scope.ESIID: "e", Scope.ROR: "r", Scope.REQUESTER_CLASS: "csp", Scope.TDSP: "t", Scope.ACCESS_POINT: "a"}
    return admission, admission.reserve(f"{at}", Requested(kind, Door.API, scopes), at)


def use(engine: Engine, policy: Policy | str, at: Seconds, octets: int = 0, failed: bool = False) -> None:
    admission, lease = ask(engine, policy, at)
    assert isinstance(lease, Lease)
    admission.settle(f"{at}", lease, at + 60, not failed, octets, failed)


def refused(engine: Engine, policy: Policy | str, at: Seconds, kind: Kind = Kind.READ) -> Refusal:
    _, refusal = ask(engine, policy, at, kind)
    assert isinstance(refusal, Refusal)
    return refusal


def test_uses_of_the_rolling_hour_are_uses_of_the_clocks_hour_and_the_other_way_round(engine: Engine) -> None:
    use(engine, "smt-today", NOON - 600)
    use(engine, "smt-today", NOON + 600)
    use(engine, "smt-today-clock", NOON + 700)
    for policy in ("smt-today-clock", "smt-today", "smt-today-clock"):
        refusal = refused(engine, policy, NOON + 800)
        first = NOON if "clock" in policy else NOON + 600
        assert (refusal.code, refusal.retry_at) == ("SMT-HOUR", first + HOUR)
        assert "Used at 2026-08-12T12:" in refusal.reason
    # Of statuses none was used.
    assert isinstance(ask(engine, "smt-today", NOON + 900, Kind.STATUS)[1], Lease)


def test_a_limit_that_was_away_for_a_while_knows_what_was_used_meanwhile(engine: Engine) -> None:
    use(engine, "n-per-day:amount=2", NOON)
    use(engine, "smt-today", NOON + HOUR)
    assert refused(engine, "n-per-day:amount=2", NOON + 2 * HOUR).code == "READ-DAY"
    # Another amount is the same count held against more.
    use(engine, "n-per-day:amount=3", NOON + 3 * HOUR)
    assert refused(engine, "n-per-day:amount=3", NOON + 4 * HOUR).code == "READ-DAY"


def test_a_request_under_way_holds_its_place_in_the_limits_of_the_new_policy(engine: Engine) -> None:
    _, lease = ask(engine, of(window="day"), NOON)
    assert isinstance(lease, Lease)
    changed = DatabaseAdmission(engine, of(name="OTHER", window="clock_hour", amount=1))
    (held,) = (one for one in changed.open_leases()[f"{NOON}"].held if one.limit == "OTHER")
    assert held == ("OTHER", "e", NOON, 1)
    assert refused(engine, changed._policy, NOON + 1).retry_at == NOON + HOUR
    changed.settle(f"{NOON}", changed.open_leases()[f"{NOON}"], NOON + 60, True)
    assert refused(engine, changed._policy, NOON + 120).reason == "A rule. It was used at 2026-08-12T12:01:00-05:00."
    assert changed.open_leases() == {}


def test_one_name_for_another_measure_takes_no_count_for_another(engine: Engine) -> None:
    octets = of(measure="octets", amount=10**6, estimate=1000, window="day")
    use(engine, octets, NOON, octets=900_000)
    # One success stands in the leases, of 900,000 octets nothing is said.
    use(engine, of(window="day"), NOON + 100)
    assert refused(engine, of(window="day"), NOON + 200).retry_at == epoch("2026-08-13T00:00")
    bucket = of(measure="tokens", amount=1, per_s=600, burst=3)
    use(engine, bucket, NOON + 300)
    assert refused(engine, bucket, NOON + 301).retry_at == NOON + 600
    breaker = of(measure="meter_failures", amount=1, within_s=600, cool_down_s=600)
    use(engine, breaker, NOON + 400, failed=True)
    assert refused(engine, breaker, NOON + 461).retry_at == NOON + 1060
    # What opened the breaker is no bucket's level.
    use(engine, bucket, NOON + 1300)


def test_one_name_for_other_requests_takes_none_for_its_own_however_often_it_changes(engine: Engine) -> None:
    reads, statuses = of(kind="read", window="day"), of(kind="status", window="day")
    use(engine, reads, NOON)
    for turn in range(3):
        admission, lease = ask(engine, statuses, NOON + 60 + turn, Kind.STATUS)
        assert isinstance(lease, Lease)
        admission.settle(f"{NOON + 60 + turn}", lease, NOON + 90, False)
        DatabaseAdmission(engine, reads)
    use(engine, reads, NOON + 100)
    refusal = refused(engine, reads, NOON + 200)
    assert refusal.reason == "A rule. Used at 2026-08-12T12:01:00-05:00 and 2026-08-12T12:02:40-05:00."
    assert isinstance(ask(engine, statuses, NOON + 300, Kind.STATUS)[1], Lease)


def test_a_database_that_did_not_say_what_it_counts_is_taken_at_its_word(engine: Engine) -> None:
    use(engine, "n-per-day:amount=1", NOON)
    with engine.begin() as connection:
        connection.execute(text("UPDATE throttle_lease SET counted = ''"))
        connection.execute(text("UPDATE throttle_limit SET meaning = ''"))
    assert refused(engine, "n-per-day:amount=1", NOON + 100).code == "READ-DAY"
    # And what it counted can be counted anew from then on.
    assert refused(engine, of(kind="read", window="day", amount=1), NOON + 200).code == "L"
    with engine.connect() as connection:
        assert {row.limit_name for row in connection.execute(select(throttle_window))} == {"L"}
