"""The REP of record: what a caller about a balance is told, and what that rests on.

Of SMT it knows the wire forms alone.

``account``     the retailer's own record of a customer
``accounts``    a folder of accounts, and what of each holds at an instant
``analysis``    the plan's edges in reach, and whether VEE data suffice (S2)
``answer``      S6, the real-time billing analysis that the caller is told
``basis``       what a bill rests on: its kWh and dollars by what is known of each quarter hour
``billing``     a rate plan and what it makes of usage: the bill
``client``      the retailer's client to SMT's market API
``desk``        the API of a retailer's balance desk, and the calls that it works on
``doubts``      what a desk doubts of non-VEE intervals, by rows of the VEE rule book
``errors``      what can go wrong at the retailer: a plan file, a record, and SMT's answers
``files``       usage files of customers, read into the retailer's record
``inquiry``     the Customer Balance Inquiry (S1 to S7) as one process
``like_days``   what quarter hours may be expected to have taken, by days of their kind: the usual day, days of like weather
``likely``      what a premise may take in days that are not known, by what homes like it took
``on_demand``   an on-demand request as the retailer lives it: asked once, then polled until it is answered
``pattern``     a premise's day by hour: its usual level and peak, a day beside those before it
``projection``  where a cycle's usage is going
``rebill``      the bill that was told, made again from VEE data
``said``        what the agent says, and the marks that tell what is wrong with the data
``stand``       the bill to an instant and where it is going, on what is known and what is expected
``statement``   what a usage file says of a billing cycle, without an account or a call
``tally``       bills told beside the truth, counted over homes, seasons and hours of the call: the table of what a read is worth
``usage``       the retailer's usage record of one ESI ID: intervals whose quality and source are kept apart
``value``       what callers are told when the last quarter hours are left out, or expected, beside the truth
``worth``       what the ways that a cycle may go mean in dollars, and what a read would be worth
"""
