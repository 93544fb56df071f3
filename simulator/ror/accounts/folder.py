"""A folder of accounts, read: everything that is wrong with it at once, file by file and line by line, each with its mend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from simulator.input.csv_text import CsvColumns, csv_rows
from simulator.input.mistakes import did_you_mean, mistakes_of
from simulator.input.yaml_text import ExactLoader, Mistake, UnreadableFile, YamlDocument, YamlProblem, read_yaml_file
from simulator.ror.account import LONGEST_CYCLE_DAYS, LastBill, Payment
from simulator.ror.accounts.book import AccountBook, Customer
from simulator.ror.accounts.written import (
    ACCOUNTS,
    BILLS,
    PAYMENTS,
    READING_DAYS,
    AccountEntry,
    BillRow,
    PaymentRow,
    ReadingDay,
    Written,
)
from simulator.ror.billing.plan import RatePlan, plan_mistakes, shipped_plan, shipped_plans
from simulator.ror.errors import RorError

_CODE = "ror.accounts"
Row = TypeVar("Row", bound=BaseModel)


def read_accounts(folder: Path) -> AccountBook:
    """Read a folder. Raises RorError of its first mistake; ``account_mistakes`` tells them all."""
    book, mistakes = account_mistakes(folder)
    if book is None:
        raise mistakes[0]
    return book


def account_mistakes(folder: Path) -> tuple[AccountBook | None, list[RorError]]:
    """The accounts of a folder, or everything that is wrong with it, in the order of files and lines."""
    reading = _Reading(folder)
    customers = list(reading.customers())
    return (None, reading.told()) if reading.mistakes else (AccountBook(customers), [])


@dataclass(slots=True)
class _Reading:
    """One look through a folder."""

    folder: Path
    mistakes: list[RorError] = field(default_factory=list)
    #: The plans that accounts may name: shipped ones and the folder's files; None for one that is not sound.
    plans: dict[str, RatePlan | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the plans: what is wrong with a file is told once, whoever names it."""
        self.plans |= {name: shipped_plan(name) for name in shipped_plans()}
        # A folder without accounts is another's, with YAML of its own.
        for path in sorted(self.folder.glob("*.yaml")) if (self.folder / ACCOUNTS).exists() else ():
            if path.name != ACCOUNTS:
                self.plans[path.name], mistakes = plan_mistakes(path)
                self.mistakes += mistakes

    def told(self) -> list[RorError]:
        """The mistakes, each once, by file and line."""
        order = [str(self.folder / file) for file in (ACCOUNTS, READING_DAYS, BILLS, PAYMENTS)]

        def at(mistake: RorError) -> tuple[int, str, int]:
            file, _, rest = mistake.place.partition(":")
            line = rest.partition(":")[0]
            return order.index(file) if file in order else len(order), file, int(line) if line.isdigit() else 0

        return sorted({str(one): one for one in self.mistakes}.values(), key=at)

    def customers(self) -> Iterator[Customer]:
        """The accounts, as far as each is sound by itself; what is wrong is noted."""
        cycles, known_cycles = self._cycles()
        entries, ids, written = self._entries()
        bills, payments = self._of_accounts(BILLS, BillRow, ids), self._of_accounts(PAYMENTS, PaymentRow, ids)
        self._twice(entries, written)
        for at, entry in entries:
            if known_cycles and entry.cycle not in cycles:
                text = f"Cycle '{entry.cycle}' has no reading days."
                self._note(
                    written,
                    Mistake(f"{_CODE}.cycle", ("accounts", at, "cycle"), text, did_you_mean(entry.cycle, cycles)),
                )
            plans = [self._plan(written, (at, place), one.plan, one.since) for place, one in enumerate(entry.plans)]
            customer = Customer(
                entry,
                tuple(cycles.get(entry.cycle, ())),
                tuple(plan for plan in plans if plan is not None),
                tuple(
                    LastBill(amount=one.amount, billed=one.billed, due=one.due)
                    for one in sorted(bills[entry.account_id], key=lambda one: one.billed)
                ),
                tuple(Payment(received=one.received, amount=one.amount) for one in payments[entry.account_id]),
            )
            for place, one in enumerate(entry.plans) if entry.cycle in cycles else ():
                if not customer.begins(one.since):
                    text = f"A plan changes when the meter is read, and on {one.since} no cycle begins."
                    mend = f"Write a reading day of cycle '{entry.cycle}', or the account's first_day."
                    self._note(written, Mistake(f"{_CODE}.plan", ("accounts", at, "plans", place, "since"), text, mend))
            yield customer

    def _note(self, written: YamlDocument, mistake: Mistake) -> None:
        self.mistakes.append(RorError(mistake.code, mistake.message, _where(written, mistake), mistake.mend))

    def _entries(self) -> tuple[list[tuple[int, AccountEntry]], set[str], YamlDocument]:
        """The accounts that are sound, by their place, and every id that is written, sound or not."""
        path = self.folder / ACCOUNTS
        try:
            written = read_yaml_file(path, ExactLoader)
        except UnreadableFile as error:
            text, mend = f"The accounts cannot be read: {error.problem}.", f"Name a folder with {ACCOUNTS} in it."
            self.mistakes.append(RorError(f"{_CODE}.unreadable", text, error.place, mend))
            return [], set(), YamlDocument(str(path), None)
        except YamlProblem as error:
            self.mistakes.append(
                RorError(f"{_CODE}.yaml", f"The YAML is wrong: {error.problem}.", error.place, "Mend the line.")
            )
            return [], set(), YamlDocument(str(path), None)
        value = written.value
        try:
            Written[Any].model_validate(value)
        except ValidationError as error:
            for mistake in mistakes_of(error, value, Written[Any], f"{_CODE}.field"):
                self._note(written, mistake)
        listed = value.get("accounts") if isinstance(value, dict) else None
        found, ids = [], set()
        for at, entry in enumerate(listed if isinstance(listed, list) else ()):
            ids.add(str(entry.get("account_id")) if isinstance(entry, dict) else "")
            try:
                found.append((at, AccountEntry.model_validate(entry)))
            except ValidationError as error:
                for mistake in mistakes_of(error, entry, AccountEntry, f"{_CODE}.field"):
                    self._note(written, mistake.under(("accounts", at)))
        return found, ids, written

    def _twice(self, entries: list[tuple[int, AccountEntry]], written: YamlDocument) -> None:
        """Ids that stand twice, and two customers at one ESI ID at the same time."""
        ids: set[str] = set()
        at_esiid: defaultdict[str, list[tuple[date, date]]] = defaultdict(list)
        for at, entry in entries:
            if entry.account_id in ids:
                text = f"Two accounts have the id {entry.account_id}."
                self._note(
                    written, Mistake(f"{_CODE}.twice", ("accounts", at, "account_id"), text, "Give each its own.")
                )
            ids.add(entry.account_id)
            span = entry.first_day or date.min, entry.last_day or date.max
            if any(span[0] <= last and first <= span[1] for first, last in at_esiid[entry.esiid]):
                text = f"Another account above is at ESI ID {entry.esiid} at the same time."
                mend = "Let the one's last_day come before the other's first_day."
                self._note(written, Mistake(f"{_CODE}.twice", ("accounts", at, "esiid"), text, mend))
            at_esiid[entry.esiid].append(span)

    def _plan(self, written: YamlDocument, at: tuple[int, int], name: str, since: date) -> RatePlan | None:
        """A plan by its name or file, which must have charges on its first day."""
        loc = ("accounts", at[0], "plans", at[1])
        if name not in self.plans:
            text = f"There is no plan '{name[:60]}'."
            self._note(written, Mistake(f"{_CODE}.plan", (*loc, "plan"), text, did_you_mean(name, self.plans)))
            return None
        plan = self.plans[name]
        if plan is not None:
            try:
                plan.tdu_on(since)
            except RorError as error:
                self._note(written, Mistake(error.code, (*loc, "since"), error.message, error.mend))
        return plan

    def _cycles(self) -> tuple[dict[str, list[date]], bool]:
        """Reading days by cycle, ascending, and whether the file could be read."""
        before = len(self.mistakes)
        days: defaultdict[str, list[tuple[date, str]]] = defaultdict(list)
        for place, row in self._rows(READING_DAYS, ReadingDay, required=True):
            days[row.cycle].append((row.day, place))
        cycles = {cycle: sorted(found) for cycle, found in days.items()}
        for cycle, found in cycles.items():
            for (a, _), (b, place) in pairwise(found):
                if a == b:
                    what, mend = f"{a} stands twice in cycle '{cycle}'.", "Leave one out."
                elif (b - a).days > LONGEST_CYCLE_DAYS:
                    what = f"Between {a} and {b} cycle '{cycle}' is never read: {(b - a).days} days."
                    mend = f"A cycle has at most {LONGEST_CYCLE_DAYS} days: write the days between."
                else:
                    continue
                self.mistakes.append(RorError(f"{_CODE}.reading_days", what, f"{place}: day", mend))
        return {cycle: [day for day, _ in found] for cycle, found in cycles.items()}, len(self.mistakes) == before

    def _of_accounts(self, file: str, model: type[Row], ids: set[str]) -> defaultdict[str, list[Any]]:
        """The rows of a file by their account, which must be there."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for place, row in self._rows(file, model, required=False):
            account_id = str(row.account_id)  # type: ignore[attr-defined]
            if ids and account_id not in ids:
                text = f"There is no account {account_id}."
                mend = did_you_mean(account_id, sorted(ids)[:1000]) if len(ids) < 20 else f"Name one of {ACCOUNTS}."
                self.mistakes.append(RorError(f"{_CODE}.unknown", text, f"{place}: account_id", mend))
            found[account_id].append(row)
        return found

    def _rows(self, file: str, model: type[Row], *, required: bool) -> Iterator[tuple[str, Row]]:
        needed = list(model.model_fields)
        columns = CsvColumns(needed, needed)
        for place, cells in csv_rows(self.folder / file, columns, RorError, _CODE, self.mistakes, required=required):
            try:
                yield place, model.model_validate(cells)
            except ValidationError as error:
                for one in mistakes_of(error, cells, model, f"{_CODE}.field"):
                    column = f": {one.loc[-1]}" if one.loc else ""
                    self.mistakes.append(RorError(one.code, one.message, f"{place}{column}", one.mend))


def _where(written: YamlDocument, mistake: Mistake) -> str:
    """Where a mistake stands, with a line in any case: that of the file's first value if it is of the whole."""
    return written.where(mistake.loc) if mistake.loc else f"{written.place}:{written.line(()) or 1}"
