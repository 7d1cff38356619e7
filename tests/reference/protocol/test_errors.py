from dataclasses import asdict
from pathlib import Path

import yaml

from reference.protocol.errors import ERRORS

DOCUMENT = Path(__file__).parents[3] / "docs/spec/errors.yaml"


def test_the_registry_is_the_document():
    written = yaml.safe_load(DOCUMENT.read_text())
    assert {code: {"code": code, **row} for code, row in written.items()} == {c: asdict(e) for c, e in ERRORS.items()}
    assert list(written) == list(ERRORS)


def test_only_a_failed_store_leaves_it_open_whether_something_happened():
    assert [error.code for error in ERRORS.values() if not error.definite] == ["storage-failed"]
