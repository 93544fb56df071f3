"""LSE files: what they are made of, their writer, their reader. No database and no network.

``format``  what an LSE file is made of: its name, its records, its result codes, its faults
``octets``  canonical records, compiled: read and written many at a time
``reader``  the reader of LSE files: what is not canonical line by line, each fault told with its line, field and result code
``writer``  LSE files (Lodestar Enhanced): names, writer, result files
``warm``    its kernels, compiled or loaded before anybody waits for a file
``warned``  what of right records is doubtful all the same: sums, midnights, what comes again
``zoo``     files that are wrong or doubtful in one thing each, as data
"""
