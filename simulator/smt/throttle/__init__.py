"""The throttle: limits as data, what they count, how a request is decided, policies as they are written; the same functions in memory and in the database.

Knows no request's life and no door.

``admission``        who holds the allowances, live
``counts``           what a limit remembers, and how each measure counts
``decision``         admission and settlement as pure functions of a state
``limits``           a limit as data: kind, scope, window, measure, doors, classes
``policy``           presets in ``policies.yaml``, and policy files
``policy_change``    what a change of policy does to what limits remember
``refusal_reasons``  what a refusal says of the uses that stand against one more
``standing``         how a limit stands, for whoever looks and asks for nothing
"""
