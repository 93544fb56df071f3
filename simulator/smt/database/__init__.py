"""SMT's database: its tables, how it came to them, how it is opened and written, who has a seat at it.

Knows no record's meaning.

``engine``      how it is opened, and the one way to begin a transaction that writes
``migrations``  how SMT's database came to its present schema (``headend.store.migrate``)
``seat``        a process alone, the dispatcher, or a worker
``tables``      every table: usage, ledger, throttle, log-ins, access log, complaints, reports
"""
