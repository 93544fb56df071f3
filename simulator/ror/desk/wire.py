"""The bodies of a balance desk's API. Keys are those of the retailer's records: money as strings in dollars, instants ISO 8601 in Central time."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from meters.calendar import Seconds, seconds
from simulator.ror.accounts.written import AccountId, EsiId
from simulator.ror.call.analysis import Question


class CallRequest(BaseModel):
    """A customer calls. Who they are is told by their account or by their ESI ID."""

    model_config = ConfigDict(extra="forbid")

    account_id: AccountId | None = Field(default=None, examples=["A-0001"])
    esiid: EsiId | None = Field(default=None, examples=["10443729924385485"])
    question: Question = Field(default=Question.BALANCE, description="`balance`: what do I owe by now; `last_bill`.")
    patience_s: Seconds = Field(
        default=seconds(180), strict=True, ge=0, le=86_400, description="Seconds until the caller hangs up."
    )

    @model_validator(mode="after")
    def _one_customer(self) -> Self:
        if (self.account_id is None) == (self.esiid is None):
            raise ValueError("give account_id or esiid, one of the two")
        return self


class CallState(StrEnum):
    """How far a call is."""

    UNDER_WAY = "under way"
    #: The caller was told an answer, in time or not.
    TOLD = "told"
    #: The desk could not work it.
    FAILED = "failed"
    #: The desk was stopped while it was under way.
    LOST = "lost"


class Step(BaseModel):
    """A step of the use case (S1 to S7), as it was noted."""

    at: str
    step: str = Field(examples=["S2.decided"])
    facts: dict[str, Any] = Field(
        default_factory=dict, description="While the call is under way; `answer` has them all."
    )


class Trouble(BaseModel):
    """Why a call could not be worked."""

    code: str
    reason: str


class Satisfied(BaseModel):
    """AMB-12, as far as it can be judged without the truth: answered before hang-up, the re-bill within 2 % or $1, no call again within 24 h."""

    verdict: bool | None = Field(description="null: it is not known yet, or cannot be.")
    reason: str


class CoursePoint(BaseModel):
    """What the cycle takes up to an instant: in the middle of the ways that it may go, and between the other two in eight of ten."""

    at: str
    low_wh: int
    middle_wh: int
    high_wh: int


class Call(BaseModel):
    """The record of a call: what was asked, how far it is, what was told, what VEE data made of it, whether it satisfies."""

    id: str = Field(examples=["call-0001"], description="SMT knows its on-demand request by it, as `callReference`.")
    state: CallState
    account_id: str
    esiid: str
    question: Question
    patience_s: Seconds
    asked_at: str
    steps: list[Step] = Field(default_factory=list)
    answer: dict[str, Any] | None = Field(
        default=None, description="The whole of what was found and told, as a scenario's recording has it."
    )
    at_once: dict[str, Any] | None = Field(
        default=None,
        description="While the meter is asked: what was found and told without its answer, in the shape of `answer`.",
    )
    course: list[CoursePoint] = Field(
        default_factory=list,
        description="Of `answer`, or `at_once`: where the usage of the cycle goes, by midnights and at the end of what is billed.",
    )
    told_usd: str | None = Field(
        default=None, description="The bill told of the cycle, with tax; what was owed before it is not in it."
    )
    rebill: dict[str, Any] | None = Field(
        default=None, description="The same bill from VEE data, asked for at noon until they reach as far."
    )
    rebill_due: str | None = Field(
        default=None, description="The noon at which `rebill` is made, or made again; null: it is not."
    )
    repeated_by: str | None = Field(default=None, description="The next call of this account within 24 h.")
    trouble: Trouble | None = None
    satisfied: Satisfied


class CallAccepted(BaseModel):
    """The call is taken: ask for it by its id."""

    id: str = Field(examples=["call-0001"])
    state: CallState
    asked_at: str


class _Asked(BaseModel):
    """What a list is asked for. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(default=100, ge=1, le=1_000)


class CallsAsked(_Asked):
    """Which of the latest calls."""

    account_id: str = Field(default="", max_length=40, description="Of this account alone.")


class AccountsAsked(_Asked):
    """Which accounts."""

    skip: int = Field(default=0, ge=0, le=1_000_000)


class CallSummary(BaseModel):
    """A call in the list."""

    id: str
    state: CallState
    account_id: str
    esiid: str
    question: Question
    asked_at: str
    told_usd: str | None
    rebill: dict[str, Any] | None = Field(description="As the record of the call has it.")
    rebill_due: str | None = Field(description="The noon at which `rebill` is made, or made again.")
    satisfied: Satisfied


class CallList(BaseModel):
    """The latest calls, the latest last."""

    calls: list[CallSummary]


class AccountSummary(BaseModel):
    """An account in the list."""

    account_id: str
    esiid: str
    customer_name: str


class AccountList(BaseModel):
    """Accounts, as they were written."""

    accounts: list[AccountSummary]


class BooksReply(BaseModel):
    """What the books say is owed before the running cycle: the last bill less the payments since."""

    account_id: str
    as_of: str
    last_bill_usd: str
    paid_usd: str
    amount_due_usd: str = Field(description="Negative: the account is in credit.")
    due: str | None
    past_due: bool


class DeskError(BaseModel):
    """Why a request was not taken."""

    code: str = Field(examples=["ror.account.unknown"])
    message: str
    place: str = Field(default="", description="The field at fault.")
    mend: str = ""
