"""The sans-io core: three machines and what they share. No sockets, clocks, threads, files or entropy of its own.

Each machine has one shape: ``handle(input, now) -> list[Effect]`` and ``next_deadline() -> float | None`` on the awake clock.
"""
