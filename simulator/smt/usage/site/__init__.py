"""The file site: the users' folders, and what its FTP over explicit TLS lets each of them do there.

What a file holds is none of it: it is handed to whoever takes files in, whole.

``file_site``  FTP over explicit TLS, serves the users' folders
``folders``    the users' folders: what those who lay files are handed, and the folders on disk
``ftps``       FTP over explicit TLS as the file site speaks it
``rights``     who may do what at the file site, and which names are given there
``uploads``    what becomes of a file that a client sends: it gets its name once, or is kept apart
"""
