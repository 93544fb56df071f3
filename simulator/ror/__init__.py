"""The REP of record: its client to SMT, its accounts and rate plans, the bill, and what it tells a caller about the balance."""
