"""Who and what a file names, as members of the scenario's cast; secrets are left out and counted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from scenarios.actions.market.exchange import code_of
from scenarios.file.schema import Scenario
from scenarios.taken.exchange import Exchange
from simulator.world.market import CSP_LOGIN, CUSTOMER_LOGIN, OTHER_ROR_LOGIN, ROR_LOGIN, logins
from simulator.world.meters import build

#: Texas' ESI IDs begin so (DOMAIN §2).
_ESIID = re.compile(r"(?<!\d)10\d{15,20}(?!\d)")
#: Members whose values are secrets or tell who somebody is, by what they are counted as.
_LEFT_OUT = {
    "password": re.compile(r"passw|passphrase|^pwd$|^pin$", re.IGNORECASE),
    "token": re.compile(r"token|secret|authori[sz]ation|api[-_]?key|session", re.IGNORECASE),
    "cookie": re.compile(r"cookie", re.IGNORECASE),
    "address": re.compile(r"address|street|^city|zip|e[-_]?mail|phone|(first|last|full|customer)[-_]?name", re.IGNORECASE),
}  # fmt: skip
_NUMBER = re.compile(r"meter[-_ ]?(number|no)", re.IGNORECASE)
_FORM = re.compile(r"(?<![^&?;\s])([\w.-]+)=([^&;\s]*)")
_DAYS = (
    (re.compile(r"(?<!\d)\d\d/\d\d/\d{4}(?!\d)"), "%m/%d/%Y"),
    (re.compile(r"(?<!\d)20\d\d-\d\d-\d\d(?!\d)"), "%Y-%m-%d"),
)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: What is shorter is looked for as a whole value alone.
_SHORTEST = 5
#: An ESI ID that no meter has.
NOBODYS = "10000000000000000"
#: Who says to be somebody that the scenario has no place for.
STRANGER = "somebody.else"


class Names:
    """The cast of one file. ``base``: the scenario whose world is played in. ``shift``: days that everything is moved by."""

    def __init__(self, base: Scenario, seen: Sequence[Exchange], shift: timedelta) -> None:
        """Meet everyone in order of appearance, and give each a place."""
        self._base, self.shift = base, shift
        world = build(base.world, base.seed)
        ordinals = range(1, base.world.meters + 1)
        self._known = logins(base.world.market)
        #: Ordinals of meters by ESI ID and by meter number; of the world's own as they are.
        self.esiids: dict[str, int] = {}
        self._world = {world.esiid(one): one for one in ordinals}
        self._numbers = {world.meters[one - 1].identity.meter_number: one for one in ordinals}
        #: Who asked, by number of the entry, as the file calls them.
        self.by: dict[int, str] = {}
        #: What was left out, by what it is.
        self.dropped: defaultdict[str, set[str]] = defaultdict(set)
        self._kinds: dict[str, str] = {}
        self._duns: dict[str, str] = {}
        self._first: dict[str, list[str]] = {}
        self._foreign_numbers: dict[str, str] = {}
        self._strangers: set[str] = set()
        tokens: dict[str, str] = {}
        last: dict[str, str] = {}
        for one in seen:
            self._meet(one, tokens, last)
        self._logins = dict(self._placed_users())
        self._place_meters()

    # -- meeting --------------------------------------------------------------------------------------------------

    def _meet(self, one: Exchange, tokens: dict[str, str], last: dict[str, str]) -> None:
        self.dropped["address"].update(one.addresses)
        if one.borne:
            self.dropped["token"].add(one.borne)
        elif "authorization" in one.headers:
            self.dropped["password"].add(one.headers["authorization"])
        self.dropped["cookie"].update(filter(None, re.split(r";\s*", one.headers.get("cookie", ""))))
        for _ in self._walked(one.asked):
            """Secrets of the body are counted."""
        if one.body and not one.asked:
            self._left_out_of(one.body)
        self._left_out_of(one.path.partition("?")[2])
        said = one.asked.get("username") if one.logs_in else one.asked.get("requestorID")
        # Whose token it is, whoever it says that it is.
        who = None if one.logs_in else tokens.get(one.borne or "")
        who = who or (said if isinstance(said, str) and said else None)
        # A token that is turned away may be anybody's.
        if who is None and one.borne and one.status != 401:
            who = last.get(one.door) or f"bearer of {one.borne}"
        if isinstance(said, str) and said != who:
            self._strangers.add(said)
        if one.given and isinstance(who, str):
            tokens[one.given] = last[one.door] = who
            self.dropped["token"].add(one.given)
        if isinstance(who, str):
            self._meet_user(one, who)
        esiids = _ESIID.findall(unquote(one.path) + " " + (one.body or ""))
        for esiid in esiids:
            # Who is turned away may be asking for another's.
            let_in = isinstance(who, str) and one.status == 200 and code_of(one.answered) is None
            self._first.setdefault(esiid, []).extend([str(who)] if let_in else [])
        number = self._number(one)
        if number and number not in self._numbers and esiids and esiids[0] not in self._foreign_numbers.values():
            self._foreign_numbers[number] = esiids[0]

    def _number(self, one: Exchange) -> str:
        """The meter number that an entry names."""
        found = (said for name, said in self._walked(one.asked) if _NUMBER.search(name) and isinstance(said, str))
        return next(found, "")

    def _meet_user(self, one: Exchange, who: str) -> None:
        self.by[one.n] = who
        kind = one.asked.get("requesterType")
        if isinstance(kind, str) or who not in self._kinds:
            self._kinds[who] = "portal" if one.door == "portal" else str(kind or "REP")
        if isinstance(duns := one.asked.get("requesterAuthenticationID"), str):
            self._duns.setdefault(duns, who)

    def _walked(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Members and their values, but for secrets, which are counted."""
        if isinstance(value, list):
            for one in value:
                yield from self._walked(one)
        elif isinstance(value, Mapping):
            for name, one in value.items():
                if (kind := _left_out(name)) is not None:
                    self.dropped[kind].add(str(one))
                else:
                    yield name, one
                    yield from self._walked(one)

    def _left_out_of(self, form: str) -> None:
        for name, value in _FORM.findall(form):
            if (kind := _left_out(name)) is not None and value:
                self.dropped[kind].add(value)

    # -- placing --------------------------------------------------------------------------------------------------

    def _placed_users(self) -> Iterator[tuple[str, str | None]]:
        """A log-in for everyone; None for whom a scenario has none."""
        met = dict.fromkeys([*self.by.values()])
        customers = (name for name in [f"customer.{word}" for word in _WORDS] + [f"customer.{n}" for n in range(10, 10_000)] if name not in met)  # fmt: skip
        rors = iter([one.username for one in (ROR_LOGIN, OTHER_ROR_LOGIN) if one.username not in met])
        for who in met:
            match self._kinds[who]:
                case _ if who in self._known:
                    yield who, who
                case "REP":
                    yield who, next(rors, None)
                case "CSP":
                    yield who, CSP_LOGIN.username
                case "TDSP":
                    yield who, None
                case _:
                    yield who, next(customers, None)

    def _place_meters(self) -> None:
        """A meter for every ESI ID, with the retailer that asked for it."""
        spec = self._base.world
        self.nobodys: set[str] = set()
        others: list[str] = []
        mine: list[str] = []
        for esiid, asked_by in self._first.items():
            if esiid in self._world:
                self.esiids[esiid] = self._world[esiid]
                continue
            rors = [self._logins.get(one) for one in asked_by]
            (others if OTHER_ROR_LOGIN.username in rors and ROR_LOGIN.username not in rors else mine).append(esiid)
        if self.esiids:
            # The file is of this world, which has no others: whoever asked for one asked for nobody's.
            self.nobodys = {*others, *mine}
            others, mine = [], []
        self.foreign = bool(others or mine)
        used = set(self.esiids.values())
        low = sum(one <= spec.per_gateway for one in used)
        far = len(others) + len(used) - low if others else 0
        per = max(spec.per_gateway, len(mine) + low, far)
        self.gateways = max(spec.gateways, 2 if others else 1)
        grown = per > spec.per_gateway or self.gateways > spec.gateways or spec.meters - per < far
        self.meters = per * self.gateways if grown else spec.meters
        first = [one.meter for one in self._base.cast.values() if one.meter <= per]
        free = [one for one in dict.fromkeys([*first, *range(1, per + 1)]) if one not in used]
        behind = [one for one in range(per + 1, self.meters + 1) if one not in used]
        self.esiids |= dict(zip(mine, free, strict=False)) | dict(zip(others, behind, strict=False))
        given = self._foreign_numbers if self.foreign else {}
        self._numbers |= {number: self.esiids[esiid] for number, esiid in given.items()}
        self._whole = {who: STRANGER for who in self._strangers if who not in self._known}
        self._whole |= {who: login or STRANGER for who, login in self._logins.items()}
        own = [one.duns for one in self._known.values()]
        self._whole |= {duns: self.duns(self._logins[who]) for duns, who in self._duns.items() if duns not in own}
        self._whole |= dict.fromkeys(self.nobodys, NOBODYS)
        self._whole |= {number: NOBODYS[:9] for number in self._foreign_numbers if number not in self._numbers}
        self.accounts = list(self._accounts(per))

    def _accounts(self, per: int) -> Iterator[dict[str, Any]]:
        """The cast's accounts as they are written, those of the base first, then one for each meter that has none."""
        kept = list(self._base.cast.values())
        meters = [one.meter for one in kept]
        for n, meter in enumerate([*meters, *(one for one in sorted(self.esiids.values()) if one not in meters)], 1):
            base = kept[n - 1] if n <= len(kept) else self._base.account
            written = base.model_dump(mode="json", exclude_defaults=True)
            written |= {"account_id": f"account-{n}", "customer_name": f"Customer {n}", "meter": meter}
            if n > len(kept):
                written["ror"] = (ROR_LOGIN if meter <= per else OTHER_ROR_LOGIN).username
            customers = [login for esiid, met in self._first.items() if self.esiids.get(esiid) == meter for who in met if (login := self._logins.get(who) or "").startswith("customer.")]  # fmt: skip
            if self.foreign and customers:
                written["customer"] = customers[0]
            if self.foreign:
                # What was asked for then is asked for again, whatever it is worth on this plan.
                written["worth_asking"] = "0"
            yield {name: one for name, one in written.items() if (name, one) not in _USUAL}

    def market(self) -> dict[str, Any]:
        """What the world's market has beside the base's: who lives where, and whom they let look."""
        lives: dict[int, str] = {}
        for esiid, met in self._first.items():
            for who in met:
                login = self._logins.get(who) or ""
                if login.startswith("customer.") and self.foreign and esiid in self.esiids:
                    lives.setdefault(self.esiids[esiid], login)
        since = self._base.world.first_day
        occupancies = [{"meter": meter, "customer": login} for meter, login in lives.items() if (meter, login) != (1, CUSTOMER_LOGIN.username)]  # fmt: skip
        looked_at = [self.esiids[esiid] for esiid, met in self._first.items() if self.foreign and CSP_LOGIN.username in [self._logins.get(who) for who in met]]  # fmt: skip
        agreements = [
            {"meter": meter, "customer": lives.get(meter, CUSTOMER_LOGIN.username), "first_day": f"{since}"}
            for meter in looked_at
            if meter == 1 or meter in lives
        ]
        onboarded = [self._logins[who] for who, kind in self._kinds.items() if kind in ("RES", "CUST") and who not in self._known]  # fmt: skip
        parts = {"occupancies": occupancies, "agreements": agreements, "onboarded": onboarded}
        return {name: part for name, part in parts.items() if part}

    # -- what is carried ------------------------------------------------------------------------------------------

    def login(self, one: Exchange) -> str | None:
        """The log-in of whoever asked; None for nobody, or for whom a scenario has none."""
        return self._logins.get(self.by.get(one.n, ""))

    def duns(self, login: str | None) -> str:
        """The DUNS number of a log-in; of nobody's, one that nobody has."""
        return self._known[login].duns if login in self._known else NOBODYS[:13]

    def of_another_meter(self, one: Exchange) -> bool:
        """Whether an entry names a meter number that is not its ESI ID's."""
        number = self._number(one)
        return bool(number) and self._numbers.get(number) != self.ordinal(one.body or "")

    def homeless(self, one: Exchange) -> str:
        """Why whoever asked has no place; empty if they have."""
        who = self.by.get(one.n)
        if who is None or self._logins[who] is not None:
            return ""
        return "it is of a third retailer; a world has two" if self._kinds[who] == "REP" else "it is a TDSP's"

    def account(self, ordinal: int) -> dict[str, Any]:
        """The account at a meter, as it is written; the first one where there is none."""
        return next((one for one in self.accounts if one["meter"] == ordinal), self.accounts[0])

    def ordinal(self, text: str) -> int:
        """The meter that a text names first; the first account's unless it does."""
        found = (self.esiids[one] for one in _ESIID.findall(text) if one in self.esiids)
        return next(found, self.accounts[0]["meter"])

    def day(self, day: date) -> date:
        """A day of the file as it is played."""
        return day + self.shift

    def carried(self, value: Any, ordinal: int, *, template: bool = False) -> Any:
        """What is written, ids as the cast's, days moved, secrets left out. template: ``$`` stands for the run's already."""
        match value:
            case str():
                return self._text(value if template else value.replace("$", "$$"), ordinal)
            case Mapping():
                return {self._text(name, ordinal): self.carried(one, ordinal, template=template) for name, one in value.items() if _left_out(name) is None}  # fmt: skip
            case list() | tuple():
                return [self.carried(one, ordinal, template=template) for one in value]
            case int() if not isinstance(value, bool) and len(str(value)) >= _SHORTEST:
                said = self._text(str(value), ordinal)
                return value if said == str(value) else said
            case _:
                return value

    def _text(self, text: str, ordinal: int) -> str:
        if text in self._whole:
            return self._whole[text]
        text = _FORM.sub(lambda found: found[0] if _left_out(found[1]) is None else f"{found[1]}=", text)
        of = {esiid: "$esiid" if one == ordinal else f"$esiid_{one}" for esiid, one in self.esiids.items()}
        of |= {number: "$meter_number" for number, its in self._numbers.items() if its == ordinal}
        of |= {name: said for name, said in self._whole.items() if len(name) >= _SHORTEST}
        named = [one for one in of if one in text]
        for one in sorted(named, key=len, reverse=True):
            text = text.replace(one, of[one])
        for pattern, form in _DAYS if self.shift else ():
            text = pattern.sub(lambda found, form=form: self._moved(found[0], form), text)  # type: ignore[misc]
        return text

    def _moved(self, written: str, form: str) -> str:
        try:
            return f"{datetime.strptime(written, form) + self.shift:{form}}"
        except (ValueError, OverflowError):
            return written

    def instant(self, when: datetime) -> str:
        """A local time of the file as it is played."""
        return f"{(when + self.shift).replace(tzinfo=None):%Y-%m-%dT%H:%M:%S}"

    def tells(self, fact: str, written: Any) -> bool:
        """Whether a fact's value may be somebody's: by its name, or a number as long as an id."""
        return _left_out(fact) is not None or re.search(r"\d{9}", str(written)) is not None

    def leaks(self, text: str) -> bool:
        """Whether a text still has a secret, or an id of someone who is none of the world's."""
        ids = [one for one in (*self.esiids, *self._foreign_numbers) if one not in self._world]
        users = [one for one, said in self._whole.items() if one != said]
        secrets = [*ids, *users, *(one for kind in self.dropped.values() for one in kind)]
        return any(len(one) >= _SHORTEST and one in text for one in secrets)


_USUAL = (("ror", ROR_LOGIN.username), ("customer", CUSTOMER_LOGIN.username))


def _left_out(name: Any) -> str | None:
    """What a member is counted as that is left out; None for one that is carried."""
    return next((kind for kind, pattern in _LEFT_OUT.items() if pattern.search(str(name))), None)
