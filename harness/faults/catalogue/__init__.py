"""Every fault, one file each; importing this package fills ``harness.faults.model.FAULTS``.

A new file needs no entry here: the package imports all of its modules in order of their names.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
