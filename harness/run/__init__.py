"""From a plan to a judged record: worlds by name, one run, many runs, pairing, and the places on disk where runs leave their files.

Deliberately absent: collecting and selecting scenarios (pytest does that, ``harness.pytest_plugin``) and printing (``harness.report``).
"""
