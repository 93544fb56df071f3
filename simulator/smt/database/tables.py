"""The tables of SMT's database: repository, non-VEE intervals, usage files, ledger, access log, log-ins, complaints, throttle, reports.

Nothing is ever deleted but windows that no limit looks at any more, the places of ended requests in the queue, bad log-ins and portal tokens
whose time is over, days of a file whose loading was cut off, and non-VEE intervals of days whose VEE data are there.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

from headend.store.migrate import versions_table

metadata = MetaData()

interval_day = Table(
    "interval_day",
    metadata,
    Column("esiid", String(22), primary_key=True),
    Column("channel", SmallInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("start_wh", BigInteger),
    Column("stop_wh", BigInteger),
    #: int32 little-endian Wh, one per interval of the day.
    Column("wh", LargeBinary, nullable=False),
    #: One octet per interval, 1 where estimated.
    Column("estimated", LargeBinary, nullable=False),
    Column("posted_at", BigInteger, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    Column("file_name", String, nullable=False),
    #: 0 for the first posting under that file name.
    #: DUNS number of the ROR of record when it was loaded, whose usage file it goes into; null for none.
    Column("ror", String(13)),
    Column("posting", SmallInteger, nullable=False, server_default="0"),
    Index("interval_day_of_file", "file_name", "posting"),
    sqlite_with_rowid=False,
)

#: Postings whose days are being loaded: until the last is, nobody is to see any.
interval_loading = Table(
    "interval_loading",
    metadata,
    Column("file_name", String, primary_key=True),
    Column("posting", SmallInteger, primary_key=True, autoincrement=False),
)

#: Batches of non-VEE intervals that head-ends have sent, and what became of each. Append-only.
non_vee_batch = Table(
    "non_vee_batch",
    metadata,
    #: TDSP key of the link; empty where no keys are asked for.
    Column("sender", String(16), primary_key=True),
    Column("batch_id", String(64), primary_key=True),
    #: Of the body.
    Column("digest", String(16), nullable=False),
    Column("came_at", BigInteger, nullable=False),
    #: The reply (``headend.wire.NonVeeTaken``).
    Column("taken", JSON, nullable=False),
    sqlite_with_rowid=False,
)

#: What sweeps collected and no VEE data are there of: a row for each ESI ID, operating day and place in a batch.
non_vee_day = Table(
    "non_vee_day",
    metadata,
    Column("esiid", String(22), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("collected_at", BigInteger, primary_key=True),
    Column("batch_id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    #: [end (UTC epoch seconds), Wh or null, status word] of each.
    Column("intervals", JSON, nullable=False),
    sqlite_with_rowid=False,
)

#: Files of posted usage for RORs: owed from the commit that loads the records on, until they lie in the ROR's folder.
usage_file = Table(
    "usage_file",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("duns", String(13), nullable=False),
    Column("format", String(4), nullable=False),
    #: The file that the TDSP posted, and which posting under that name.
    Column("source", String, nullable=False),
    Column("posting", SmallInteger, nullable=False),
    Column("owed_at", BigInteger, nullable=False),
    #: Null while it is owed.
    Column("laid_at", BigInteger),
    Index("usage_file_owed", "laid_at"),
)

#: What happened to the files of the file site (``usage/postings.py``). Append-only.
file_event = Table(
    "file_event",
    metadata,
    Column("at", BigInteger, nullable=False),
    Column("happened", String(16), nullable=False),
    Column("username", String(64), nullable=False),
    Column("name", String, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("octets", BigInteger, nullable=False),
    Index("file_event_of_name", "username", "name"),
    Index("file_event_at", "happened", "at"),
)

#: Records of posted files that were not loaded, as their result codes told, and under 00 what is doubtful of records, loaded or not; what was
#: loaded is in ``interval_day``. Append-only.
posting_refusal = Table(
    "posting_refusal",
    metadata,
    #: Of the posting, as in ``file_event``.
    Column("at", BigInteger, nullable=False),
    Column("username", String(64), nullable=False),
    Column("name", String, nullable=False),
    #: The three as they were written.
    Column("esiid", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("day", String, nullable=False),
    Column("code", String(2), nullable=False),
    Column("text", String, nullable=False),
    Index("posting_refusal_of_name", "username", "name"),
)

odr_request = Table(
    "odr_request",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("esiid", String(22), nullable=False),
    Column("door", String(16), nullable=False),
    Column("username", String, nullable=False),
    Column("duns", String(13), nullable=False),
    Column("requester_class", String, nullable=False),
    Column("trans_id", String, nullable=False),
    Column("call_reference", String(64), nullable=False),
    Column("gap_start", BigInteger, nullable=False),
    Column("gap_end", BigInteger, nullable=False),
    Column("uncovered", JSON),
    Column("holes", JSON, nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    Column("ror", String(13), nullable=False, server_default=""),
    Index("odr_request_of_esiid", "esiid", "submitted_us"),
)

odr_transition = Table(
    "odr_transition",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("meter_allowed", Boolean, nullable=False),
    Column("refusal", JSON),
    Column("from_store", Integer, nullable=False),
    Column("from_meter", Integer, nullable=False),
    Column("meter_reads", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    #: A rule of ``ondemand/rules.csv`` that was broken, or that the request failed by; empty for none.
    Column("rule", String(32), nullable=False, server_default=""),
    Column("field", String(200), nullable=False, server_default=""),
    Column("value", String(200), nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

odr_answer = Table(
    "odr_answer",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
    #: Of the answer as it came (``judged.digest``); empty where that was not kept.
    Column("digest", String(16), nullable=False, server_default=""),
)

#: Requests that have not ended, with the state of their last transition: the dispatcher's queue. Follows from the ledger.
odr_open = Table(
    "odr_open",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since_us", BigInteger, nullable=False),
)

#: What head-ends called back to a worker, until the dispatcher hands it to the request that waits; kept as evidence.
odr_call_back = Table(
    "odr_call_back",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("came_us", BigInteger, nullable=False),
)

#: Who read which ESI ID, when, through which door. Append-only.
data_access = Table(
    "data_access",
    metadata,
    Column("at_us", BigInteger, nullable=False),
    Column("username", String, nullable=False),
    Column("duns", String(13), nullable=False),
    Column("esiid", String(22), nullable=False),
    Column("door", String(16), nullable=False),
    Column("what", String(16), nullable=False),
    Column("request_key", String(64), nullable=False),
    Column("trans_id", String, nullable=False),
    Index("data_access_of_esiid", "esiid", "at_us"),
)

#: The dispatcher's sign of life, one row: when it last looked through the queue, in model time.
dispatcher_sweep = Table(
    "dispatcher_sweep",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("swept_us", BigInteger, nullable=False),
)

#: What the latest dispatcher works by (``terms.py``), which its workers have to have in common with it.
dispatcher_terms = Table(
    "dispatcher_terms",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", String, nullable=False),
    Column("told", String, nullable=False),
)

#: What several workers sign tokens with, so that each knows the others'.
token_key = Table(
    "token_key",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("octets", LargeBinary, nullable=False),
)

#: Bad log-ins of late, where several processes share the database. The name is a hash: what was typed may be anything.
login_fault = Table(
    "login_fault",
    metadata,
    Column("name_hash", String(64), nullable=False),
    #: Wall time, as below.
    Column("at_us", BigInteger, nullable=False),
    Index("login_fault_of_name", "name_hash", "at_us"),
)

#: Portal tokens that live, where several processes share the database, by their id (which opens nothing).
portal_token = Table(
    "portal_token",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("used_us", BigInteger, nullable=False),
)

#: Complaints that a tester switched on (``complaints/declared.py``).
complaint = Table(
    "complaint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("spec", JSON, nullable=False),
    Column("strikes", BigInteger, nullable=False),
    Column("lifted", Boolean, nullable=False),
)

schema_version = versions_table(metadata)

throttle_window = Table(
    "throttle_window",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), primary_key=True),
    Column("window_start", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: The mark of a bucket or a breaker (``counts.Mark``).
throttle_mark = Table(
    "throttle_mark",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), primary_key=True),
    Column("level", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

throttle_lease = Table(
    "throttle_lease",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("reserved_at", BigInteger, nullable=False),
    #: Null while the request is under way.
    Column("ended_at", BigInteger),
    Column("success", Boolean),
    #: How much of the limit's measure the request holds while it is under way.
    Column("amount", BigInteger, nullable=False, server_default="1"),
    #: Digest of the requests that the limit counts (``policy_change.counted``).
    Column("counted", String(16), nullable=False, server_default=""),
    Index("throttle_lease_of_scope", "limit_name", "scope_value", "reserved_at"),
    Index("throttle_lease_open", "ended_at"),
    sqlite_with_rowid=False,
)

#: The limits that the throttle's state is of, and what it means (``policy_change.meaning``; empty: it was not said).
throttle_limit = Table(
    "throttle_limit",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("meaning", String(16), nullable=False),
)

report_request = Table(
    "report_request",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("username", String, nullable=False),
    Column("trans_id", String, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    #: Null while it is being made.
    Column("ended_us", BigInteger),
    #: Of the file that was delivered; empty if there is none.
    Column("file_name", String, nullable=False),
    #: Code of the business error that it ended with; empty if none.
    Column("error", String(32), nullable=False),
)
