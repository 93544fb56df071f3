"""Who comes in and who read what: log-ins, tokens, the access log."""
