"""SMT's database: its tables, how it came to them, how it is opened and written, who has a seat at it.

Knows no record's meaning.

``engine``      how it is opened, and the one way to begin a transaction that writes
``migrations``  how SMT's database came to its present schema (``headend.store.migrate``)
``seat``        a process's seat at SMT's database: alone, as the dispatcher, or as a worker
``tables``      the tables of SMT's database: repository, usage files, ledger, access log, log-ins
"""
