"""Certification: a system of somebody else in the place of a party, a plan played against it, and a verdict that can be cited.

A plan is scenario files in ``plans``, by role: data. What a system is held to is ``scenarios/rules/certified.csv``. A verdict rests on what was recorded alone.
No page is made here.

``bundle``     what is handed on: a zip with the digest of every file, signed if there is a key; whether one is as it was written
``connect``    the connectivity test, before any step
``control``    the small endpoint: what is to be done, POST /next, POST /bill
``flight``     two systems at once: the script, each verdict, whose a fault is
``headend``    what is seen of a head-end
``judged``     the verdict: a pure function of statement, recording and table
``meter``      what is seen of a meter
``observed``   what was recorded, and an observation in it with its exchanges
``plan``       the steps of a role that bear on what is claimed
``ror``        what is seen of a retailer
``run``        plays a plan against a system, and leaves the recording
``said``       what was asked at SMT's market API, read
``smt``        what is seen of an SMT, and what it is handed
``started``    starting the system, and waiting for it
``statement``  what is said of a system: its form, and every mistake in one
``strangers``  the shipped systems of strangers, and what each can do wrong
``truth``      what the meters hold, as a file
"""
