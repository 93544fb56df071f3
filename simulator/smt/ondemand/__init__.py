"""The on-demand request from submission to its end.

Knows no door: what it is told and tells are records.

``desk``         takes requests on, runs their processes, keeps every transition
``dispatch``     the queue: goes on with what waits, ends what nobody has in hand
``eligibility``  whether a request can be taken on at all (AC1, A1 to A4)
``filing``       a request as it is entered when it comes: gap, holes, key
``inquiries``    the way to the head-ends and back
``invariants``   whether a throttle kept its rules, counted again from nothing
``judged``       a head-end's answer held against what was asked
``ledger``       the ledger of on-demand requests: one row when a request comes, one per transition
``lifecycle``    transition table, submission, the request's process
``middle``       the tier between SMT and a TDSP, where most of a read's minute goes
``non_vee``      what sweeps collected, as head-ends send it; held until its VEE data are there
``reuse``        an earlier read that answers again
``rules``        what answers and requests are held to, as a table, and a finding
``tally``        a day's requests in numbers
``who_used``     who else used a meter's allowance up
"""
