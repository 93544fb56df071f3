from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.errors import MeterError
from meters.identity import (
    ORDINALS,
    TDSPS,
    MeterIdentity,
    esiid_hash,
    esiid_numbers,
    esiid_texts,
    make_esiid,
    make_meter_number,
    mixed,
    ordinal_of,
    tdsp,
)

ordinals = st.integers(0, ORDINALS - 1)
companies = st.sampled_from(list(TDSPS.values()))


@given(company=companies, seed=st.integers(0, 2**40), ordinal=ordinals)
def test_esiid_has_its_companys_prefix_and_digits_and_leads_back_to_its_ordinal(company, seed, ordinal) -> None:  # type: ignore[no-untyped-def]
    esiid = make_esiid(company, seed, ordinal)
    assert esiid.startswith(company.prefix)
    assert len(esiid) == company.digits
    assert ordinal_of(company, seed, esiid) == ordinal


@pytest.mark.parametrize("key", TDSPS)
def test_ids_are_unique_by_ordinal_and_other_by_seed(key: str) -> None:
    assert len({make_esiid(tdsp(key), 3, ordinal) for ordinal in range(5000)}) == 5000
    assert len({make_meter_number(3, ordinal) for ordinal in range(5000)}) == 5000
    assert make_esiid(tdsp(key), 3, 0) != make_esiid(tdsp(key), 4, 0)
    assert make_esiid(tdsp(key), 3, 0) == make_esiid(tdsp(key), 3, 0)


@pytest.mark.parametrize("key", TDSPS)
def test_hashes_of_columns_are_those_of_the_texts(key: str) -> None:
    company = tdsp(key)
    texts = [make_esiid(company, 11, ordinal) for ordinal in range(100, 150)]
    assert mixed(esiid_numbers(company, 11, np.arange(100, 150))).tolist() == [esiid_hash(text) for text in texts]


@pytest.mark.parametrize("key", TDSPS)
def test_texts_of_columns_are_those_of_each(key: str) -> None:
    company = tdsp(key)
    ordinals = np.array([0, 1, 99, ORDINALS - 1])
    written = [bytes(text).decode("ascii") for text in esiid_texts(company, 11, ordinals)]
    assert written == [make_esiid(company, 11, ordinal) for ordinal in ordinals.tolist()]


@pytest.mark.parametrize("ordinal", [-1, ORDINALS])
def test_an_ordinal_that_no_number_is_left_for_is_refused(ordinal: int) -> None:
    with pytest.raises(MeterError, match=r"meters\.ordinal\.range: .* outside 0 to 99999999\."):
        make_esiid(tdsp("ONCOR"), 3, ordinal)
    with pytest.raises(MeterError, match=r"meters\.ordinal\.range"):
        make_meter_number(3, ordinal)


def test_hash_is_stable_for_ever() -> None:
    assert esiid_hash("10443720000000017") == 5890112129490706199
    assert np.uint64(esiid_hash("1008901999999900000001")) > 0


@pytest.mark.parametrize(
    "text", ["", "1044372000000001", "1044372000000001x", "1" * 23, "１０４４３７２００００００００１７"]
)
def test_what_is_no_esiid_is_refused(text: str) -> None:
    with pytest.raises(MeterError, match=r"meters\.esiid\.malformed"):
        esiid_hash(text)


def test_unknown_company_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MeterError, match="ONCOR, CENTERPOINT"):
        tdsp("LUBBOCK")


def test_foreign_esiid_has_no_ordinal() -> None:
    with pytest.raises(MeterError, match=r"meters\.esiid\.unknown"):
        ordinal_of(tdsp("ONCOR"), 1, make_esiid(tdsp("TNMP"), 1, 0))


@pytest.mark.parametrize("text", ["", "ten", "1044372٠٠٠٠٠٠٠٠١٧"])
def test_what_is_no_number_has_no_ordinal(text: str) -> None:
    with pytest.raises(MeterError) as told:
        ordinal_of(tdsp("ONCOR"), 1, text)
    assert (told.value.code, told.value.place) == ("meters.esiid.unknown", text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"meter_number": "12345LG"},
        {"meter_number": "1" * 13},
        {"multiplier": 0},
        {"firmware": "x" * 17},
        {"dials": 3},
        {"dials": 10},
    ],
)
def test_identity_that_the_wire_cannot_carry_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MeterError):
        MeterIdentity(**({"meter_number": "900000001", "esiid": "10443729900000001"} | wrong))  # type: ignore[arg-type]
