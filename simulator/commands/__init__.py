"""The commands and their options. Heavy imports are inside functions, so that --help is at once."""
