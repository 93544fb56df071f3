"""Who comes in and who read what: log-ins, tokens, the access log.

``gatekeeper``  who may log in, and whose a token is, at both doors
``log``         who read which ESI ID, when, through which door
``logins``      bad log-ins, and when each portal token was last used
"""
