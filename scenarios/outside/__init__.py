"""What stands where a party of the run is not ours: where it is, and what the tester serves it.

``call_backs``    where results of the tester's own inquiries are called back to
``file_drop``     the file site of an SMT that is not ours, by FTPS or a folder
``golden``        the golden bills of the profile, by name
``inquiry_door``  where an SMT that is not ours inquires of the tester's TDSP
``party``         a party that is not ours in a run
"""
