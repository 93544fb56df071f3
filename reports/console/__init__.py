"""The tester's console: a test bed as pages, over its control, health and metrics calls alone; scenarios and studies as processes of its own.

``app``       the application: its routes, who comes in, how what stands against a request is told
``asked``     the pages of a bed as a table: what each asks, and of whom
``bed``       a running test bed by its calls; what was done to it, in order
``children``  commands of this program that run beside the console, and end with it
``copied``    what was done, as lines of curl and as a scenario
``door``      what every page shares: its site, what it works on, who may come in
``doings``    what can be done to a bed as a table: the call and its fields
``live``      counts as they change, told to whoever looks
``own_bed``   the usual bed, or one that is begun from the first page and ends with the console
``picture``   the path of a read from meter to file as stations with counts
``runs``      a folder of runs: what each came to, how far one is, its exchanges
``serve``     ``ami console``: finds a bed or a folder, and serves until it is stopped
``studies``   studies from a form's fields to the words of a command
``tester``    the pages of scenarios, runs and studies
"""
