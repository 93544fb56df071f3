"""A rate plan as a file, and the bill as a pure function of plan, usage and days. The shipped plans and the TDSPs' charges lie in ``plans`` and ``tdu``.

``bill``        the bill of one customer in words: lines, notes, what is still undecided
``fact_label``  the average prices that a plan's fact label prints, made again
``money``       dollars and kWh in words
``plan``        a rate plan as a YAML file, and the TDSPs' charges that it names
``sheet``       the bill engine: lines of a plan over some days, and the bills of any number of homes, in integers
``windows``     which quarter hours cost the same, and the energy in each
"""
