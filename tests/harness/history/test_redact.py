from harness.history.redact import redact, redact_all


def test_credentials_and_canaries_lose_their_value_but_not_their_kind():
    text = "Bearer rca_abcd-EF_12, refresh rcr_zzzz9, planted Cmcp_config-0123456789abcdef01234567."
    assert redact(text) == "Bearer rca_***, refresh rcr_***, planted Cmcp_config-***."


def test_other_text_stays():
    assert redact("arca_ rca C-12 Cenv-12") == "arca_ rca C-12 Cenv-12"


def test_it_reaches_into_values():
    assert redact_all({"a": ["rca_abcdef", 1, None], "rcr_abcdef": {"b": ("x",)}}) == {
        "a": ["rca_***", 1, None],
        "rcr_***": {"b": ["x"]},
    }
