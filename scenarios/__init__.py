"""Scenario files, what becomes of them, and what is said of that.

Imports simulator and below. A verdict is a pure function of a recording and its scenario. The shipped files: ``library/``, and ``capacity/`` for load studies.

``cli``           ``ami scenario``: list, lint, run and judge scenarios
``errors``        the scenario room's exception
``judging``       the verdict on a recording: steps, checks, the result
``lint``          everything that a run would stumble over, found before it runs
``recording``     what a scenario's run left behind, as JSON and as typed records
``refusals``      who refuses in a scenario: its throttle, the codes of the refusals that it can meet, the rules that it can show
``requirements``  the requirement registry: the ids of the use case as rows in ``requirements.csv``
``run``           ``ami scenario run`` but for its printing: run, judge, write the three files, the progress bar
``running``       a scenario's run on real parts under the manual clock
``schema``        a scenario file: the world, the policy, the retailer's account, the timeline of what happens
``shipped``       what comes with the test bed, by name: scenarios and load studies
``stamps``        instants in what a person reads: as the clock on the wall shows them, not as ISO 8601
``twins``         systems of strangers, to be held against ours: a process of their own each
``timeline``      the timeline of a scenario: what happens when, and what it is expected to come to
"""
