"""The host program: drives the host machine and its agent."""
