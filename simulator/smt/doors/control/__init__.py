"""The control API's parts for SMT: requests as a tester audits them, complaints, who read what."""
