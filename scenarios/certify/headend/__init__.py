"""What is seen of a head-end that is certified.

``answered``  what it answers and how it takes inquiries, id by id
``posted``    the files that it posts, id by id
``seen``      all of it: the inquiries in one pass, then the files
"""
