"""What could never strike, and where each kind acts."""

from __future__ import annotations

from typing import Any

import pytest

from meters.calendar import epoch
from simulator.smt.complaints.declared import ComplaintSpec, Unmatched
from simulator.smt.complaints.kinds import ComplaintKind, acts_at
from simulator.smt.complaints.targets import unmatched
from tests.simulator.smt.rig import NOW, PLAIN, RIVAL_DUNS, ROR_DUNS, registry

LATEST, STATUS, ODR, LOGIN = "/api/usage/latestodrread", "/v2/odrstatus", "/v2/odr", "/v2/token"
CALLS = [LATEST, STATUS, ODR, LOGIN]


def why(**fields: Any) -> Unmatched | None:
    spec = ComplaintSpec.model_validate({"kind": "text_503"} | fields)
    return unmatched(spec, registry(), CALLS, lambda name: name == "its.name", epoch(NOW))


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"esiids": [PLAIN, "10443720000000000"]}, "esiids", "there is no ESI ID 10443720000000000"),
        ({"username": "nobody"}, "username", "there is no log-in nobody"),
        ({"duns": "9990009999999"}, "duns", "no log-in speaks for the DUNS number 9990009999999"),
        ({"duns": RIVAL_DUNS, "username": "customer"}, "username", f"customer does not speak for the DUNS number {RIVAL_DUNS}"),
        ({"paths": ["/v2/odr", "/v2/odour"]}, "paths", "no call that text_503 acts on begins with /v2/odour"),
        ({"host": "name"}, "host", "SMT is not called name: write the name or address of a Host header, without a port"),
        ({"until": NOW}, "until", "it is past: here it is 2026-08-12T17:40:00-05:00"),
    ],
)  # fmt: skip
def test_the_first_field_that_leaves_nothing_to_strike_is_told(
    fields: dict[str, Any], field: str, message: str
) -> None:
    assert why(**fields) == Unmatched(field, message)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"esiids": [PLAIN], "duns": ROR_DUNS, "username": "lonestar.api"},
        {"paths": ["/v2/odr/", "/api/usage"]},
        {"host": "ITS.name"},
        {"until": "2026-08-12T17:41"},
    ],
)
def test_what_may_strike_is_taken(fields: dict[str, Any]) -> None:
    assert why(**fields) is None


@pytest.mark.parametrize(
    ("kind", "struck"),
    [
        ("login_html", [LOGIN]),
        ("text_503", CALLS),
        ("data_null", [LATEST]),
        ("stale_read", [LATEST]),
        ("zero_read", [LATEST, STATUS]),
        # Inside SMT, not at its doors; and what the desk refuses itself, the doors let in.
        ("t_failed", []),
        ("quota_used", []),
        ("smt_maintenance", [LATEST, STATUS, LOGIN]),
    ],
)
def test_a_kind_acts_on_its_calls_alone(kind: str, struck: list[str]) -> None:
    assert [path for path in CALLS if acts_at(ComplaintKind(kind), path)] == struck
    assert not acts_at(ComplaintKind(kind), "/healthz")
