"""The profile of the balance inquiry: what an implementation is held to, as data that live without any of our code; made by ``make pages``.

Its files: ``registry.json``, each requirement; ``openapi``, what the parties say to each other; ``vectors``, cases with their outcomes;
``manifest.json``, version and SHA-256 of each file.

``run``  holds an implementation to the vectors: ``python -I scenarios/profile/run.py --target COMMAND``
"""
