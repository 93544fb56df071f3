"""What makes it run: simpy on asyncio, clocks, journal, HTTP servers, the local CA, output folders.

Knows no party and no world.

``clock``          real, scaled and manual clock
``clock_options``  the options --clock, --speed and --date of every command that serves
``driver``         steps one environment; waits for what is real before model time moves
``folder``         an output folder belongs to one run at a time, a text is written whole
``journal``        the journal of a run: what each party noted, in an order that does not depend on the sockets
``lag``            how far a party is behind its clock
``lifetime``       a driver of one party among several, whose processes end with it
``local_ca``       a certificate authority of this machine alone
``progress_file``  how far something is that takes long, as lines of JSON in a file
``serving``        HTTP services of this process: one uvicorn server each, in the running loop
``until_stopped``  serving until Ctrl-C or SIGTERM, and how a signal ends what is under way
``worker_pool``    processes to compute in
"""
