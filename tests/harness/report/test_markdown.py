import pytest

from harness.base.verdict import Verdict
from harness.report.markdown import FAILURES_SHOWN, REASONS_SHOWN, TEXT_SHOWN, markdown_text, plain
from harness.report.model import INTERRUPTED, Summary
from harness.scenario.expand import LeftOut
from tests.harness.report.sample import row

AGAIN = "relayproof run 'scenarios/outage/a.yaml::a[1]' --seed 7 --world wire"


def failed(name="a[1]", verdict=Verdict.FAIL, **changes):
    return row(verdict, **({"id": name, "again": AGAIN} | changes))


def test_a_green_session_is_a_heading_and_a_table():
    text = markdown_text(Summary((row(), row(family="sleep", id="b")), (), 1.5))
    assert text.startswith("## relayproof, sim: PASS\n\n2 runs")
    assert "| family | runs | PASS |\n|---|--:|--:|\n| outage | 1 | 1 |\n| sleep | 1 | 1 |\n| **all** | 2 | 2 |" in text
    assert "did not pass" not in text
    assert "Left out" not in text


def test_a_failure_says_what_and_how_to_see_it_again():
    text = markdown_text(Summary((row(), failed(world="wire"))))
    assert text.startswith("## relayproof, sim, wire: FAIL")
    assert "**FAIL** a\\[1\\]\nRC-OUT-002.ends late: too late" in text
    assert f"```\n{AGAIN}\n```" in text


def test_the_worst_comes_first_and_the_rest_is_counted():
    rows = [failed(f"i{n}", Verdict.INCONCLUSIVE) for n in range(FAILURES_SHOWN + 2)]
    text = markdown_text(Summary((*rows, failed("broken"))))
    assert text.index("broken") < text.index("i0")
    assert "and 3 more" in text
    assert text.count(AGAIN) == FAILURES_SHOWN


def test_what_was_left_out_stands_under_its_reason():
    left = [LeftOut(f"x{n}", "no | root") for n in range(3)] + [LeftOut("y", "no Go"), LeftOut("z", INTERRUPTED)]
    text = markdown_text(Summary((row(),), tuple(left)))
    assert "| 3 | no \\| root | x0 and 2 more |\n| 1 | no Go | y |" in text
    assert "Interrupted after 1 of 2 runs." in text
    many = tuple(LeftOut("x", f"reason {n}") for n in range(REASONS_SHOWN + 5))
    assert "and 5 more reasons" in markdown_text(Summary((row(),), many))


def test_nothing_at_all_is_no_pass():
    assert markdown_text(Summary(())).startswith("## relayproof: NOT_RUN")


@pytest.mark.parametrize("text", ["<script>", "| a", "```\nx", "[a](b)", "*a*", "a\n# b", "$x$", "&lt;"])
def test_nothing_that_a_system_says_becomes_markup(text):
    shown = plain(text)
    assert "\n" not in shown
    assert shown.replace("\\", "") == " ".join(text.split())
    assert all(shown[n - 1] == "\\" for n, letter in enumerate(shown) if letter in "<|`[*#$&")


def test_a_text_without_end_is_shortened():
    assert len(plain("a" * 10_000)) == TEXT_SHOWN + 1


def test_a_command_with_backticks_stays_inside_its_block():
    text = markdown_text(Summary((failed(again="relayproof run '```'"),)))
    assert "````\nrelayproof run '```'\n````" in text
