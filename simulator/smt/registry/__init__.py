"""Who and what SMT knows: the records, who may see what by the day, registries as CSV files and made ones.

Knows no usage and no request.
"""
