"""What users of SMT complain of, switched on by a tester: kinds, those declared, where they act.

Without one that is on, nothing here acts.

``book``      complaints in SMT's database: which are on and how often each struck
``declared``  complaints that are switched on: for an ESI ID, a ROR or a user, for a stretch of model time
``hooks``     where complaints act inside SMT: the middle tier loses requests
``kinds``     what users of SMT complain of, as one table (DOMAIN §4): each kind, where it acts
``targets``   whether a complaint can ever strike: whom it names must be there, a call that it acts on too
"""
