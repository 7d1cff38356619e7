"""Property tests try the same examples each time, so that a red one is red for everybody; ``--hypothesis-profile=wander`` looks further."""

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("wander", max_examples=2_000, print_blob=True)
settings.load_profile("same")
