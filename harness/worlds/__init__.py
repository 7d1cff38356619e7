"""Worlds: where a plan comes to life. ``director`` walks the story the same way in each; a world supplies machines, links and time.

Only a world does I/O while a scenario runs.
"""
