"""Who comes in and who read what: log-ins, tokens, the access log.

``gatekeeper``  whose a token is, at both doors
``log``         who read which ESI ID, when, through which door
``logins``      what tokens are signed with, and when each portal token was last used
"""
