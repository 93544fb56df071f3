"""The TDSP's day: when it has ended it is validated, written, posted to SMT's site, and its result codes fetched."""
