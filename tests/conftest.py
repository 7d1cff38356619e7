"""Property tests: the same command tries the same examples; ``--hypothesis-profile=wander`` looks further.

Another choice of tests need not: Hypothesis also tries constants of whatever modules of ours are loaded, and has no setting against it. So a red test
prints its ``@reproduce_failure`` line, which makes it red for everybody.
"""

import signal
import threading

from hypothesis import settings

settings.register_profile("same", derandomize=True, print_blob=True)
settings.register_profile("wander", max_examples=2_000, print_blob=True)
settings.load_profile("same")

# As from a terminal: under nohup, or in the background of a shell, these are ignored, and every process that a test starts would inherit that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
