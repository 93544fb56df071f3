"""LSE files: what they are made of, their writer, their reader. No database and no network."""
