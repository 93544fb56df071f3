"""The parties as they are started and stopped: meters, head-end, SMT, a retailer, the sandbox of them; how they find each other.

``clock_sharing``  one now for several processes: the clock as a ready line tells it
``control``        the control API of a test bed: what time it is, and on the manual clock how to move it
``fleet``          a fleet of meters as a party has it
``headend``        the head-end with its service and its way to SMT's file site
``keys_file``      the keys of a link in a file that its parties share
``made_accounts``  accounts for a sandbox's retailer
``meter_roster``   a head-end's records of its meters: from the ready line of the emulated ones
``meters``         gateways with a fleet's meters behind them, on a clock that runs
``options``        what each party can be asked for: a command's options as one record
``ready_line``     the line that a party prints when it is ready, as the next one reads it
``ror``            a retailer with its balance desk, and its way to SMT's market API
``sandbox``        every party in one process
``serve``          each party as its command serves it
``smt``            SMT with its file site and control API
``wire_file``      the file of a party's exchanges
"""
