"""VEE usage: files taken in, the repository, the file site, what each ROR gets, reports and their forms.

Nothing non-VEE lives here.

``billing_periods``  the periods between two reads for billing
``deliveries``       reports delivered as files, in the background
``formats``          reports as files: SMT's interval CSV, daily and monthly CSV, LSE
``green_button``     posted days as an Atom feed of ESPI resources
``intake``           takes posted LSE files in, a result code for each record
``kwh``              kWh as SMT writes them: text with three decimals, of whole Wh
``missing``          ESI IDs of which nothing is loaded for a day, by TDSP and ROR
``posting_list``     postings as a tester looks at them
``postings``         what happened to the files of the file site, append-only
``ror_files``        each ROR's share of a posting, as a file in its own folder
``site``             the file site, where each user has a folder
``store``            SMT's repository of VEE usage: one row per (ESI ID, channel, operating day, revision)
"""
