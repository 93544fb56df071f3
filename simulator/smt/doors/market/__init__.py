"""The market API: routes, bodies as SMT documents them, examples. Never imports the portal.

``login``             the log-in
``door``              what every call shares: router, token, registration
``missing``           the sender's ESI IDs that are not loaded for a day
``odr``               on-demand requests: register reads, the gap's intervals, power status
``odr_wire``          on-demand bodies: the documented fields, and the gap-fill extension
``premise``           meter attributes, premise, HAN devices
``reads``             VEE usage: intervals, daily and monthly reads, Green Button
``status``            what a request tells its requester, as SMT writes it
``wire``              requests and replies of SMT's market API for token and reads
"""
