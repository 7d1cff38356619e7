"""What is generated from the tables is what is committed."""

import json
import re

from harness.scenario.__main__ import GUIDE, SCHEMA
from harness.scenario.guide import filled
from harness.scenario.parameters import faults
from harness.scenario.schema import schema, schema_text
from harness.scenario.verbs import EXPECT, STORY

AGAIN = "run `python -m harness.scenario` and commit what it writes"


def test_the_committed_schema_is_up_to_date():
    assert SCHEMA.read_text() == schema_text(), AGAIN


def test_the_guide_is_up_to_date():
    text = GUIDE.read_text()
    assert "<!-- table:" in text
    assert filled(text) == text, AGAIN


def test_every_verb_and_every_fault_is_in_the_schema():
    text = schema_text()
    for row in (*STORY, *EXPECT):
        name = {"device": "phone"}.get(row.role, row.role)
        assert f'"{name}.{row.name}"' in text
    for cls in faults().values():
        assert f'"{cls.name}"' in text or f'"host.{cls.name}"' in text


def test_every_reference_of_the_schema_leads_somewhere_and_every_pattern_compiles():
    text, definitions = schema_text(), schema()["$defs"]
    assert {ref.rpartition("/")[2] for ref in re.findall(r'"\$ref": "([^"]+)"', text)} <= definitions.keys()
    for pattern in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', text):
        re.compile(json.loads(pattern))


def test_the_guide_shows_no_placeholder():
    assert "<!-- end -->\n<!-- end -->" not in GUIDE.read_text()
    assert all(f"`{row.role}.{row.name}`" in GUIDE.read_text() for row in (*STORY, *EXPECT))
