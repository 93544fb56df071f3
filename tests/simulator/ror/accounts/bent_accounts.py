"""Folders of accounts that somebody spoilt: ``make bent-plans`` reads ten thousand, the tests a few hundred.

None may end in a traceback; each that is refused says where and how to mend it, and each that is read can be asked at any instant or says why not.
"""

from __future__ import annotations

import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from meters.calendar import epoch
from simulator.ror.account import balance
from simulator.ror.accounts.book import AccountBook
from simulator.ror.accounts.folder import account_mistakes
from simulator.ror.billing.bill import bill
from simulator.ror.errors import RorError
from tests.simulator.processes import ROOT
from tests.simulator.ror.billing.bent_plans import CHARACTERS, VALUES, bent

SOURCE = ROOT / "docs" / "accounts"
FILES = ("accounts.yaml", "reading_days.csv", "bills.csv", "payments.csv", "evening-saver.yaml")
INSTANTS = [epoch(text) for text in ("2020-02-01", "2026-08-04T23:59", "2026-08-12T17:40", "2026-11-20", "2031-01-01")]


def bent_table(text: str, rng: random.Random) -> str:
    """A CSV file with one to three slips."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        lines = text.splitlines() or [""]
        at = rng.randrange(len(lines)) if rng.random() < 0.85 else 0
        cells = lines[at].split(",")
        match rng.randrange(5):
            case 0:
                lines.pop(at)
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2:
                cells[rng.randrange(len(cells))] = rng.choice((*VALUES, "PB-1001", "07", "2026-08-12", "12.345678901"))
                lines[at] = ",".join(cells)
            case 3:
                rng.shuffle(cells)
                lines[at] = ",".join(cells[: rng.randrange(1, 5)])
            case _:
                where = rng.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:where] + rng.choice(CHARACTERS) + lines[at][where + rng.randrange(2) :]
        text = "\n".join(lines) + "\n"
    return text


def outcome(folder: Path) -> str:
    """What became of a folder, by its first code; raises AssertionError for an error without place or mend, and whatever the product lets through."""
    book, mistakes = account_mistakes(folder)
    if book is not None:
        return "read" if _asked(book) else "not billed"
    assert mistakes
    for mistake in mistakes:
        assert mistake.code.startswith("ror."), mistake
        assert mistake.message, mistake
        assert mistake.mend, mistake
        assert re.search(r"\.(yaml|csv)(:\d+|$)", mistake.place), mistake
    return mistakes[0].code


def _asked(book: AccountBook) -> bool:
    told = False
    for customer in book:
        for now in INSTANTS:
            try:
                account, plan = customer.at(now)
                balance(account, now)
                bill(plan, 900_000, account.cycle_first, account.cycle_last, account.full_cycle_days)
                told = True
            except RorError as error:
                if not error.mend:
                    raise
    return told


def bend(count: int, folder: Path, seed: int = 1) -> Counter[str]:
    """Spoil and read so many; what became of them."""
    rng = random.Random(seed)
    texts = {file: (SOURCE / file).read_text(encoding="utf-8") for file in FILES}
    found: Counter[str] = Counter()
    for at in range(count):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        spoilt = rng.choices(FILES, (4, 2, 2, 2, 1), k=rng.choice((1, 1, 2)))
        for file, text in texts.items():
            slip = bent if file.endswith(".yaml") else bent_table
            written = slip(text, rng) if file in spoilt else text
            if file not in spoilt or rng.random() > 0.02:
                (folder / file).write_text(written, encoding="utf-8", errors="surrogatepass")
        try:
            found[outcome(folder)] += 1
        except Exception as error:
            error.add_note(f"folder {at} of seed {seed}: {', '.join(spoilt)}")
            for file in spoilt:
                if (folder / file).exists():
                    error.add_note((folder / file).read_text(encoding="utf-8", errors="replace")[:3000])
            raise
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for what, many in bend(int(sys.argv[1]), Path(made) / "accounts").most_common():
            print(f"{many:>6}  {what}")
