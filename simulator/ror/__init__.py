"""The REP of record: what a caller about a balance is told, and what that rests on.

Of SMT it knows the wire forms alone.

``account``     the retailer's own record of a customer
``accounts``    a folder of accounts, and what of each holds at an instant
``billing``     a rate plan and what it makes of usage: the bill
``call``        the Customer Balance Inquiry (S1 to S7): what is decided, asked, billed and told
``client``      the retailer's client to SMT's market API
``desk``        the API of a retailer's balance desk, and the calls that it works on
``errors``      what can go wrong at the retailer: a plan file, a record, and SMT's answers
``expected``    what is not known of usage: how it may go, what that means in dollars, what a read is worth
``files``       usage files of customers, read into the retailer's record
``pattern``     a premise's day by hour: its usual level and peak, a day beside those before it
``statement``   what a usage file says of a billing cycle, without an account or a call
``usage``       the retailer's usage record of one ESI ID: intervals whose quality and source are kept apart
"""
