"""``python -m harness.scenario`` writes what is generated from the tables: the JSON Schema and the guide's tables.

Deliberately absent: options; ``git diff`` shows what changed.
"""

from harness.base.spec import CHECKOUT
from harness.scenario.guide import filled
from harness.scenario.schema import schema_text

GUIDE = CHECKOUT.parent / "guide" / "write-a-scenario.md"
SCHEMA = CHECKOUT / "scenario.schema.json"


def main() -> None:
    """Rewrite both files."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
