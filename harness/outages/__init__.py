"""From a log of outages, as monitoring keeps it, to a scenario that replays them.

Pure: bytes in, text out. Deliberately absent: running scenarios, and files (``harness.cli_record``).
"""
