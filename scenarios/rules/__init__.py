"""What a scenario and a system can be held to, and the codes that the product tells, made from the tables that act.

``certified``     what a system in a role is held to, as rows in ``certified.csv``
``codes``         every code that the product tells: where it comes from, what it means, the mend
``raised``        the errors of users, read where the product raises them
``registry``      the registry of requirements: all that a scenario can cite, as rows made from the tables that act
``requirements``  the ids of the use case and of what was decided beside it, as rows in ``requirements.csv``
"""
