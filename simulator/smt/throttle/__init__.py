"""The throttle: limits as data, what they count, how a request is decided, policies as they are written; the same functions in memory and in the database.

Knows no request's life and no door.

``admission``        who holds the allowances, live
``counts``           what a limit remembers, and how each measure counts
``decision``         admission and settlement as pure functions of a state
``limits``           a throttle as data: what a limit counts, whose requests together, over what
``policy``           throttle policies as they are written: presets in ``policies.yaml``, a user's own in a file
``policy_change``    what a change of policy does to what limits remember
``refusal_reasons``  what a refusal that is told says beside its rule
"""
