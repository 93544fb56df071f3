"""Usage files of customers, read into the retailer's records: what their form is, what is in them, what is left out and why.

``found``         what is wrong with a file, by kind: how often, where first, the mend
``grid``          a file's quarter hours in their places, whatever their order; what comes twice
``green_button``  Green Button: Atom and ESPI
``lse``           the market's LSE
``read``          a file of either form, recognised by its content
``smt_csv``       SMT's interval CSV, as the portal exports it and as it is delivered
"""
