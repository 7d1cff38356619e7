import re
from pathlib import Path

import pytest

from harness.base.spec import SpecError
from harness.checks.catalogue import INVARIANTS
from harness.checks.model import LAWS
from harness.checks.requirements import load_requirements
from harness.run.judgement import CONTROL, WORLD

ROW = "- {id: RC-OUT-002.ends, text: t, level: MUST, role: host, since: 1, observe: os, provenance: article}"


def test_every_claim_of_the_article_has_a_row():
    sources = {source for row in load_requirements().values() for source in row.source}
    assert {f"ART-{number:02}" for number in range(1, 25)} <= sources


def test_every_law_speaks_about_rows_that_exist():
    assert set(LAWS) == set(INVARIANTS)
    assert {requirement for names in LAWS.values() for requirement in names} | {CONTROL, WORLD} <= set(
        load_requirements()
    )


def test_every_id_in_the_scenarios_exists():
    files = (Path(__file__).parents[3] / "scenarios").rglob("*.yaml")
    named = {name for file in files for name in re.findall(r"RC-[A-Z]+-\d{3}\.[a-z0-9-]+", file.read_text())}
    assert named <= set(load_requirements())


def test_a_row_knows_its_profiles():
    rows = load_requirements()
    assert rows["RC-OUT-002.ends"].holds_in("article-2026-02")
    assert not rows["RC-OUT-002.ends"].holds_in("docs-2026-08")
    assert rows["RC-OUT-001.catches-up"].holds_in("docs-2026-08")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not YAML"),
        ("[]", "a list under"),
        ("requirements: []", "a list under"),
        ("requirements: [7]", "row 1: not a mapping"),
        (f"requirements:\n {ROW}\n {ROW}", "RC-OUT-002.ends: stands there 2 times"),
        (f"requirements:\n {ROW.replace('MUST', 'WILL')}", "level is 'WILL', not one of MUST"),
        (f"requirements:\n {ROW.replace('text: t, ', '')}", "`text` is missing"),
        (f"requirements:\n {ROW.replace('text: t', 'text: t, txt: u')}", "unknown field `txt`"),
        (f"requirements:\n {ROW.replace('RC-OUT-002.ends', 'OUT-2')}", "not an id like"),
        (f"requirements:\n {ROW.replace('text: t', 'text: t, source: ART-19')}", "`source` is not a list"),
    ],
)
def test_a_broken_list_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "requirements.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=re.escape(message)):
        load_requirements(path)
