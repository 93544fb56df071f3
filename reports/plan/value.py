"""The table of what a read is worth: made, kept as Parquet and CSV, and told in rows of text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from meters.errors import reason
from simulator.capacity.value import CLOSING, KEY, TO_DATE, WAYS, ValueTable
from simulator.ror.billing.plan import RatePlan
from simulator.ror.errors import RorError
from simulator.ror.expected.tally import value
from simulator.versions import code_behind

_MEANS = ("mean_kwh", "mean_usd", "unsatisfied")
#: What computes a table.
_CODE = "simulator.ror.expected.tally"
#: Quarter hours unknown that are told, and hours of the day in which people call [D].
SHOWN, CALLED = (1, 4, 16, 48, 72, 96, 144, 192), range(8, 22)
#: The head-end's store has what sweeps brought, one every four hours [C]; VEE data reach to the last midnight.
_SINCE = {"VEE": 24, "store": 4}
#: Columns of the rows: the ways, and the closing bill with all read and with VEE data and the usual day.
COLUMNS = (*WAYS, "closing, all read", "closing, VEE")


def make(plans: Mapping[str, RatePlan], homes: int, seed: int, progress: Callable[[int, int], None]) -> ValueTable:
    """Make a table of so many homes. Raises RorError of a plan that has no TDU charge on a day of it."""
    return ValueTable(key_of(plans, homes, seed), value(plans, homes, seed, progress))


def key_of(plans: Mapping[str, RatePlan], homes: int, seed: int) -> dict[str, Any]:
    """What a table is a result of."""
    hashes = {name: hash_of(plan) for name, plan in plans.items()}
    return {"seed": seed, "homes": homes, "plans": hashes, "code": code_behind(_CODE)[:16]}


def hash_of(plan: RatePlan) -> str:
    """Sixteen hex digits of all that a plan says, the charges of its TDSP among it."""
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()[:16]


def only(table: ValueTable, plans: Sequence[str]) -> ValueTable:
    """The rows of some of its plans."""
    chosen = np.isin(table.columns["plan"], plans)
    hashes = {name: table.key["plans"][name] for name in plans}
    return ValueTable(table.key | {"plans": hashes}, {name: of[chosen] for name, of in table.columns.items()})


def stale(table: ValueTable, plans: Mapping[str, RatePlan]) -> list[str]:
    """Sentences on plans that have changed since it was made."""
    hashes = table.key["plans"]
    changed = [name for name, plan in plans.items() if hashes.get(name) != hash_of(plan)]
    return [f"Plan '{name}' is not as it was when the table was made." for name in changed]


def write_parquet(table: ValueTable, path: Path) -> None:
    """Write the table, small. Raises RorError where it cannot be written."""
    import pyarrow.parquet as pq

    with _writing(path):
        pq.write_table(
            _arrow(table).replace_schema_metadata({KEY: json.dumps(table.key, sort_keys=True)}),
            path,
            compression="zstd",
            compression_level=19,
            # Means hardly ever come twice: their octets compress better by place.
            use_dictionary=[name for name in table.columns if name not in _MEANS],
            column_encoding=dict.fromkeys(_MEANS, "BYTE_STREAM_SPLIT"),
        )


def write_csv(table: ValueTable, path: Path) -> None:
    """Write the rows. Raises RorError where they cannot be written."""
    import pyarrow.csv

    with _writing(path):
        pyarrow.csv.write_csv(_arrow(table), path)


def by_way(table: ValueTable, figure: str) -> dict[str, list[float]]:
    """A mean or share of each plan, a value for each of ``COLUMNS``, over calls at half past the hours from 8 to 21 on all days. NaN where a small table has no call."""
    means = {(way, TO_DATE): _called(table, figure, way, TO_DATE) for way in WAYS}
    means |= {(way, CLOSING): _called(table, figure, way, CLOSING) for way in ("store + meter", "VEE + usual day")}
    return {plan: [float(one[at]) for one in means.values()] for at, plan in enumerate(table.plans)}


def not_known(way: str, hour: int) -> int:
    """Quarter hours that a way does not know of a call at half past an hour."""
    source, _, more = way.partition(" + ")
    return 0 if more == "meter" else hour % _SINCE[source] * 4 + 2


def _called(table: ValueTable, figure: str, way: str, bill: str) -> Any:
    """(p,)"""
    unknown = [not_known(way, hour) for hour in CALLED]
    sums, weights = np.zeros(len(table.plans)), 0
    for season in table.names("season"):
        for kind in table.names("kind"):
            weight = int(table.columns["calls"][table.rows(season=season, kind=kind)].sum())
            sums += weight * table.packed(season, kind, way, figure, bill)[CALLED, unknown].mean(axis=0)
            weights += weight
    return sums / weights


def rows(table: ValueTable) -> Iterator[str]:
    """The table in short: by way and plan, and of each plan by what is not known."""
    homes = f"{table.key['homes']:,} generated homes, seed {table.key['seed']}"
    yield f"{homes}: a bill told less the bill of the truth, calls at 08:30 to 21:30"
    if table.key["code"] != code_behind(_CODE)[:16]:
        yield "(made by other code than this: another table of the same seed may differ)"
    heads = [*WAYS, "all read", "VEE"]
    for figure, text, form in (
        ("mean_usd", "mean of abs($)", "{:.2f}"),
        ("unsatisfied", "off by more than $1 and 2 % (AMB-12), %", "{:.1%}"),
    ):
        yield ""
        yield f"{text:<72}{'closing bill'}"
        yield f"{'':24}" + "".join(f"{_short(head):>9}" for head in heads)
        for plan, values in by_way(table, figure).items():
            yield f"{plan[:23]:24}" + "".join(f"{_told(form, one).rstrip('%'):>9}" for one in values)
    if np.isnan([*by_way(table, "mean_usd").values()]).any():
        yield "-: so few homes have no call at some of these hours; more of them (--homes) tell it."
    for plan in table.plans:
        yield ""
        yield f"{plan}: mean of abs($), and share over AMB-12, of all calls by hours not known"
        gaps = list(dict.fromkeys(WAYS.values()))
        yield f"{'':8}" + "".join(f"{gap:>20}" for gap in gaps)
        for unknown in SHOWN:
            cells = [
                [
                    table.mean(figure, plan=plan, gap=gap, unknown=unknown, bill=TO_DATE)
                    for figure in ("mean_usd", "unsatisfied")
                ]
                for gap in gaps
            ]
            yield f"{unknown // 4:>5}:{unknown % 4 * 15:02}" + "".join(
                f"{_told('{:.2f}', usd):>12}{_told('{:.1%}', share):>8}" for usd, share in cells
            )


def _told(form: str, value: float) -> str:
    """A value; of no call there is none."""
    return "-" if np.isnan(value) else form.format(value)


def _short(way: str) -> str:
    """A way in eight characters."""
    source, _, more = way.partition(" + ")
    return f"+ {more.split()[0]}" if more else source


def summary(table: ValueTable) -> dict[str, Any]:
    """JSON values of the same."""
    told = {figure: by_way(table, figure) for figure in ("mean_usd", "unsatisfied")}
    return {
        **{name: table.key[name] for name in ("homes", "seed", "code")},
        "plans": [
            {
                "plan": plan,
                "hash": table.key["plans"][plan],
                "ways": [
                    {
                        "way": way,
                        **{
                            figure: None if np.isnan(of[plan][at]) else round(of[plan][at], 4)
                            for figure, of in told.items()
                        },
                    }
                    for at, way in enumerate(COLUMNS)
                ],
            }
            for plan in table.plans
        ],
    }


def _arrow(table: ValueTable) -> Any:
    import pyarrow as pa

    columns = {name: pa.array(of) for name, of in table.columns.items()}
    return pa.table(
        {name: of.dictionary_encode() if pa.types.is_string(of.type) else of for name, of in columns.items()}
    )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = f"The table cannot be written: {reason(error)}."
        raise RorError("ror.value.unwritable", text, str(path), "Name another file.") from None
