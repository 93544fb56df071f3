"""What can happen in a timeline: one table, a module for each subject. A new action is a module with its rows, and its name in ``table``.

``action``   a row of the table, and what is seen of an action in a recording
``market``   users of SMT and of a retailer: they call, ask, read and look
``outside``  what a tester does with a system that is not ours
``table``    the table of actions
``world``    what happens to the parties, their data and their wires
"""
