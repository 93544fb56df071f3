"""What makes a test bed run, and who takes part in it.

Imports headend and meters; knows no scenario file and no report.

``capacity``  the load engine
``commands``  sandbox, meters, headend, smt: the commands and their options
``customer``  SMT's users at the portal
``errors``    its exception
``input``     YAML with its lines, mistakes in plain sentences
``load``      a workload played against a running SMT, held in the rows of the compiled engine
``parties``   meters, head-end, SMT, the sandbox of them, as they are started and stopped
``ror``       the REP of record
``runtime``   simpy on asyncio, clocks, journal, HTTP servers, local CA, folders
``smt``       Smart Meter Texas
``tap``       every exchange on every wire as a line of a file
``verdicts``  what a verdict can be, and the exit code that it gives
``versions``  versions of what made a page or a result
``web``       the frame and kit of all that is HTML
``world``     what a test bed is made of, as data
"""
