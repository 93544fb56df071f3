"""Who may ask for what at an SMT, with which log-in: as a market has it, and as a CSV file that whoever plays a load reads.

One row is one right: an ESI ID, its meter, and somebody's log-in. ``requester``: REP or CSP at the market API, RES at the portal.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from simulator.errors import SimulatorError
from simulator.input.csv_text import CsvColumns, csv_rows
from simulator.input.mistakes import did_you_mean
from simulator.smt.ondemand.eligibility import objection
from simulator.smt.registry.records import UserKind
from simulator.smt.throttle.limits import RequesterClass
from simulator.world.market import Login, Market

COLUMNS = ("esiid", "meter_number", "requester", "username", "password", "duns", "class")
#: How a requester of each kind names itself.
REQUESTERS = {UserKind.ROR: "REP", UserKind.CSP: "CSP", UserKind.CUSTOMER: "RES"}
CUSTOMER = REQUESTERS[UserKind.CUSTOMER]


@dataclass(frozen=True, slots=True)
class Right:
    """Somebody who may ask for on-demand reads of an ESI ID. ``counted``: the class that policies count the log-in as, where it is known."""

    esiid: str
    meter_number: str
    requester: str
    login: Login
    counted: str = ""


def rights_of(market: Market, day: date) -> Iterator[Right]:
    """Every right of an operating day whose log-in is known."""
    registry = market.registry
    for login in dict.fromkeys(market.logins.values()):
        user = registry.users[login.username]
        for esiid in registry.points if user.kind in REQUESTERS else ():
            number = registry.point(esiid, day).meter_number
            if objection(registry, user, esiid, number, day) is None:
                yield Right(esiid, number, REQUESTERS[user.kind], login, user.requester_class)


def write_rights(path: Path, rights: Iterable[Right]) -> None:
    """Write the file that ``read_rights`` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for one in rights:
            who = one.login
            row = (one.esiid, one.meter_number, one.requester, who.username, who.password, who.duns, one.counted)
            rows.writerow(row)


def read_rights(path: Path) -> tuple[list[Right], list[SimulatorError]]:
    """The rights of a file, and everything that is wrong with it, by line."""
    faults: list[SimulatorError] = []
    rights: list[Right] = []
    needed = [name for name in COLUMNS if name not in ("meter_number", "duns", "class")]
    for place, row in csv_rows(
        path, CsvColumns(COLUMNS, needed), SimulatorError, "load.callers", faults, required=True
    ):
        esiid, requester = row["esiid"], row["requester"]
        if not (esiid.isascii() and esiid.isdigit() and 17 <= len(esiid) <= 22):
            text, mend = f"'{esiid[:40]}' is no ESI ID.", "Write its 17 to 22 digits."
        elif requester not in REQUESTERS.values():
            text = f"'{requester[:40]}' is no requester."
            mend = did_you_mean(requester, REQUESTERS.values())
        elif not row["username"] or not row["password"]:
            text, mend = "The log-in is not whole.", "Write username and password."
        elif requester == CUSTOMER and not row.get("meter_number"):
            text, mend = "The portal asks for the meter too.", "Write its number as meter_number."
        elif requester != CUSTOMER and not row.get("duns"):
            text, mend = "The market API asks for a DUNS number too.", "Write it as duns."
        elif row.get("class") and row["class"] not in [*RequesterClass]:
            text = f"'{row['class'][:40]}' is no class of requesters."
            mend = did_you_mean(row["class"], RequesterClass)
        else:
            login = Login(row["username"], row["password"], row.get("duns", ""))
            rights.append(Right(esiid, row.get("meter_number", ""), requester, login, row.get("class", "")))
            continue
        faults.append(SimulatorError("load.callers.row", text, place, mend))
    if not rights and not faults:
        faults.append(SimulatorError("load.callers.empty", "Nobody may ask for anything.", str(path), "Add rows."))
    return rights, faults
