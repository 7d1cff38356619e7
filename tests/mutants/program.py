"""A broken program as a process: a mutant takes the place of the reference's role, then the very same native program runs.

``python program.py MODULE ID USES ROLE [the role's own options]``; the file USES grows by a byte whenever the broken place is used. This stands with
the tests and nowhere else, so that the reference has no trace of it. Deliberately absent: any word to the role of what it is run for.
"""

import importlib
import sys
from pathlib import Path

from harness.run.gallery import load_mutant
from reference.native.command import main


def run(module, name, uses, role, *options):
    """Run a role of a mutant; as ``reference.native.command``, whose last word is the process's exit code."""
    mutant = load_mutant(Path(module), name)
    shim = importlib.import_module(f"reference.{role}.shim")
    told = Path(uses).open("ab", buffering=0)  # noqa: SIM115 - until the program ends
    shim.serve = mutant.programs(lambda: told.write(b"."))[role]
    main([role, *options], prog_name="reference")


if __name__ == "__main__":
    run(*sys.argv[1:])
