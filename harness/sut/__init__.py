"""Systems under test: the door to a role (``inprocess``), the scripted agent behind a host (``agent``), the tap's decoder (``tap``).

Deliberately absent: knowledge of scenarios. What crosses this room's border is docs/spec/sut.md and nothing else.
"""
