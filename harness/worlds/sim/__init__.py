"""The simulated world: many machines, virtual time and a virtual network in one process, reproducible from one seed.

``simulation.Simulation`` is the door; its module docstring is the guide. Deliberately absent: roles, stories and verdicts.
"""
