"""What VEE found of a day, as the store tells it."""

from __future__ import annotations

from datetime import timedelta

from headend.store.store import HeadEndStore
from headend.vee.batch import run_batch
from tests.headend.store.readings import DAY, ESIID, METER, MIDNIGHT, OTHER, OTHER_METER, reading


def test_findings_are_told_by_esi_id_and_rule_in_pages_and_a_later_run_replaces_them() -> None:
    store = HeadEndStore("sqlite://")
    for esiid in (ESIID, OTHER):
        store.keep([reading(MIDNIGHT, [100] * 90 + [None] * 6, esiid)], MIDNIGHT + 86_400, "sweep")
    store.vee.keep(run_batch(store.day([ESIID, OTHER], DAY)))
    count, found = store.findings.of_day(DAY)
    assert count == len(found)
    assert {one.meter for one in found} == {METER, OTHER_METER}
    of_other = [one for one in found if one.meter == OTHER_METER]
    assert store.findings.of_day(DAY, esiid=OTHER) == (len(of_other), of_other)
    assert store.findings.of_day(DAY, esiid=OTHER, skip=1, most=1) == (len(of_other), of_other[1:2])
    rule = of_other[0].finding.id
    assert store.findings.meters_of(rule, DAY, DAY) == {DAY: {METER, OTHER_METER}}
    assert store.findings.meters_of(rule, DAY + timedelta(days=1), DAY + timedelta(days=9)) == {}
    assert store.findings.of_day(DAY, rule=rule)[0] == sum(one.finding.id == rule for one in found)
    store.keep([reading(MIDNIGHT, [100 + i % 7 for i in range(96)])], MIDNIGHT + 90_000, "sweep")
    store.vee.keep(run_batch(store.day([ESIID], DAY)))
    assert store.findings.of_day(DAY, esiid=OTHER) == (len(of_other), of_other)
    assert store.findings.of_day(DAY, esiid=ESIID)[1] != [one for one in found if one.meter == METER]
    store.close()
