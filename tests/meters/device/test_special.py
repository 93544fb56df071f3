from __future__ import annotations

import pytest

from meters.calendar import epoch
from meters.device.special import SPECIALS, special_esiid, special_meters, two_meters
from meters.errors import MeterError
from meters.events import EventKind
from meters.faults.kinds import FaultKind
from meters.identity import TDSPS, make_esiid, ordinal_of, tdsp
from meters.shown import Wire

SINCE = epoch("2026-08-12T12:00")
LATER = SINCE + 2 * 3600
ONCOR = tdsp("ONCOR")
MADE = {int(meter.identity.esiid[-8:]): meter for meter, _ in special_meters(ONCOR, 1, SINCE)}


@pytest.mark.parametrize("key", TDSPS)
def test_magic_esiids_are_the_companys_and_no_made_up_premise_has_one(key: str) -> None:
    company = tdsp(key)
    for special in SPECIALS:
        esiid = special_esiid(company, special.number)
        assert len(esiid) == company.digits
        assert esiid.startswith(company.prefix)
        with pytest.raises(MeterError):
            ordinal_of(company, 1, esiid)
        assert esiid[:-8] != make_esiid(company, 1, 0)[:-8]


def test_magic_esiids_are_the_same_whatever_the_seed_and_each_says_what_it_does() -> None:
    notes = [
        (meter.identity.esiid, meter.identity.meter_number, note) for meter, note in special_meters(ONCOR, 1, SINCE)
    ]
    assert notes == [
        (meter.identity.esiid, meter.identity.meter_number, note) for meter, note in special_meters(ONCOR, 99, SINCE)
    ]
    assert len({esiid for esiid, _, _ in notes}) == len({number for _, number, _ in notes}) == len(SPECIALS)
    assert all(note for _, _, note in notes)


def test_wire_specials_do_on_the_wire_what_they_say() -> None:
    seen = {number: MADE[number].reply(LATER).wire for number in range(1, 15) if number != 11}
    assert [number for number, wire in seen.items() if wire is Wire.SILENT] == [1, 12, 13]
    assert seen[5] is seen[6] is Wire.EXCEPTION
    assert [MADE[number].reply(LATER).code for number in (5, 6)] == [11, 6]
    assert seen[7] is Wire.NO_PATH
    assert (seen[8], seen[9], seen[10]) == (Wire.WRONG_TRANSACTION, Wire.WRONG_UNIT, Wire.WRONG_LENGTH)
    assert MADE[2].reply(LATER).delay_s == 2


def test_outage_specials_tell_or_do_not() -> None:
    told = {number: [event.kind for event in MADE[number].events(SINCE, LATER)] for number in (12, 13, 14)}
    assert told == {12: [EventKind.LAST_GASP], 13: [], 14: [EventKind.LAST_GASP, EventKind.RESTORATION]}


def test_specials_show_what_they_say() -> None:
    assert MADE[3].live(LATER).delivered_register == 0
    assert MADE[4].clock(LATER) == LATER - 86_400
    assert not MADE[15].live(LATER).switch_closed
    assert not MADE[16].window(LATER - 3600, LATER, LATER).present.any()
    assert MADE[17].clock(LATER) == LATER + 600
    assert 500 < MADE[18].clock(LATER) - LATER < 700
    assert len(set(MADE[19].window(LATER - 3600, LATER, LATER).delivered.tolist())) == 1
    assert (MADE[20].window(LATER - 3600, LATER, LATER).delivered < 0).all()
    assert (MADE[21].window(LATER - 3600, LATER, LATER).delivered == 0).all()
    assert MADE[22].identity_at(LATER).multiplier == 10
    assert MADE[22].identity.multiplier == 1
    assert MADE[23].identity_at(LATER).meter_number != MADE[23].identity.meter_number
    assert MADE[24].live(SINCE + 3599).delivered_register > 99_000_000 > MADE[24].live(LATER).delivered_register
    assert MADE[26].premise.esiid == MADE[27].identity.esiid
    assert MADE[28].window(LATER - 3600, LATER, LATER).received.sum() > 0
    assert MADE[31].identity.multiplier == 40
    assert MADE[30].identity.three_phase


def test_two_meters_share_an_esiid_and_have_numbers_of_their_own() -> None:
    (first, _), (second, _) = two_meters(ONCOR, 1)
    assert first.identity.esiid == second.identity.esiid
    assert first.identity.meter_number != second.identity.meter_number
    assert first.live(LATER).delivered_register > second.live(LATER).delivered_register


def test_specials_cover_every_kind_of_fault_but_those_of_single_intervals() -> None:
    seen = {fault.kind for special in SPECIALS for fault in special.faults}
    assert set(FaultKind) - seen == {
        FaultKind.RESET,
        FaultKind.SKIPPED,
        FaultKind.SPIKE,
        FaultKind.PARTIAL,
        FaultKind.LONG,
        FaultKind.OVERFLOW,
        FaultKind.CONFIGURATION,
    }
