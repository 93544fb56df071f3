"""What users of SMT complain of, switched on by a tester: kinds, those declared, where they act.

Without one that is on, nothing here acts.

``book``      complaints in SMT's database: which are on and how often each struck
``declared``  those that are switched on: for whom, from when to when
``hooks``     where they act inside SMT: the middle tier loses requests, the desk refuses them
``kinds``     every kind: where it acts, what it does, its parameters
``targets``   whether a complaint can ever strike
"""
