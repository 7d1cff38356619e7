"""Makes ``pytest scenarios/`` work from a plain checkout; installed, the entry point of the same name does."""

pytest_plugins = ["harness.pytest_plugin", "pytester"]
