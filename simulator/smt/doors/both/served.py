"""The SMT that a request is for."""

from __future__ import annotations

from typing import Annotated

from headend.http.described_api import party_of
from simulator.smt.party import Smt

#: Of a handler's parameter: the SMT whose application took the request.
ServedSmt = Annotated[Smt, party_of(Smt)]
