"""Bodies of the market API's calls for reads and for report files as its OpenAPI document shows them."""

from __future__ import annotations

from simulator.smt.doors.both.examples import ENERGY_DAY, ESIID, business, one
from simulator.smt.doors.both.refusal import SUBMITTED
from simulator.smt.doors.market.examples import DELIVERY, SENDER, TERMS, asked
from simulator.smt.errors import BUSINESS
from simulator.smt.usage.deliveries import DELIVERED, PENDING
from simulator.smt.usage.formats import DAILY_COLUMNS, INTERVAL_COLUMNS, MONTHLY_COLUMNS

OTHER_ESIID = "10443729986188888"
REPORT_KEY = "482915007735"
RANGE = {"startDate": "08/10/2026", "endDate": "08/11/2026"}
READS_ASKED = {
    "latest": one(
        "Two days, the latest revision of each",
        asked("ror-000015", **RANGE, version="L", readingType="C", esiid=[ESIID]),
    )
}
INTERVALS_ASKED = READS_ASKED | {
    "file": one(
        "A CSV file of several ESI IDs, into the sender's folder",
        asked("ror-000040", **RANGE, version="L", readingType="C", esiid=[ESIID, OTHER_ESIID])
        | {"deliveryMode": "FTP", "reportFormat": "CSV"},
    ),
    "all": one(
        "Consumption and surplus generation, every revision",
        asked("ror-000016", **RANGE, version="A", readingType="A", esiid=[ESIID]),
    ),
}
READ_ERRORS = business(
    ("1", ()),
    ("AC1", ()),
    ("INVALID-DATE", ("startDate",)),
    ("HISTORY", ("08/12/2024",)),
    ("FORMAT", ("XML", "JSON or CSV")),
    ("DELIVERY", ("EML", "API or FTP")),
    ("ONE-ESIID", (2,)),
    ("MANY-ESIIDS", (200, 3650, 300, 600)),
    ("REQUESTOR", ()),
)
FILE_TAKEN = {
    "file": one(
        "A file: poll `/v2/reportrequeststatus/`",
        {"trans_id": "ror-000040", "correlationId": REPORT_KEY, "statusCode": "0", "statusReason": SUBMITTED},
    )
}
INTERVAL_READS = {
    "day": one("A day", {"trans_id": "ror-000015", "esiid": ESIID, "energyData": [ENERGY_DAY]}),
    **FILE_TAKEN,
    **READ_ERRORS,
}
DAILY_READS = {
    "day": one(
        "A day",
        {
            "trans_id": "ror-000015",
            "esiid": ESIID,
            "registeredReads": [
                {
                    "readDate": "08/11/2026",
                    "revisionDate": "08/12/2026 07:30:00",
                    "startReading": "24002.915",
                    "endReading": "24038.915",
                    "energyDataKwh": "36.000",
                }
            ],
        },
    ),
    **FILE_TAKEN,
    **READ_ERRORS,
}

MONTH = {
    "startDate": "07/06/2026",
    "endDate": "08/06/2026",
    "revisionDate": "08/06/2026 07:30:00",
    "actualkWh": "1204.118",
    "meteredKW": "6.912",
    "billedKW": "0.000",
    "meteredKVA": "6.912",
    "billedKVA": "0.000",
}
MONTHLY_ASKED = {
    "periods": one(
        "The billing periods that ended within these days",
        asked("ror-000015", startDate="07/01/2026", endDate="08/11/2026", version="L", readingType="C", esiid=[ESIID]),
    )
}
MONTHLY_READS = {
    "period": one("A period", {"trans_id": "ror-000015", "esiid": ESIID, "billingData": [MONTH]}),
    **FILE_TAKEN,
    **READ_ERRORS,
}
GREEN_BUTTON = {**FILE_TAKEN, **READ_ERRORS}

# -- files ----------------------------------------------------------------------------------------------------------

INTERVAL_FILES = {
    "text/csv": f"{INTERVAL_COLUMNS}\n{ESIID},08/11/2026,08/12/2026 07:30:00, 00:00, 00:15,0.198,A,Consumption\n",
    "text/plain": f"00000001,{ESIID},4,20260811000000,20260811235900,Y,N\n",
}
DAILY_FILES = {
    "text/csv": f"{DAILY_COLUMNS}\n{ESIID},08/11/2026,08/12/2026 07:30:00,24002.915,24038.915,36.000,Consumption\n"
}
MONTHLY_FILES = {"text/csv": f"{MONTHLY_COLUMNS}\n{ESIID},{','.join(MONTH.values())}\n"}
ATOM_FILES = {
    "application/atom+xml": '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">...</feed>'
}
REPORT_STATUS_ASKED = {
    "poll": one(
        "By the `correlationId` that the request was answered with",
        {"trans_id": "ror-000041", "correlationId": REPORT_KEY} | SENDER | DELIVERY | TERMS,
    )
}
_STATUS = {"trans_id": "ror-000041", "correlationId": REPORT_KEY}
REPORT_STATUS = {
    "pending": one("Under way", _STATUS | {"statusCode": "PEN", "statusReason": PENDING}),
    "delivered": one(
        "Delivered",
        _STATUS
        | {
            "statusCode": "0",
            "statusReason": DELIVERED,
            "fileName": f"IntervalMeterUsage20260812174000{REPORT_KEY}.CSV",
        },
    ),
    "nothing": one("There was nothing to deliver", _STATUS | {"statusCode": "1", "statusReason": BUSINESS["1"]}),
    **business(("CORRELATION", ())),
}
