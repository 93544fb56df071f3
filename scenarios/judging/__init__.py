"""The verdict on a recording: steps, checks, the result. A verdict is a pure function of a recording.

``answer``        S6 and S7: the bill that the customer is told, made again, and whether the answer satisfies
``checks``        the checks beside the steps: of each action, and what must hold of a run as a whole
``delivery``      S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP
``exchanges``     which exchanges on the wires belong to which action and step
``expectations``  what each action of the timeline was expected to come to, and what it came to
``facts``         what a recording tells of one balance call
``findings``      what a verdict is made of: a step or a check, its evidence, its mark
``result``        ``result.json``: what came out of a run, the same twice byte for byte
``steps``         the seven steps of the use case, judged for every balance call
``verdict``       the verdict: a pure function of a recording
"""
