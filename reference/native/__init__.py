"""A role as a program of a real machine: real clocks, files, TLS, processes; verbs by standard streams.

Deliberately absent: decisions (``reference.protocol``) and anything that knows of a harness.
"""
