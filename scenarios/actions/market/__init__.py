"""What the users of SMT and of a retailer do: they call, ask, read and look.

``attributes``    meter attributes, premise, HAN devices
``balance_call``  a customer calls about the balance
``exchange``      a call as it goes over the wire, and the facts of its answer
``http``          any call, as it is written
``log_in``        someone logs in, rightly or not
``look``          a tester looks at throttle, stores, queue, audit, health, metrics
``on_demand``     power status and plain reads at the market API
``portal_read``   a customer reads the meter through the portal
``rebill``        the bill of an earlier call, made again on VEE data
``requests``      the facts of every on-demand request at the market API
``ror_files``     a ROR looks into its folder
``same_answers``  both doors are asked for the same
``usage_read``    posted usage is read, by API or from files
"""
