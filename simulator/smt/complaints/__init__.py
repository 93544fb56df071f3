"""What users of SMT complain of, switched on by a tester: kinds, those declared, where they act.

Without one that is on, nothing here acts.
"""
