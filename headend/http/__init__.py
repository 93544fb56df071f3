"""What every HTTP service shares, SMT's too: the page under /docs, the exchange under way, malformed bodies, the log.

Knows neither meters nor inquiries.
"""
