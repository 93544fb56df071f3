"""The market API: routes, bodies as SMT documents them, examples. Never imports the portal.

``api``               the log-in
``door``              what every call of the market API shares: its router, whose token came
``examples``          bodies of log-in and errors as OpenAPI shows them
``odr``               on-demand requests: register reads, the gap's intervals, power status
``odr_examples``      on-demand bodies as OpenAPI shows them
``odr_wire``          on-demand bodies: the documented fields, and the gap-fill extension
``premise``           Meter attributes, premise and HAN devices at the market API
``premise_examples``  bodies of meter attributes, premise and HAN as OpenAPI shows them
``reads``             VEE usage at the market API: intervals, daily and monthly reads, Green Button
``reads_examples``    bodies of reads and report files as OpenAPI shows them
``status``            what a ledger entry tells its requester: the market's status reply
``wire``              requests and replies of SMT's market API for token and reads
"""
