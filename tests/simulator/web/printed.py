"""What a command prints for people, and how a newcomer begins by it: nothing is known but that text."""

from __future__ import annotations

import csv
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.simulator.processes import ending, line, patience, ran, started
from tests.simulator.web.driven import Page

_LAST = "Ctrl-C stops it."
#: A test bed as of a day whose posted days are known, and whose reads all take as long as each other.
_SANDBOX = ("sandbox", "--port-base", "0", "--date", "2026-08-12T17:40", "--middle", "18,52")


class LogIn(NamedTuple):
    """Somebody's, as it is printed."""

    username: str
    password: str


class Printed(NamedTuple):
    """The text of a command that is ready."""

    text: str

    def words(self, name: str) -> str:
        """What stands behind a name, up to what explains it."""
        found = re.search(rf"^ *{re.escape(name)}:? +(.+?)(?:   |$)", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    def log_in(self, role: str) -> LogIn:
        """Of a role: the last line of that name, since a part may be called so too."""
        return LogIn(*re.findall(rf"^ *{role} +(\S+) / (\S+)", self.text, re.MULTILINE)[-1])

    def esiid(self, note: str) -> str:
        """The ESI ID that something special is said of."""
        found = re.search(rf"^ *(\d{{17}}) .*{re.escape(note)}", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    def moved(self, seconds: int) -> None:
        """Move the clock of a test bed on, as a script does: all that is due until then is done afterwards."""
        asked(f"{self.words('SMT')}/control/clock/advance", "POST", json={"seconds": seconds})


def asked(url: str, method: str = "GET", **more: Any) -> Any:
    """What an API answers a script."""
    reply = httpx.request(method, url, timeout=patience(), trust_env=False, **more)
    assert reply.status_code < 300, reply.text
    return reply.json()


async def comes_in(page: Page, told: Printed, role: str) -> None:
    """Open the address that is printed for a role, and log in as is printed beside it."""
    its = told.log_in(role)
    await page.go(told.words("desk" if role == "desk" else "browser"))
    await page.write("User name", its.username)
    await page.write("Password", its.password)
    await page.click("Log in")


def switched(folder: Path, address: str, since: date | None) -> Path:
    """Records of SMT as files, for ``--registry``: the other retailer's of two serves an address from a day on; None: ever since it is served."""
    assert ran("scenario", "registry", "customer-balance-inquiry", "--out", str(folder)) == 0
    points, periods = (_rows(folder / f"{name}.csv") for name in ("service_points", "ror_periods"))
    (esiid,) = (one["esiid"] for one in points if one["address"] == address)
    (until,) = (one for one in periods if one["esiid"] == esiid)
    (other,) = {one["duns"] for one in _rows(folder / "users.csv") if one["kind"] == "ror"} - {until["duns"]}
    if since is None:
        until["duns"] = other
    else:
        until["last_day"] = str(since - timedelta(days=1))
        periods.append({"esiid": esiid, "duns": other, "first_day": str(since)})
    with (folder / "ror_periods.csv").open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, list(until))
        written.writeheader()
        written.writerows(periods)
    return folder


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def sandbox(out: Path, *more: str) -> AbstractContextManager[Printed]:
    """A test bed: what it prints once it is up."""
    return printed(*_SANDBOX, *more, "--out", str(out))


@contextmanager
def printed(*words: str) -> Iterator[Printed]:
    """A command that serves: what it prints until it is ready. Ctrl-C has ended it afterwards, and well."""
    process = started(*words)
    with ending(process, by=signal.SIGINT):
        assert process.stdout is not None
        lines = [line(process)]
        while _LAST not in lines[-1]:
            assert lines[-1], process.stderr.read() if process.stderr else ""
            # All of it is printed at once.
            lines.append(process.stdout.readline())
        yield Printed("".join(lines))
    assert process.poll() == 0
