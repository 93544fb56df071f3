"""Smart Meter Texas: takes in VEE usage, and fulfils what RORs and customers ask of the head-ends.

Knows neither the world around it nor any other party.

``access``       log-ins, tokens, who read what
``complaints``   what users complain of, switched on by a tester
``correlation``  the digits that a request is followed by: they follow from content, never from order
``database``     tables, migrations, transactions, seats
``doors``        HTTP: market, portal and control API
``errors``       what SMT answers when it does not answer: the gateway's errors and the business errors
``metrics``      what SMT measures of itself, for Prometheus
``ondemand``     the request from submission to its end
``party``        SMT as one party: its records, repository, ledger, desk, intake and logins, wired once
``registry``     who and what SMT knows, by the day
``terms``        what a dispatcher works by, and its workers are held to
``throttle``     the allowances
``usage``        VEE usage and files
"""
