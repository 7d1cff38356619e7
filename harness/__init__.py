"""relayproof's harness: YAML -> Scenario -> Plan -> World -> History -> Findings -> Verdict -> Report.

Deliberately absent: the systems that are judged (package ``reference``, reached only through ``harness.sut``).
"""

__version__ = "0.1.0"
