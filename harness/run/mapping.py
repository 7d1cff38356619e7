"""Making the kill map piece by piece: what a mutant's kills depend on, which mutants are mapped for the content of now, keeping one at a time.

The stamps lie beside the kill map in a file that is not committed: they only save work where a mapping was interrupted. Deliberately absent: running
mutants (``mutants``).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.base.spec import HERE, find
from harness.report.whole import write_whole
from harness.run.gallery import Gallery
from harness.run.kill_map import learned, read_kill_map, write_kill_map
from harness.run.mutants import Outcome

STAMPS = ".mapped.json"
"""Mutant -> digest of the content that its kill map was made with; in the gallery's folder."""

type Stamps = Mapping[str, str]


def stamps_of(gallery: Gallery, folder: Path, files: Sequence[Path], *, whole: bool) -> dict[str, str]:
    """For each mutant a digest of all that its kills depend on: programs, rules, stories, its own module, what the gallery shares, which plans."""
    rooms = [HERE, HERE.parent / "reference"]
    common = [*(path for room in rooms for path in sorted(room.rglob("*.py"))), *sorted(folder.glob("_*.py")), *files]
    common += sorted(find("requirements.yaml").parent.glob("*.yaml"))
    base = _digest(common) + str(whole)
    homes = {home: _digest([home]) for home in set(gallery.homes.values())}
    return {name: hashlib.sha256((base + homes[home]).encode()).hexdigest() for name, home in gallery.homes.items()}


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(b"%s %d " % (path.name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()


def unmapped(gallery: Gallery, folder: Path, stamps: Stamps) -> list[str]:
    """Ids of the broken systems whose kill map was not made with the content of now, in the order of the gallery; without stamps all of them."""
    kept, known = _read_stamps(folder), read_kill_map(folder)
    broken = [one.id for one in gallery.mutants.values() if one.kind not in ("benign", "harness")]
    return [name for name in broken if name not in known or kept.get(name) != stamps.get(name, "")]


def sliced(names: Sequence[str], part: str) -> list[str]:
    """Every so manieth name: ``2/5`` is the second fifth, dealt out like cards so that dear neighbours are spread."""
    first, _, step = part.partition("/")
    return list(names[int(first) - 1 :: int(step)])


def keep(folder: Path, outcome: Outcome, plans: frozenset[str], stamp: str) -> bool:
    """Write what was found of one mutant into the kill map, beside what is in it by now; False if there is nothing to go by.

    Args:
        folder: of the gallery.
        outcome: what was found.
        plans: all that were run and on which the reference is green.
        stamp: of the content it was found with.
    """
    if outcome.mutant.kind in ("benign", "harness") or outcome.void or outcome.errors:
        return False
    name, known = outcome.mutant.id, read_kill_map(folder)
    write_kill_map(folder, {**known, name: learned(known.get(name, {}), outcome.killed, plans)})
    write_whole(folder / STAMPS, json.dumps({**_read_stamps(folder), name: stamp}, indent=1, sort_keys=True) + "\n")
    return True


def _read_stamps(folder: Path) -> dict[str, str]:
    """The stamps; none where the file is missing or damaged, for they only save work."""
    try:
        found = json.loads((folder / STAMPS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
