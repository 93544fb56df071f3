"""The retailer's accounts: a folder of YAML and CSV files, and what of an account holds at an instant.

``book``     the accounts, by their ids and ESI IDs: which cycle, which plan, which bill at an instant
``folder``   a folder read, every mistake with its line
``written``  what stands in the files
"""
