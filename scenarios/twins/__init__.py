"""Systems that strangers might have written: each from the documents alone, one file without any of our packages, honest until told a fault.

Nothing here is imported by the product, nor imports it: ``python -I scenarios/twins/headend.py``. The faults of each lie beside it (``ror_faults.json``).

``bills``    a retailer's bills of a plan and a usage, for ``ror`` and ``vectors``
``headend``  a TDSP's head-end for on-demand inquiries
``meter``    a meter behind a Modbus TCP gateway
``portal``   the portal of an SMT, before ``smt``, which it starts
``poster``   what a head-end posts, beside ``headend``
``ror``      a retailer that a customer calls: one run is one call
``site``     SMT's intake of posted files, from a folder in place of FTPS; what it holds is for ``smt``
``smt``      SMT between a head-end and retailers
``vectors``  what answers the vectors of ``scenarios/profile``
"""
