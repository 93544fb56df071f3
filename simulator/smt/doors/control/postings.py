"""The control API's part for what TDSPs posted: which octets, what became of each record, who got it and fetched it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from meters.calendar import iso
from simulator.smt.doors.both.bodies import day_asked
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.party import Smt
from simulator.smt.registry.records import UserKind
from simulator.smt.usage.posting_list import Posting

#: Postings that one look gives at most, and records of each. Defaults of this project.
MOST_GIVEN, MOST_RECORDS = 100, 200


class RecordTold(BaseModel):
    """A record of a posted file, and what became of it."""

    esiid: str
    channel: str
    day: str = Field(description="The operating day, as it was written.")
    code: str = Field(description="Its result code.", examples=["00"])
    text: str = Field(description="Why it was not loaded; empty if it was.")
    warnings: str = Field(
        description="What is doubtful of it and cost it nothing, as in its result file; of the whole file, at its first record."
    )
    revision: int = Field(description="Of its day, that it was loaded as; 0 if it was not.")
    replaces: str | None = Field(description="The file that the revision before came by.")


class DeliveryTold(BaseModel):
    """A ROR's share of a posting."""

    username: str = Field(description="Whose folder it lies in.")
    duns: str
    name: str
    laidAt: list[str] = Field(description="Model time; more than once where it had vanished.")
    fetchedAt: list[str] = Field(description="The latest hundred.")


class PostingTold(BaseModel):
    """A file that was posted, or whose upload was cut off and kept apart."""

    at: str = Field(description="Model time.", examples=["2026-08-12T07:30:00-05:00"])
    username: str
    duns: str
    name: str
    cut: bool
    sha256: str = Field(description="Of its octets.")
    octets: int
    codes: dict[str, int] = Field(description="How many of its records got which result code.")
    warned: int = Field(description="How many of its records have warnings.")
    records: list[RecordTold] = Field(
        description=f"At most {MOST_RECORDS}: first those that were not loaded, then ESI IDs with warnings."
    )
    recordsLeftOut: int
    deliveries: list[DeliveryTold]
    repeatedAt: list[str] = Field(description="When its name was given again with the same octets.")
    resultsFetchedAt: list[str]


class PostingList(BaseModel):
    """Postings, the latest first."""

    postings: list[PostingTold]


class PostingsAsked(BaseModel):
    """Which postings. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[date | None, BeforeValidator(day_asked)] = Field(
        default=None, description="Posted on this day, local.", examples=["2026-08-12"]
    )
    duns: str | None = Field(default=None, pattern=r"^[0-9]{1,13}$", description="Of the TDSP that posted it.")
    esiid: str | None = Field(
        default=None, pattern=r"^[0-9]{1,22}$", description="With a record of it; of the records, its own."
    )
    most: int = Field(default=20, ge=1, le=MOST_GIVEN, description="Given at most, the latest.")
    skip: int = Field(default=0, ge=0, le=1_000_000_000, description="So many later ones are left out: to page on.")


def router() -> APIRouter:
    """``GET /control/postings``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/postings", summary="What TDSPs posted, and what became of it")
    async def postings(asked: Annotated[PostingsAsked, Query()], smt: ServedSmt) -> PostingList:
        """Tell who posted which octets when, each record's result code and what it replaced, to whom it was delivered, and when that was fetched."""
        users = [
            user.username
            for user in smt.registry.users.values()
            if user.kind is UserKind.TDSP and asked.duns in (None, user.duns)
        ]
        found = smt.posting_list.found(users, asked.day, asked.esiid, asked.most, asked.skip, MOST_RECORDS)
        return PostingList(postings=[_told(posting, smt) for posting in found])

    return routes


def _told(posting: Posting, smt: Smt) -> PostingTold:
    return PostingTold(
        at=iso(posting.at),
        username=posting.username,
        duns=smt.registry.users[posting.username].duns,
        name=posting.name,
        cut=posting.cut,
        sha256=posting.sha256,
        octets=posting.octets,
        codes=posting.codes,
        warned=posting.warned,
        records=[
            RecordTold(
                esiid=one.esiid,
                channel=one.channel,
                day=one.day,
                code=one.code,
                text=one.text,
                warnings=one.warnings,
                revision=one.revision,
                replaces=one.replaces,
            )
            for one in posting.records
        ],
        recordsLeftOut=posting.left_out,
        deliveries=[
            DeliveryTold(
                username=one.username,
                duns=one.duns,
                name=one.name,
                laidAt=list(map(iso, one.laid_at)),
                fetchedAt=list(map(iso, one.fetched_at)),
            )
            for one in posting.deliveries
        ],
        repeatedAt=list(map(iso, posting.repeated_at)),
        resultsFetchedAt=list(map(iso, posting.results_fetched_at)),
    )
