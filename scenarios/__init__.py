"""Scenario files, what becomes of them, and what is said of that.

Imports simulator and below. A verdict is a pure function of a recording and its scenario. The shipped files: ``library/``, and ``capacity/`` for load studies.

``actions``       what can happen in a timeline: one table
``begun``         a scenario file to begin with: another's text under a name of its own
``call_backs``    where results of the tester's own inquiries are called back to
``certified``     what a system in a role is held to, as rows in ``certified.csv``
``certify``       certification: a system of somebody else in the place of a party, and a verdict on it
``chosen``        which scenarios a command line names: files, folders, shipped ones, those with a tag
``cases``         a scenario file as the scenarios that it makes
``cli``           ``ami scenario`` but for ``run``: list, show, explain, begin, lint and judge scenarios
``codes``         every code that the product tells: where it comes from, what it means, the mend
``coverage``      of each requirement which scenarios show it, what is made to fail by it, why none does
``errors``        the scenario room's exception
``evidence``      a recording, looked up
``expected``      what is expected of a fact, in one form for all
``file``          a scenario file as YAML
``golden``        the golden bills of the profile, by name
``idle``          expectations that nothing can miss, metrics that no party has
``judging``       the verdict on a recording: steps, checks, the result
``file_drop``     the file site of an SMT that is not ours, by FTPS or a folder
``inquiry_door``  where an SMT that is not ours inquires of the tester's TDSP
``lint``          everything that a run would stumble over, found before it runs
``many``          many scenarios, in one process or several: each run, judged, its page made, told as a row
``outside``       a party that is not ours in a run
``profile``       what implementations are held to, as data that live without our code, and their runner
``raised``        the errors of users, read where the product raises them
``recording``     what a scenario's run left behind, as JSON and as typed records
``records``       what a recording is made of
``refusals``      who refuses in a scenario: its throttle, the codes of the refusals that it can meet, the rules that it can show
``registry``      the registry of requirements: all that a scenario can cite, as rows made from the tables that act
``requirements``  the ids of the use case and of what was decided beside it, as rows in ``requirements.csv``
``run``           ``ami scenario run`` but for its printing: run, judge, write the three files, the progress bar of one
``run_wide``      what a run as a whole must come to, and what must never happen
``running``       a scenario's run on real parts under the manual clock
``schema``        a scenario file: a setting with the timeline of what happens; what does not fit together in one
``setting``       a scenario but for what its actions are: the world, the policy, the cast; what every action has
``shipped``       what comes with the test bed, by name: scenarios and load studies
``shown``         a scenario in words
``stage``         what an action acts on while a run goes on
``stamps``        instants in what a person reads: as the clock on the wall shows them, not as ISO 8601
``taken``         ``ami scenario from``: what a file saw, as a scenario that plays it again
``twins``         systems of strangers, to be held against ours: a process of their own each
``written``       what the fields of a scenario file are made of
"""
