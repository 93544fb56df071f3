"""The REP of record: its client to SMT, its accounts and rate plans, the bill, and what it tells a caller about the balance.

Processes: ``inquiry`` (S1 to S7; power status), ``on_demand`` (ask and poll), ``rebill`` (after the next posting). Pure: ``plan``, ``bill``,
``fact_label``, ``usage``, ``account``, ``projection``, ``analysis`` (S2), ``answer`` (S6). Adapter: ``client``. Nothing of SMT's inside lives here.
"""
