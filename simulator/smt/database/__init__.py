"""SMT's database: its tables, how it came to them, how it is opened and written, who has a seat at it.

Knows no record's meaning.
"""
