"""A folder of accounts: the one in ``docs/accounts`` is sound, and every slip in it is told with its line and mend, all at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from simulator.input import whole_text
from simulator.input.yaml_text import read_yaml_file
from simulator.ror.accounts.folder import account_mistakes, read_accounts
from simulator.ror.accounts.written import accounts_schema
from simulator.ror.errors import RorError
from tests.simulator.ror.accounts.bent_accounts import SOURCE, bend
from tests.simulator.ror.billing.pages import ACCOUNTS_SCHEMA, schema_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path / "accounts"))


def told(folder: Path) -> list[str]:
    return [str(one).replace(f"{folder}/", "") for one in account_mistakes(folder)[1]]


def slip(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_is_sound(folder: Path) -> None:
    assert told(folder) == []
    assert len(read_accounts(folder)) == 4


def test_bills_and_payments_may_be_left_out(folder: Path) -> None:
    for file in ("bills.csv", "payments.csv"):
        (folder / file).unlink()
    assert told(folder) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("accounts.yaml", "esiid: \"10443729924385485\"", "esiid: 10443729924385485", "ror.accounts.field: accounts.yaml:6: accounts[1].esiid: 10443729924385485 is not text."),
        ("accounts.yaml", "10443729924385485", "1044", "ror.accounts.field: accounts.yaml:6: accounts[1].esiid: '1044' is no ESI ID. Write its 17"),
        ("accounts.yaml", "PB-1001", "PB/1001", "ror.accounts.field: accounts.yaml:4: accounts[1].account_id: 'PB/1001' is no account id."),
        ("accounts.yaml", "customer_name: W", "custmer_name: W", "ror.accounts.field: accounts.yaml:5: accounts[1].custmer_name: There is no field 'custmer_name' here. Did you mean customer_name?"),
        ("accounts.yaml", "cycle: \"07\"", "cycle: \"7\"", "ror.accounts.cycle: accounts.yaml:7: accounts[1].cycle: Cycle '7' has no reading days. Did you mean 07?"),
        ("accounts.yaml", "longhorn-thousand-24", "longhorn-thousend-24", "ror.accounts.plan: accounts.yaml:9: accounts[1].plans[1].plan: There is no plan 'longhorn-thousend-24'. Did you mean longhorn-thousand-24?"),
        ("accounts.yaml", "2026-08-24", "2026-08-25", "ror.accounts.plan: accounts.yaml:17: accounts[2].plans[2].since: A plan changes when the meter is read, and on 2026-08-25 no cycle begins. Write a reading day of cycle '12'"),
        ("accounts.yaml", "2026-08-24", "2099-12-01", "ror.accounts.field: accounts.yaml:17: accounts[2].plans[2].since: '2099-12-01' is out of range: it must be at most 2099-11-30. Mend the day."),
        ("accounts.yaml", "2026-08-24", "2025-09-01", "ror.accounts.field: accounts.yaml:10: accounts[2]: Plans must ascend by since."),
        ("accounts.yaml", "2025-09-16", "2000-01-03", "ror.plan.tdu_undated: accounts.yaml:9: accounts[1].plans[1].since: Plan"),
        ("accounts.yaml", "2025-09-16", "'1786554000'", "ror.accounts.field: accounts.yaml:9: accounts[1].plans[1].since: '1786554000' is no day. Write it as 2026-08-12."),
        ("accounts.yaml", "    customer_name: W", "    zone: NORTH_B\n    customer_name: W", "ror.accounts.field: accounts.yaml:5: accounts[1].zone: There is no weather zone 'NORTH_B'. Write one of "),
        ("accounts.yaml", "account_id: PB-1002", "account_id: PB-1001", "ror.accounts.twice: accounts.yaml:10: accounts[2].account_id: Two accounts have the id PB-1001."),
        ("accounts.yaml", "last_day: 2026-08-04", "last_day: 2026-08-05", "ror.accounts.twice: accounts.yaml:28: accounts[4].esiid: Another account above is at ESI ID 10443729947992279"),
        ("accounts.yaml", "    first_day: 2026-08-05", "    first_day: 2026-08-05\n    last_day: 2026-08-01", "ror.accounts.field: accounts.yaml:26: accounts[4]: The last_day comes before the first_day."),
        ("accounts.yaml", "accounts:", "acounts:", "ror.accounts.field: accounts.yaml:3: acounts: There is no field 'acounts' here."),
        ("accounts.yaml", "accounts:", "accounts: [", "ror.accounts.yaml: accounts.yaml:4: The YAML is wrong"),
        ("evening-saver.yaml", "base_charge", "base_chrge", "ror.plan.field: evening-saver.yaml:5: base_chrge: There is no field"),
        ("reading_days.csv", "cycle,day", "cycle,date", "ror.accounts.columns: reading_days.csv:1: There is no column 'date'."),
        ("reading_days.csv", "2025-10-16", "2025-09-16", "ror.accounts.reading_days: reading_days.csv:3: day: 2025-09-16 stands twice in cycle '07'."),
        ("reading_days.csv", "07,2028-12-18", "07,2038-12-18", "ror.accounts.reading_days: reading_days.csv:41: day: Between 2028-11-16 and 2038-12-18 cycle '07' is never read"),
        ("bills.csv", "PB-1003,142.15", "PB-1009,142.15", "ror.accounts.unknown: bills.csv:5: account_id: There is no account PB-1009. Did you mean PB-1004?"),
        ("bills.csv", "2026-07-03", "2026-06-03", "ror.accounts.field: bills.csv:2: The bill is due before it was sent."),
        ("bills.csv", "118.62", "118.62,", "ror.accounts.cells: bills.csv:2: The row has 5 cells"),
        ("payments.csv", "50.00", "fifty", "ror.accounts.field: payments.csv:4: amount: 'fifty' is not a number."),
        ("payments.csv", "50.00", "\"50.00", "ror.accounts.csv: payments.csv:4: This is no CSV"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line_and_mend(folder: Path, file: str, old: str, new: str, said: str) -> None:
    slip(folder, file, old, new)
    assert any(one.startswith(said) for one in told(folder))
    assert account_mistakes(folder)[0] is None
    with pytest.raises(RorError):
        read_accounts(folder)


def test_all_mistakes_are_told_at_once_in_the_order_of_files_and_lines(folder: Path) -> None:
    slip(folder, "payments.csv", "118.62", "-1")
    slip(folder, "payments.csv", "2026-07-30", "soon")
    slip(folder, "bills.csv", "96.40", "1e99")
    slip(folder, "reading_days.csv", "2026-01-16", "2026-02-31")
    slip(folder, "accounts.yaml", "bluebonnet-saver-12", "bluebonnet")
    slip(folder, "accounts.yaml", "Osgood Pettibone", "''")
    slip(folder, "evening-saver.yaml", "oncor", "onkor")
    places = [one.split(": ")[1] for one in told(folder)]
    assert places == [
        *("accounts.yaml:11", "accounts.yaml:25"),
        *("reading_days.csv:6", "bills.csv:4", "payments.csv:2", "payments.csv:3"),
        "evening-saver.yaml:4",
    ]


def test_a_folder_that_is_not_there_or_holds_no_text_is_told(folder: Path) -> None:
    assert [one.partition(":")[0] for one in told(folder / "none")] == [
        "ror.accounts.unreadable",
        "ror.accounts.no_file",
    ]
    (folder / "bills.csv").write_bytes(b"\xff\xfe\x00")
    (folder / "accounts.yaml").write_text("accounts", encoding="utf-8")
    assert [one.partition(":")[0] for one in told(folder)] == ["ror.accounts.field", "ror.accounts.unreadable"]


@pytest.mark.parametrize(
    ("name", "leads_to"), [("bills.csv", "/dev/zero"), ("mine.yaml", "/dev/zero"), ("bills.csv", "nowhere")]
)
def test_a_device_and_a_link_that_leads_nowhere_are_no_files(
    folder: Path, name: str, leads_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_text, "MOST_OCTETS", 10_000)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(leads_to)
    (said,) = told(folder)
    assert name in said
    assert ("leads nowhere" if leads_to == "nowhere" else "longer than") in said


def test_the_published_schema_is_the_readers_and_takes_the_example() -> None:
    assert ACCOUNTS_SCHEMA.read_text(encoding="utf-8") == schema_text(accounts_schema()), (
        "python -m tests.simulator.ror.billing.pages"
    )
    schema = jsonschema_rs.validator_for(json.loads(ACCOUNTS_SCHEMA.read_text(encoding="utf-8")))
    written = read_yaml_file(SOURCE / "accounts.yaml").value
    schema.validate(written)
    entry = written["accounts"][0]
    slips: list[dict[str, Any]] = [{"surprise": 1}, {"esiid": "1044"}, {"multiplier": 0}, {"plans": []}]
    for wrong in slips:
        assert not schema.is_valid({"accounts": [entry | wrong]})


def test_no_spoilt_folder_ends_in_a_traceback_and_each_mistake_has_line_and_mend(tmp_path: Path) -> None:
    found = bend(60, tmp_path / "bent", seed=2)
    assert {"ror.accounts.field", "ror.accounts.yaml", "read"} <= found.keys()
