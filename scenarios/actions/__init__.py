"""What can happen in a timeline: one table, a module for each subject. A new action is a module with its rows, and its name in ``table``.

``action``           a row of the table, and what is seen of an action in a recording
``answer_fault``     a faulty head-end's answers are laid over ours
``asks_smt``         a retailer asks an SMT that is not ours, and the TDSP answers as is written
``attributes``       meter attributes, premise, HAN devices
``await_files``      the head-end posts a day, and its files are kept
``balance_call``     a customer calls about the balance
``complaint``        what users complain of is switched on or off
``customer_calls``   a customer calls a retailer that is not ours
``exchange``         a call as it goes over the wire, and the facts of its answer
``golden_bill``      a retailer that is not ours tells the bill of a plan and a usage that it is handed
``http``             any call, as it is written
``inquire``          an inquiry straight to the head-end, and what is called back for it
``load``             a workload is played: many ask at once
``log_in``           someone logs in, rightly or not
``look``             a tester looks at throttle, stores, queue, audit, health, metrics
``modbus``           a meter's registers are read at its gateway
``on_demand``        power status and plain reads at the market API
``party``            SMT or the head-end is cut off for a time
``portal_read``      a customer reads the meter through the portal
``rebill``           the bill of an earlier call, made again on VEE data
``read_meter``       a meter is read by its map, past the head-end, as a certification looks at it
``registry_change``  SMT's records change in mid-run
``requests``         the facts of every on-demand request at the market API
``ror_files``        a ROR looks into its folder
``same_answers``     both doors are asked for the same
``table``            the table of actions
``tdsp_file``        a file that the TDSP posts beside those of its days
``usage_read``       posted usage is read, by API or from files
"""
