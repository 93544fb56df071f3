"""What a test bed is made of, as data: fleet, faults, the market around it, and posted days made for it.

Opens no port.

``callers``        who may ask for what with which log-in, as a file that whoever plays a load reads
``fault_spec``     faults, weather and look-alikes as a user writes them in YAML
``fleet``          a fleet behind its gateways, and the world around it
``fleet_options``  the options that say which fleet a command means: --tdsp, --count, --seed, --mix, --faults
``history``        posted days made on the modelled transport
``kept_days``      posted days kept on the disk between two starts
``market``         the market around a world's meters: TDSP, retailers, the customer, their log-ins
``market_spec``    the market as a scenario says it
``meters``         the world as data: meters, faults, who serves and owns what
``roster``         finds one meter by its ESI ID: whose it is, behind which gateway, what is special about it
"""
