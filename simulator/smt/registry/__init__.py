"""Who and what SMT knows: the records, who may see what by the day, registries as CSV files and made ones.

Knows no usage and no request.

``checks``            whether the records of a registry fit together: nothing twice, nobody named who is not there
``csv_files``         a registry as a folder of CSV files, read and written: one file per kind of record
``han``               devices of a home area network: displays
``meter_attributes``  what SMT tells of a meter: the fields of ``meterInfo``
``passwords``         passwords as they are kept: how one is hashed and held against its hash
``records``           the records that a registry is made of
``registry``          who may see what, by the day
``seeded``            a registry of N made premises
"""
