"""A recording: what a scenario's run left behind, written as JSON and read again into typed records. Decides nothing.

``actions``    what became of an action of the timeline: calls, requests, portal reads, bills, re-bills
``journal``    what the parties noted: one record for each kind of note that a verdict rests on
``ledger``     SMT's ledger of on-demand requests
``recording``  the recording as a whole: read, written, refused by its key where it is damaged
``usage``      the usage of the account's cycle, in columns
``values``     what records are made of: instants, days, money, codes
``world``      the world and the policy of the run
"""
