"""The relay as a program: its store, its edge over trio streams, and the door by which a harness drives it.

Deliberately absent: every decision. They are in ``reference.protocol``.
"""
