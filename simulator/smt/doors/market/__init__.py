"""The market API: routes, bodies as SMT documents them, examples. Never imports the portal.

``api``               the log-in
``door``              what every call of the market API shares: its router, whose token came
``odr``               on-demand requests: register reads, the gap's intervals, power status
``odr_wire``          on-demand bodies: the documented fields, and the gap-fill extension
``premise``           Meter attributes, premise and HAN devices at the market API
``reads``             VEE usage at the market API: intervals, daily and monthly reads, Green Button
``status``            what a ledger entry tells its requester: the market's status reply
``wire``              requests and replies of SMT's market API for token and reads
"""
