"""What a recording is made of: typed records of what a scenario's run left behind. Decides nothing.

``actions``  what became of calls and requests, and bills
``journal``  what the parties noted: one record for each kind of note that a verdict rests on
``ledger``   SMT's ledger of on-demand requests
``usage``    the usage of an account's cycle, in columns
``values``   what records are made of: instants, days, money, codes
``world``    the world and the policy of the run
"""
