"""Where a test's own processes are started, whatever worlds there were before it."""

import os

from harness.worlds.wire.namespaces import tool, unavailable

AT_HOME = [] if unavailable() else [tool("nsenter"), f"--net=/proc/{os.getpid()}/ns/net"]
"""What stands before a command: a thread that a world of before left in its namespace may start it (``Children.before``)."""
