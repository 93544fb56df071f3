"""Each party as its command serves it: what was asked for read, the party built, its words when it is ready.

``headend``  a head-end alone
``meters``   the meters alone
``ror``      a retailer alone
``sandbox``  every party in one process
``smt``      SMT alone
"""
