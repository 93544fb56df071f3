"""The verdict on a recording: steps, checks, the result. A verdict is a pure function of a recording.

``action_checks``  what each action of the timeline was expected to come to, and what it came to
``answer``         S6 and S7: the bill that the customer is told, made again, and whether the answer satisfies
``checks``         the checks beside the steps: of each action, and what must hold of a run as a whole
``daily_reads``     daily reads as both doors tell them, and the intervals' sum beside them
``delivery``       S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP
``facts``          a recording, looked up: journal notes, ledger entries, the file last posted
``findings``       what a verdict is made of: a step or a check, its evidence, its mark
``result``         ``result.json``: what came out of a run, the same twice byte for byte
``steps``          the seven steps of the use case, judged for the first balance call
``verdict``        the verdict: a pure function of a recording
"""
