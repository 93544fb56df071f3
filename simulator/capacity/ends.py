"""How a request ends, as the columns of a load number it."""

from __future__ import annotations

from simulator.smt.ondemand.lifecycle import State

ENDS = (State.COMPLETED, State.REFUSED, State.FAILED, State.T_FAILED, State.EXPIRED)
COMPLETED, REFUSED, FAILED, T_FAILED, EXPIRED = range(len(ENDS))
