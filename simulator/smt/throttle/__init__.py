"""The throttle: limits as data, what they count, how a request is decided, policies as they are written; the same functions in memory and in the database.

Knows no request's life and no door.
"""
