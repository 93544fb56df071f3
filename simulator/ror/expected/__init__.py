"""What is not known of usage: how it may go, what that means in dollars, and what a read of it is worth. No call and no clock.

``like_days``   what quarter hours may be expected to have taken, by days of their kind: the usual day, days of like weather
``likely``      what a premise may take in days that are not known, by what homes like it took
``projection``  where a cycle's usage is going
``tally``       bills told beside the truth, counted over homes, seasons and hours of the call: the table of what a read is worth
``value``       what callers are told when the last quarter hours are left out, or expected, beside the truth
``worth``       what the ways that a cycle may go mean in dollars, and what a read would be worth
"""
