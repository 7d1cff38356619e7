"""Checks: pure functions of a history. One file a family.

Deliberately absent: I/O, worlds, and every line of ``reference``: the judge shares no code with the judged.
"""
