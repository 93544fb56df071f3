"""What a tester does with a system that is not ours, as certification does.

``asks_smt``        a retailer asks an SMT that is not ours, and the TDSP answers as is written
``await_files``     the head-end posts a day, and its files are kept
``customer_calls``  a customer calls a retailer that is not ours
``golden_bill``     a retailer that is not ours tells the bill of a plan and a usage that it is handed
``inquire``         an inquiry straight to the head-end, and what is called back for it
``read_meter``      a meter is read by its map, past the head-end, as a certification looks at it
"""
