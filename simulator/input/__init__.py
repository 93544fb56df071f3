"""What a user writes: YAML with its lines, and mistakes in plain sentences. Imports nothing of the simulator."""
