"""The floor everybody stands on: errors, verdicts, spans of time, evidence ranks.

Deliberately absent: I/O of any kind, and every noun of the domain that has a room of its own.
"""
