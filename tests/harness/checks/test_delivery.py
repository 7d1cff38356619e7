import pytest

from harness.base.verdict import Verdict
from harness.checks.delivery import hears as check_hears
from harness.checks.delivery import resumes, sees
from harness.history.plan import Actor
from tests.harness.checks.made import case, entry, event, expects, hears, moment, says, sends, shows

SAID = [says(1, "one"), says(2, "two")]
SEEN = [shows(1.5, "one", 1), shows(2.5, "two", 2)]


def verdict_of(events, check=sees, actor="phone", verb="sees", value=("one", "two"), **fields):
    cast = fields.pop("cast", None)
    made = case(events, **({"cast": cast} if cast else {}))
    return check(made, expects(actor, verb, list(value) if isinstance(value, tuple) else value, **fields))


@pytest.mark.parametrize(
    ("events", "fields", "code"),
    [
        ([*SAID, SEEN[0]], {}, "lost-write"),
        ([*SAID, *SEEN, shows(3, "two", 2)], {"times": 1}, "duplicate"),
        ([*SAID, shows(2.5, "two", 1), shows(3, "one", 2)], {}, "out-of-order"),
        ([*SAID, SEEN[0], moment(2, "heal"), shows(60, "two", 2)], {"within_s": 45.0, "of": "heal"}, "late"),
        ([*SAID, *SEEN], {"times": 0}, "unexpected"),
        ([*SAID, SEEN[0]], {"value": "every line"}, "lost-write"),
    ],
)
def test_sees_fails_with_its_code(events, fields, code):
    finding = verdict_of(events, **fields)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, code)
    assert finding.events
    assert finding.measured
    assert finding.line == 9


def test_times_are_told_as_the_story_counts_them():
    late = [*SAID, SEEN[0], moment(2, "heal"), shows(66.7036, "two", 2)]
    finding = verdict_of(late, within_s=45.0, of="heal")
    assert (finding.expected, finding.observed) == ("within 45s of heal", "1m4s704ms after heal")


@pytest.mark.parametrize(
    "fields",
    [{}, {"times": 1}, {"value": "every line", "times": 1}, {"within_s": 45.0, "of": "heal"}],
)
def test_sees_passes(fields):
    finding = verdict_of([*SAID, *SEEN, moment(2, "heal")], **fields)
    assert finding.verdict is Verdict.PASS
    assert finding.measured == 2


def test_another_text_in_between_is_no_harm():
    assert verdict_of([*SAID, says(1.2, "x"), SEEN[0], shows(1.7, "x", 9), SEEN[1]]).verdict is Verdict.PASS


def test_what_nobody_said_cannot_be_judged():
    finding = verdict_of([shows(1, "one"), shows(2, "two")])
    assert (finding.verdict, finding.code) == (Verdict.INCONCLUSIVE, "never-said")


def test_too_small_a_sample_cannot_be_judged():
    finding = verdict_of([*SAID, *SEEN], value="every line", at_least={"count": 200, "unit": "lines"})
    assert (finding.verdict, finding.code) == (Verdict.INCONCLUSIVE, "too-few")


def test_never_shown_passes_where_it_must_not_be_shown():
    assert verdict_of(SAID, times=0).verdict is Verdict.PASS


def test_a_device_on_trial_needs_the_wire():
    cast = (Actor("host", "host", "reference"), Actor("phone", "device", "sut"))
    liar = verdict_of([*SAID, *SEEN], cast=cast)
    assert (liar.verdict, liar.code) == (Verdict.FAIL, "phantom")
    honest = verdict_of([*SAID, *SEEN, entry(1.4, 1, "one"), entry(2.4, 2, "two")], cast=cast)
    assert honest.verdict is Verdict.PASS


@pytest.mark.parametrize(("text", "verdict"), [("the host has it", Verdict.PASS), ("two", Verdict.FAIL)])
def test_a_device_on_trial_words_a_receipt_as_it_likes_but_not_as_a_line(text, verdict):
    cast = (Actor("host", "host", "reference"), Actor("phone", "device", "sut"))
    receipt = shows(2.5, text, 2, kind="receipt")
    events = [*SAID, SEEN[0], receipt, entry(1.4, 1, "one")]
    assert verdict_of(events, cast=cast, value="one").verdict is verdict


@pytest.mark.parametrize(
    ("outcome", "code"), [("ok", "lost-write"), ("info", "not-delivered"), ("fail", "not-delivered")]
)
def test_a_prompt_that_was_never_heard(outcome, code):
    finding = verdict_of(sends(1, "go", outcome), check_hears, "host", "hears", ("go",))
    assert (finding.verdict, finding.code) == (Verdict.FAIL, code)


def test_a_prompt_heard_once_passes_and_twice_does_not():
    events = [*sends(1, "go"), hears(2, "go")]
    assert verdict_of(events, check_hears, "host", "hears", ("go",), times=1).verdict is Verdict.PASS
    again = verdict_of([*events, hears(3, "go")], check_hears, "host", "hears", ("go",), times=1)
    assert again.code == "duplicate"


def asks_for_stream(t, conn, path="/v1/sessions/s1/events"):
    return event(t, "phone", "wire", "request", conn=conn, method="GET", path=path, form=[])


ONCE = [asks_for_stream(1, 5), entry(2, 1, "one"), shows(2, "one", 1), entry(3, 2, "two"), shows(3, "two", 2)]


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ([asks_for_stream(10, 6), entry(11, 3, "three", conn=6)], ""),
        ([asks_for_stream(10, 6), entry(11, 2, "two", conn=6)], "sent-again"),
        ([asks_for_stream(2.5, 6), entry(4, 2, "two", conn=6)], ""),  # asked before it had shown the second
        ([asks_for_stream(10, 6, "/v1/sessions/s2/events"), entry(11, 1, "other", conn=6)], "never-resumed"),
        ([asks_for_stream(10, 6), entry(11, 2, "two", actor="tablet", conn=6)], ""),
        ([], "never-resumed"),
    ],
)
def test_resumes(later, code):
    assert resumes(case([*ONCE, *later]), expects("phone", "resumes", "where it was")).code == code
