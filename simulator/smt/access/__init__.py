"""Who comes in and who read what: log-ins, tokens, the access log.

``gatekeeper``  logins and tokens of both doors
``log``         who read which ESI ID, when, through which door: usage, attributes, the status of a request
``logins``      what a gatekeeper remembers between calls: bad log-ins
"""
