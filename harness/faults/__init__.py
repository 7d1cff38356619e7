"""The catalogue of faults: one file each, pure data and pure evidence.

A fault says what it does as declarative operations; worlds perform them. A fault says how to see that it bit as a
predicate over the events in its window. Deliberately absent: I/O, sockets, processes, time.
"""
