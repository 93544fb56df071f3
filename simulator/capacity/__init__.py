"""Load studies: throttle policies over whole workloads of everybody who asks, played by a compiled engine that is held to the live processes.

``cell``      one workload under one policy, drawn, played, held to what must be so, and told in figures
``ends``      how a request ends, as columns number it
``engine``    a whole load compiled: columns in, rows out, each as the live processes have it
``knobs``     what is assumed, by name, and a setting with an assumption turned
``levels``    service levels as they are written, and a study's judged
``model``     the modelled ports: the live processes over simpy, a store known only by how far it reaches
``outcome``   what a study leaves: cells, tornado, knees; JSON and Parquet, read again without playing
``paired``    estimates; policies held against each other over the same callers: differences, regret, who can be told apart
``pushed``    octets of what head-ends send SMT after each sweep
``rows_file``  a played load as a Parquet file, a row a request, with its schema
``run``       runs a study: cells over an executor, kept as they end; until a difference is known; knees by bisection
``study``     a study as it is written in YAML, and everything that is wrong with it
``theory``    what queueing theory says of a resource, and beside a study's resources the forms whose conditions hold
``told``      what callers of a load were told, by group
``value``     by how many dollars callers are told a wrong bill, by what was not known: the shipped table, read
``whatif``    a fleet, calls and a storm of one's own in place of a shipped workload's
``workload``  everybody who asks during a whole day or week, as columns; where the power is out meanwhile
"""
