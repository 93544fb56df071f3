"""The control API's parts for SMT: requests as a tester audits them, complaints, who read what, what TDSPs posted.

``access``      who read an ESI ID
``audit``       the ledger of on-demand requests as a tester looks at it (AMB-10)
``complaints``  switch complaints on, list them, switch them off
``counts``      what became of a day's requests and posted records, in numbers
``missing``     which ESI IDs are not loaded for a day
``postings``    what TDSPs posted, and what became of it
``throttle``    how much of each limit is used that concerns an ESI ID
"""
