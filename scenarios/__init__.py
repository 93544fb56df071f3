"""Scenario files, what becomes of them, and what is said of that.

Imports simulator and below. A verdict is a pure function of a recording and its scenario.

``check_parts``         what several checks are made of
``checks``              the checks beside the steps: what each action of the timeline was expected to come to
``cli``                 ``ami scenario``: list, lint, run and judge scenarios
``complaint_checks``    checks of the complaints of a run, from its beginning or declared in its middle
``delivery``            S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP
``errors``              the scenario room's exception
``facts``               a recording, looked up: journal notes, ledger entries, the file last posted
``findings``            what a verdict is made of: a step or a check, its evidence, its mark
``lint``                everything that a run would stumble over, found before it runs
``play``                ``ami scenario run``: run, judge, write the three files, the progress bar
``player``              plays a scenario's timeline on a running sandbox: one process per action, begun at its time
``portal_checks``       checks of what a customer's client saw at the portal
``recorded``            the form of a recording, as far as a verdict rests on it
``recorded_actions``    the form of what became of an action in a recording: calls, requests, bills, re-bills
``recording``           a recording: what a scenario's run left behind, as JSON
``request_checks``      checks of plain requests: a power status, a register read
``requirements``        the requirement registry: the ids of the use case as rows in ``requirements.csv``
``result``              ``result.json``: what came out of a run, the same twice byte for byte
``ror_files_check``     PRE1 from the retailer's side: its own folder holds what was posted
``runner``              runs a scenario on real parts under the manual clock: builds the sandbox, plays the timeline
``same_answers_check``  AC2: market API and portal tell the same
``schema``              a scenario file: the world, the policy, the retailer's account, the timeline of what happens
``shipped``             what comes with the test bed, by name: scenarios and load studies
``stamps``              instants in what a person reads: as the clock on the wall shows them, not as ISO 8601
``steps``               the seven steps of the use case, judged for the first balance call
``timeline``            the timeline of a scenario: what happens when, and what it is expected to come to
``told``                S6 and S7: the bill that the customer is told, made again
``verdict``             the verdict: a pure function of a recording
"""
