"""What a user writes: YAML with its lines, and mistakes in plain sentences. Imports nothing of the simulator.

``csv_text``    CSV with its lines, its header held against the columns that there are
``mistakes``    what pydantic finds wrong, in plain sentences: the field as it was written
``vee_preset``  a preset of VEE: thresholds and ladders, as a record of the head-end's
``whole_text``  a text read whole, whatever stands at its path
``yaml_text``   YAML read as it looks: 15:00 is text, ON is text, every node has a line
"""
