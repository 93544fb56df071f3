"""The REP of record: what a caller about a balance is told, and what that rests on.

Of SMT it knows the wire forms alone.

``account``     the retailer's own record of a customer
``analysis``    the plan's edges in reach, and whether VEE data suffice (S2)
``answer``      S6, the real-time billing analysis that the caller is told: bills, projection, pattern
``bill``        the bill of one customer in words: lines, notes, what is still undecided
``client``      the retailer's client to SMT's market API
``errors``      what can go wrong at the retailer: a plan file, a record, and SMT's answers
``fact_label``  the average prices that a plan's fact label prints, made again
``inquiry``     the Customer Balance Inquiry (S1 to S7) as one process
``likely``      what a premise may take in days that are not known, by what homes like it took
``money``       dollars and kWh in words
``on_demand``   an on-demand request as the retailer lives it: asked once, then polled until it is answered
``plan``        a rate plan as a YAML file, and the TDSPs' charges that it names
``projection``  where a cycle's usage is going, and the pattern of a premise's day
``rebill``      the bill that was told, made again from VEE data
``sheet``       the bill engine: lines of a plan over some days, and the bills of any number of homes, in integers
``usage``       the retailer's usage record of one ESI ID: intervals whose quality and source are kept apart
``windows``     which quarter hours cost the same, and the energy in each
``worth``       what the ways that a cycle may go mean in dollars, and what a read would be worth
"""
