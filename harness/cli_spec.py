"""``relayproof spec``: the requirements as text, and how they are covered."""

import json

from harness.base.errors import UsageError
from harness.run.laws import laws
from harness.scenario.document import did_you_mean


def show_requirements(id: str | None, *, as_json: bool) -> str:  # noqa: A002 - as on the command line
    """Text of all requirements, of one, or of an area (``RC-OUT``).

    Raises:
        UsageError: no requirement begins so.
    """
    chosen = {key: law for key, law in laws().items() if key.startswith(id or "")}
    if not chosen:
        raise UsageError(f"no requirement begins with {id}; {did_you_mean(str(id), laws())}")
    if as_json:
        return json.dumps([{"id": key, "level": law.level, "text": law.text} for key, law in chosen.items()], indent=1)
    return "\n".join(f"{key:<28} {law.level:<7} {law.text}" for key, law in chosen.items())
