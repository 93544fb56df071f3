"""What an SMT is handed to serve ours: the records of service points, retailers and log-ins, as one JSON file and as a registry of CSV files."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

from scenarios.file.schema import Scenario
from simulator.runtime.folder import write_whole
from simulator.smt.registry.csv_files import write_registry
from simulator.world.market import CSP_LOGIN, Login, build_market, logins
from simulator.world.meters import build

RECORDS, REGISTRY = "records.json", "registry"
_NEVER = "9999-12-31"
#: What a service point can lack (A1 to A4), and that it is energized, in the order in which it is looked at.
LACKS = ("ams", "provisioned", "receiving", "lse", "energized")


def hand(scenario: Scenario, out: Path) -> None:
    """Write both into a folder, in place of what an earlier step left there.

    ``records.json``: ``{"tdsp": DUNS, "users": {NAME: {"password", "duns", "kind"}}, "points": {ESIID: {"meter", "lacks": [...], "rors": [[DUNS, first day,
    last day], ...], "agreed": [[DUNS, first day, last day], ...], "lives": [[NAME, first day, last day], ...]}}}``; a customer (RES) has no DUNS. The registry is that of docs/smt-market-api.md.
    """
    world = build(scenario.world, scenario.seed)
    market = build_market(world)
    folder = out / REGISTRY
    shutil.rmtree(folder, ignore_errors=True)
    write_registry(market.registry, folder)
    points: dict[str, Any] = {
        row["esiid"]: {
            "meter": row["meter_number"],
            "lacks": [name for name in LACKS if row.get(name) == "N"],
            "rors": [],
            "agreed": [],
            "lives": [],
        }
        for row in _rows(folder / "service_points.csv")
    }
    for file, name in (("ror_periods.csv", "rors"), ("agreements.csv", "agreed")):
        for row in _rows(folder / file):
            points[row["esiid"]][name].append([row["duns"], row["first_day"], row["last_day"] or _NEVER])
    for row in _rows(folder / "occupancies.csv"):
        points[row["esiid"]]["lives"].append([row["username"], row["first_day"], row["last_day"] or _NEVER])
    for row in _rows(folder / "users.csv"):
        for esiid in row["esiids"].split():
            points[esiid]["lives"].append([row["username"], "0001-01-01", _NEVER])
    users = {
        one.username: {"password": one.password, "duns": one.duns, "kind": _kind(one)}
        for one in logins(scenario.world.market).values()
    }
    said = {"tdsp": world.tdsp.duns, "users": users, "points": points}
    write_whole(out / RECORDS, json.dumps(said, indent=1) + "\n")


def _kind(one: Login) -> str:
    return "CSP" if one == CSP_LOGIN else "REP" if one.duns else "RES"


def our_logins(scenario: Scenario) -> dict[str, Login]:
    """The log-ins of ours, by what a statement calls them."""
    return build_market(build(scenario.world, scenario.seed)).logins


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
