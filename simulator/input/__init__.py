"""What a user writes: YAML with its lines, and mistakes in plain sentences. Imports nothing of the simulator.

``mistakes``    what pydantic finds wrong, in plain sentences: the field as it was written
``vee_preset``  a preset of VEE: thresholds and ladders, as a record of the head-end's
``yaml_text``   YAML read as it looks: 15:00 is text, ON is text, every node has a line
"""
