"""Running a scenario on real parts under the manual clock.

``player``    plays the timeline: one process per action, begun at its time
``recorder``  puts the recording together, of what the parties hold and what the player saw
``runner``    builds the sandbox of a scenario, has its timeline played, and has it recorded
"""
