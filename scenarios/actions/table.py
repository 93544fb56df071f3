"""The table of actions: each module's rows. Player, recording, schema, lint and verdict go by it."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from scenarios.actions.action import Row
from scenarios.actions.market import (
    attributes,
    balance_call,
    http,
    log_in,
    look,
    on_demand,
    portal_read,
    rebill,
    ror_files,
    same_answers,
    usage_read,
)
from scenarios.actions.outside import asks_smt, await_files, customer_calls, golden_bill, inquire, read_meter
from scenarios.actions.world import answer_fault, complaint, load, modbus, party, registry_change, tdsp_file
from scenarios.parts.setting import Act

#: By what a file calls it.
ACTIONS: dict[str, Row[Any, Any]] = {
    row.do: row
    for module in (
        balance_call,
        on_demand,
        portal_read,
        rebill,
        same_answers,
        usage_read,
        attributes,
        ror_files,
        log_in,
        http,
        inquire,
        customer_calls,
        golden_bill,
        asks_smt,
        look,
        load,
        complaint,
        tdsp_file,
        await_files,
        answer_fault,
        modbus,
        read_meter,
        registry_change,
        party,
    )
    for row in module.ROWS
}

if TYPE_CHECKING:
    Action = Act
else:
    Action = Annotated[reduce(or_, (row.written for row in ACTIONS.values())), Field(discriminator="do")]
