from harness.run.laws import laws


def test_every_law_has_a_level_and_a_text():
    assert all(law.level in {"MUST", "SHOULD", "MAY"} and law.text for law in laws().values())
