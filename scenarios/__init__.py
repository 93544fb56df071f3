"""Scenario files, what becomes of them, and what is said of that.

Imports simulator and below. A verdict is a pure function of a recording and its scenario. The shipped files: ``library/``, and ``capacity/`` for load studies.

``actions``    what can happen in a timeline: one table
``certify``    certification: a system of somebody else in the place of a party, and a verdict on it
``cli``        ``ami scenario`` but for ``run``: list, show, explain, begin, lint and judge scenarios
``coverage``   of each requirement which scenarios show it, what is made to fail by it, why none does
``errors``     the scenario room's exception
``evidence``   a recording, looked up
``file``       a scenario file as a whole: read, made into cases, held to be sound, told in words
``judging``    the verdict on a recording: steps, checks, the result
``many``       many scenarios, in one process or several: each run, judged, its page made, told as a row
``outside``    what stands where a party of the run is not ours
``parts``      what a scenario file is made of, below its actions
``profile``    what implementations are held to, as data that live without our code, and their runner
``recording``  what a scenario's run left behind, as JSON and as typed records
``records``    what a recording is made of
``rules``      what a scenario can be held to, and the codes that the product tells
``run``        ``ami scenario run`` but for its printing: run, judge, write the three files, the progress bar of one
``run_wide``   what a run as a whole must come to, and what must never happen
``running``    a scenario's run on real parts under the manual clock
``stage``      what an action acts on while a run goes on
``stamps``     instants in what a person reads: as the clock on the wall shows them, not as ISO 8601
``taken``      ``ami scenario from``: what a file saw, as a scenario that plays it again
``twins``      systems of strangers, to be held against ours: a process of their own each
"""
