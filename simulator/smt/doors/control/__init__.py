"""The control API's parts for SMT: requests as a tester audits them, complaints, who read what.

``access``      the control API's part for the access log: who read an ESI ID
``audit``       the ledger of on-demand requests as a tester can look at it: who asked for which call
``complaints``  the control API's part for complaints: switch on, list, switch off
"""
