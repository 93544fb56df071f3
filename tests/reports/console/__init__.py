"""The tester's console, held against the calls of the bed that it shows."""
