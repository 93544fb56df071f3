"""The market API: routes, bodies as SMT documents them, examples. Never imports the portal."""
