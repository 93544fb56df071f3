"""What is seen of a head-end that is certified.

``recorded``  its call-backs whenever they come, and reads whatever is told of them, id by id
``answered``  what it answers, and all that is seen of its inquiries, id by id
``posted``    the files that it posts, id by id
``seen``      all of it: the inquiries in one pass, then the files
"""
