"""Who and what SMT knows: the records, who may see what by the day, registries as CSV files and made ones.

Knows no usage and no request.

``checks``            whether the records of a registry fit together
``csv_files``         a registry as a folder of CSV files, read and written: one file per kind of record
``han``               devices of a home area network
``log_in``            whether a log-in is right, at every door, and how soon the next guess is looked at
``meter_attributes``  the fields of ``meterInfo``, and how an installed meter gives them
``passwords``         how a password is hashed and held against its hash
``records``           the records that a registry is made of
``registry``          who may see what, by the day
``seeded``            a registry of N made premises
"""
