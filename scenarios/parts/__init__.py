"""What a scenario file is made of, below what its actions are.

``expected``  what is expected of a fact, in one form for all
``setting``   a scenario but for what its actions are: the world, the policy, the cast; what every action has
``written``   what the fields of a scenario file are made of
"""
