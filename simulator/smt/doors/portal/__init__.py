"""The portal API: routes, bodies as its clients know them, examples. Never imports the market."""
