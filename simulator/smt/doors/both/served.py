"""The SMT that a request is for, and whom it is from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from headend.http.described_api import party_of
from simulator.smt.party import Smt

#: Of a handler's parameter: the SMT whose application took the request.
ServedSmt = Annotated[Smt, party_of(Smt)]


async def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


#: Of a handler's parameter: the address that the request came from.
Peer = Annotated[str, Depends(_peer)]
