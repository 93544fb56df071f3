"""The accounts, and a call: the customer on the line, what is told at once, the meter asked, what it brings.

A page shows a record of the desk; nothing of a call is kept with a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRouter
from pydantic import ValidationError

from meters.calendar import epoch
from simulator.ror.account import balance
from simulator.ror.accounts.book import Customer
from simulator.ror.desk.served import Served, ServedDesk
from simulator.ror.desk.web.door import ACCOUNTS, FACE, PAGES, Form, Session, pages, problem_of
from simulator.ror.desk.web.rebilled import rebilled_of
from simulator.ror.desk.web.rests import Line
from simulator.ror.desk.web.said import told_of
from simulator.ror.desk.web.stands import patience_of, progress_of
from simulator.ror.desk.wire import Call, CallRequest, CallState
from simulator.ror.errors import RorError
from simulator.web.site import HEADERS, wanted_part
from simulator.web.visitors import Visitor, WebProblem
from simulator.web.words import instant, money

#: Accounts on one page. A default of this project.
AT_ONCE = 25
#: Earlier calls of an account that are shown.
_EARLIER = 10
#: The parts of a call's page that ask by themselves.
CALL, PATIENCE = "call", "patience"
#: What a page is told when a call goes on no more.
ENDING = "call-ended"
_NUMBER = re.compile(r"\d{1,5}", re.ASCII)


def router() -> APIRouter:
    """The accounts, and calls."""
    routes = pages()

    @routes.get(PAGES)
    async def accounts(request: Request, here: ServedDesk, who: Session) -> Response:
        sought = request.query_params.get("q", "").strip()
        found = [one for one in here.desk.book if _meant(one, sought)]
        return FACE.show(
            here,
            who,
            "accounts.html.j2",
            title="Accounts",
            sought=sought,
            count=len(found),
            rows=[_row(here, one) for one in islice(found, AT_ONCE)],
        )

    @routes.get(ACCOUNTS + "{account}")
    async def account(account: str, request: Request, here: ServedDesk, who: Session) -> Response:
        customer = _customer(here, account)
        call_id = request.query_params.get("call", "")
        call = _own_call(here, account, call_id) if call_id else None
        return _page(request, here, who, customer, call)

    @routes.post(ACCOUNTS + "{account}/call")
    async def take(account: str, form: Form, here: ServedDesk) -> Response:
        _customer(here, account)
        patience = form.get("patience_s", "180")
        if not _NUMBER.fullmatch(patience):
            raise _malformed("patience_s")
        try:
            asked = CallRequest(account_id=account, question=form.get("question"), patience_s=int(patience))  # type: ignore[arg-type]
        except ValidationError as error:
            raise _malformed(str(error.errors()[0]["loc"][0])) from None
        try:
            call = here.desk.take(asked)
        except RorError as error:
            raise problem_of(error) from None
        await here.desk.answered(call, here.waits_s)
        return RedirectResponse(_at(call), 303, HEADERS)

    @routes.post(ACCOUNTS + "{account}/ask")
    async def ask(account: str, request: Request, form: Form, here: ServedDesk, who: Session) -> Response:
        customer, call = _customer(here, account), _own_call(here, account, form.get("call", ""))
        try:
            here.desk.ask(call.id)
        except RorError as error:
            raise problem_of(error) from None
        if wanted_part(request) == CALL:
            return _page(request, here, who, customer, call)
        return RedirectResponse(_at(call), 303, HEADERS)

    return routes


def _malformed(field: str) -> WebProblem:
    return WebProblem(
        400, field, "The call cannot be taken as it was asked for.", "Patience is whole seconds, up to a day."
    )


def _at(call: Call) -> str:
    return f"{ACCOUNTS}{call.account_id}?{urlencode({'call': call.id})}"


def _customer(here: Served, account: str) -> Customer:
    """An account of this desk's. Raises WebProblem for what is none: nobody learns whether it is another retailer's."""
    try:
        return here.desk.book.account(account)
    except RorError as error:
        raise problem_of(error) from None


def _own_call(here: Served, account: str, call_id: str) -> Call:
    """A call of an account. Raises WebProblem for what is none, or another account's."""
    try:
        call = here.desk.call(call_id)
        if call.account_id != account:
            raise RorError("ror.call.unknown", "The desk knows of no call of that id.", "call")
    except RorError as error:
        raise problem_of(error) from None
    return call


def _page(request: Request, here: Served, who: Visitor[str], customer: Customer, call: Call | None) -> Response:
    now = here.desk.driver.now()
    shown: dict[str, Any] = {"account": customer.entry.account_id, "call": call}
    if call is not None:
        # The seconds that are left are a part of their own, so that what an agent has unfolded stays so.
        shown |= {
            "patience": patience_of(call, now),
            "progress": progress_of(call, now),
            "told": told_of(call),
            "rebilled": rebilled_of(call),
            "at": _at(call),
            "under_way": call.state is CallState.UNDER_WAY,
            "may_ask": here.desk.may_ask(call),
        }
        part = wanted_part(request)
        if part == PATIENCE:
            return FACE.show(here, who, "patience.html.j2", **shown)
        if part == CALL:
            headers = {} if shown["under_way"] else {"x-event": ENDING}
            return FACE.show(here, who, "call_part.html.j2", headers=headers, **shown)
    entry = customer.entry
    try:
        account, plan = customer.at(now)
    except RorError as error:
        raise problem_of(error) from None
    own = balance(account, now)
    due = f"due {own.due}{', past due' if own.past_due else ''}" if own.due else "no bill has been sent yet"
    return FACE.show(
        here,
        who,
        "account.html.j2",
        ending=ENDING,
        title=entry.customer_name,
        about=f"Account {entry.account_id}, ESI ID {entry.esiid}. {plan.name}, cycle {account.cycle_first} to {account.cycle_last}.",
        books=[
            Line("Last bill", money(own.last_bill), note=due),
            Line("Paid since", money(-own.paid)),
            Line("From before", money(own.amount_due)),
        ],
        earlier=[_call_row(one) for one in reversed(here.desk.latest(_EARLIER, entry.account_id))],
        **shown,
    )


def _call_row(call: Call) -> dict[str, str]:
    """A call as a list has it."""
    told = "" if call.told_usd is None else f", this cycle ${call.told_usd}"
    if call.rebill is not None and call.rebill["satisfied"] is not None:
        told += f", on VEE data ${call.rebill['vee_usd']}"
    return {
        "id": call.id,
        "at": _at(call),
        "when": instant(epoch(call.asked_at)),
        "stands": f"{call.state.value}{told}",
    }


def _meant(customer: Customer, sought: str) -> bool:
    entry = customer.entry
    return sought.casefold() in f"{entry.account_id} {entry.customer_name} {entry.esiid}".casefold()


def _row(here: Served, customer: Customer) -> Mapping[str, str]:
    """An account as the list has it."""
    entry, latest = customer.entry, here.desk.latest(1, customer.entry.account_id)
    row = {"account": entry.account_id, "name": entry.customer_name, "esiid": entry.esiid, "call": "none yet"}
    return row | ({"call": f"{_call_row(latest[0])['when']}: {_call_row(latest[0])['stands']}"} if latest else {})
