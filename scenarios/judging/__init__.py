"""The verdict on a recording: steps, checks, the result. A verdict is a pure function of a recording.

``answer``              S6 and S7: the bill that the customer is told, made again, and whether the answer satisfies
``check_parts``         what several checks are made of
``checks``              the checks beside the steps: what each action of the timeline was expected to come to
``complaint_checks``    checks of the complaints of a run, from its beginning or declared in its middle
``delivery``            S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP
``facts``               a recording, looked up: journal notes, ledger entries, the file last posted
``findings``            what a verdict is made of: a step or a check, its evidence, its mark
``portal_checks``       checks of what a customer's client saw at the portal
``request_checks``      checks of plain requests: a power status, a register read
``result``              ``result.json``: what came out of a run, the same twice byte for byte
``ror_files_check``     PRE1 from the retailer's side: its own folder holds what was posted
``same_answers_check``  AC2: market API and portal tell the same
``steps``               the seven steps of the use case, judged for the first balance call
``verdict``             the verdict: a pure function of a recording
"""
