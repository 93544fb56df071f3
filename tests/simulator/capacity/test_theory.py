"""Closed forms, against printed tables, exact sums and each other."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from simulator.capacity.outcome import Observed
from simulator.capacity.theory import beside, erlang_b, erlang_c, m_g_1, m_m_c


def exact(servers: int, offered: Fraction) -> tuple[Fraction, Fraction]:
    """Erlang B and C as the sums over states that they are."""
    terms = [offered**n / math.factorial(n) for n in range(servers + 1)]
    waiting = terms[-1] * servers / (servers - offered)
    return terms[-1] / sum(terms), waiting / (sum(terms[:-1]) + waiting)


@pytest.mark.parametrize(("servers", "offered"), [(1, "0.7"), (2, "1.5"), (8, "6.8"), (50, "47.5"), (400, "390")])
def test_erlangs_formulas_are_the_sums_over_states(servers: int, offered: str) -> None:
    blocked, waits = exact(servers, Fraction(offered))
    assert erlang_b(servers, float(offered)) == pytest.approx(float(blocked), rel=1e-9)
    assert erlang_c(servers, float(offered)) == pytest.approx(float(waits), rel=1e-9)


def test_erlang_b_is_as_printed() -> None:
    """Any table of traffic: 10 circuits carry 4.46 erlangs at a grade of service of 1 %, 100 carry 84.1."""
    assert erlang_b(10, 4.461) == pytest.approx(0.01, rel=1e-3)
    assert erlang_b(100, 84.064) == pytest.approx(0.01, rel=1e-3)


def test_one_exponential_server_waits_by_both_forms() -> None:
    served = 0.2
    assert m_m_c(3.5, served, 1) == pytest.approx(m_g_1(3.5, served, 2 * served**2)) == pytest.approx(0.7 * 0.2 / 0.3)


def test_without_a_steady_state_everybody_waits_for_ever() -> None:
    assert erlang_c(8, 8.0) == 1.0
    assert math.inf == m_m_c(40.0, 0.2, 8) == m_g_1(5.0, 0.2, 0.04)


def observed(**changed: Any) -> Observed:
    """Access points at three quarters of what they carry, as M/D/1 has them."""
    usual = {"servers": 1, "arrivals": 10_800, "span_s": 3600.0, "service_s": 0.25, "service_cv2": 0.0}
    return Observed("w", "p", "access point", **usual | {"time_s": 0.625, "there": 1.875} | changed)


def test_a_resource_is_held_to_the_form_that_its_conditions_allow() -> None:
    found = beside(observed())
    assert (found.form, found.rate, found.served_rate, found.rho) == ("M/D/1", 3.0, 4.0, 0.75)
    # Wait rho / (2 mu (1 - rho)) = 0.375 s.
    assert (found.time_s, found.there, found.little) == pytest.approx((0.625, 1.875, 1.875))
    assert beside(observed(service_cv2=1.0)).time_s == pytest.approx(0.25 / (1 - 0.75))
    several = beside(observed(servers=8, service_s=2.0, service_cv2=1.02))
    assert several.form == "M/M/8"
    assert several.time_s == pytest.approx(2.0 + float(exact(8, Fraction(6))[1]))
    assert beside(observed(servers=0)).time_s == 0.25


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"span_s": 86_400.0}, "not steady over 24 h"),
        ({"service_s": 0.4}, "more comes than is served"),
        ({"servers": 8, "service_cv2": 0.4}, "not exponential (squared variation 0.4)"),
    ],
)
def test_where_no_form_holds_it_is_said_why_and_little_alone_is_given(changed: dict[str, float], why: str) -> None:
    found = beside(observed(**changed))
    assert found.form == ""
    assert found.time_s is found.there is None
    assert why in found.why
    assert found.little == pytest.approx(found.rate * 0.625)
