"""The load engine: the on-demand process and throttle of the live system on a modelled transport and free-running simpy.

``compare``      policies over whole workloads, played by the compiled engine: who is told what, when, at what cost
``demand``       who calls in the hour, what their day was like, and every draw of their requests
``engine``       a whole load compiled: columns in, rows out, each as the live processes have it
``fingerprint``  what a kept cell is a result of: the study and all our files behind a cell
``judged``       a study's service levels, judged: what each policy keeps, and whether any does
``model``        the modelled ports: tabled draws, a store known only by how far it reaches
``outcome``      what a load study gives: columns of arrays, one row per planned request
``paired``       policies held against each other over the same callers: differences, regret, who can be told apart
``pushed``       octets of what head-ends send SMT after each sweep
``rows_file``    a played load as Parquet, a row a request
``run``          runs a load study: one cell is one policy at one level in one replication
``study``        a load study as it is written in YAML: the hour, the levels, the day so far
``value``        by how many dollars callers are told a wrong bill, by what was not known: the shipped table, read
``workload``     everybody who asks during a whole day or week, as columns; where the power is out meanwhile
"""
