"""The table of actions: each module's rows. Player, recording, schema, lint and verdict go by it."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from scenarios.actions import (
    answer_fault,
    asks_smt,
    attributes,
    await_files,
    balance_call,
    complaint,
    customer_calls,
    golden_bill,
    http,
    inquire,
    load,
    log_in,
    look,
    modbus,
    on_demand,
    party,
    portal_read,
    read_meter,
    rebill,
    registry_change,
    ror_files,
    same_answers,
    tdsp_file,
    usage_read,
)
from scenarios.actions.action import Row
from scenarios.setting import Act

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
