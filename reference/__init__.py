"""The reference: a relay, a host and a device that do it right, in trio, to be read in an evening.

Start at docs/spec/protocol.md, then ``reference.protocol`` (pure machines), then the drivers beside it. Deliberately absent: anything of ``harness``.
"""

__version__ = "0.1.0"
