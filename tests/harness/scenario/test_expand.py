"""Scenarios that are right expand to the expected plans; every kind of wrong one is refused with its place and a remedy."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.base.errors import ScenarioError, UsageError
from harness.history.plan import Moment
from harness.scenario import plan_file
from harness.scenario.expand import Setup, expand, plans

SCENARIOS = Path(__file__).parents[3] / "scenarios"

GOOD = """\
scenario: tiny
about: A tiny scenario that is right.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
expect:
  - {phone.sees: one, proves: RC-OUT-001.catches-up}
"""


def without(key: str) -> str:
    """GOOD without a top-level key and what belongs to it."""
    kept, skipping = [], False
    for line in GOOD.splitlines(keepends=True):
        if not line.startswith(" "):
            skipping = line.startswith(f"{key}:")
        if not skipping:
            kept.append(line)
    return "".join(kept)


def story(*lines: str) -> str:
    return GOOD.replace("  - host.says: one\n", "".join(f"  - {line}\n" for line in lines))


def under(fault: str, lines: str) -> str:
    """Return a scenario with lines under a fault, after a control."""
    return story("phone.sees: one", f"fault: {{{fault}}}\n    during: [{lines}]")


def claiming(claim):
    """Return a scenario that expects this, proving something."""
    return expecting(f"{{{claim}, proves: RC-LAT-001.echo}}")


def expecting(line: str) -> str:
    return GOOD.replace("{phone.sees: one, proves: RC-OUT-001.catches-up}", line)


def varying(vary: str, text: str = GOOD) -> str:
    return text.replace("story:\n", f"vary: {vary}\nstory:\n").replace("says: one", "says: $word")


def by_cases(cases: str, vary: str = "") -> str:
    head = without("expect").replace("says: one", "says: $word")
    return head.replace("story:", f"vary: {vary}\nstory:" if vary else "story:") + "cases:\n" + cases


CASE = "  - {case: %s, with: {word: %s}, expect: [{phone.sees: x, proves: RC-OUT-001.catches-up}]}\n"

BAD = [
    # --- the file
    ("empty file", "", "1:1", "the file is empty", "start with `scenario:"),
    ("only blanks", " \n\n", "1:1", "the file is empty", "scenario:"),
    ("only a comment", "# nothing\n", "1:1", "a scenario is a mapping", "scenario:"),
    ("a list", "- 1\n", "1:1", "a scenario is a mapping", "scenario:"),
    ("10 MB", b"a" * 10_000_000, "1:1", "10000000 bytes", "split it"),
    ("NUL", GOOD.replace("tiny scenario", "tiny\0scenario"), "2:14", "control character U+0000", "remove it"),
    ("turned around", GOOD.replace("tiny scenario", "tiny\u202escenario"), "2:14", "control character U+202E", "remove it"),
    ("not UTF-8", GOOD.replace("right", "r\xefght").encode("latin-1"), "2:33", "not UTF-8", "save the file as UTF-8"),
    ("UTF-16", GOOD.encode("utf-16"), "1:1", "not UTF-8", "save the file as UTF-8"),
    ("tab", GOOD.replace("  - host", "\t- host"), "5:1", "a tab", "indent with spaces"),
    ("two documents", GOOD + "---\n" + GOOD, "8:1", "a second document", "one file holds one scenario"),
    ("duplicate key", GOOD + "about: Said a second time.\n", "8:1", "`about` stands here twice", "line 2"),
    ("nested duplicate", story("{host.says: a, host.says: b}"), "5:20", "`host.says` stands here twice", "line 5"),
    ("Python tag", story("host.says: !!python/object/apply:os.system [ls]"), "5:16", "the tag `!!python/", "remove"),
    ("unknown tag", story("host.says: !secret x"), "5:16", "the tag `!secret`", "remove the tag"),
    ("binary tag", story("host.says: !!binary aGVsbG8="), "5:16", "the tag `!!binary`", "remove the tag"),
    ("depth 5,000", story("host.says: " + "[" * 5_000 + "]" * 5_000), "5:77", "nested deeper than 64", "six levels"),
    ("block depth", "\n".join(" " * n + "a:" for n in range(500)), "65:65", "nested deeper than 64", "six levels"),
    (
        "anchors that explode",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "5:",
        "more than 20000 values",
        "an alias counts",
    ),
    ("alias without anchor", story("host.says: *one"), "5:16", "`*one` has no anchor", "write the value out"),
    ("alias of itself", story("host.says: &a [*a]"), "5:20", "`*a` has no anchor", "write the value out"),
    ("key that is a list", GOOD + "[a]: b\n", "8:1", "a mapping key must be a word", "quotes"),
    ("open bracket", GOOD.replace("reference}\n", "reference\n", 1), "4:6", "not YAML", "open bracket"),
    ("colon in text", story("host.says: a: b"), "5:17", "not YAML", "stands in quotes"),
    ("huge number", story("host.works: " + "9" * 400), "5:17", "is too large", "quotes"),
    ("infinite", story("host.works: .inf"), "5:17", "not a number that can be reached", "quotes"),
    ("escape beyond Unicode", story('host.says: "\\UFFFFFFFF"'), "5:17", "an escape that is no character", "U0010FFFF"),
    ("half a surrogate", story('host.says: "\\ud800"'), "5:16", "half of a surrogate pair", "itself"),
    # --- the outline
    ("unknown top key", GOOD + "exepct: []\n", "8:1", "unknown key `exepct`", "did you mean `expect`?"),
    ("no about", without("about"), "1:1", "`about` is missing", "one sentence"),
    ("no cast", without("cast"), "1:1", "`cast` is missing", "cast: {host: sut"),
    ("no story", without("story"), "1:1", "`story` is missing", "story:"),
    ("empty story", without("story") + "story: []\n", "6:8", "`story` is empty", "at least one"),
    ("no expectation", without("expect"), "1:1", "no expectation", "add `expect:` or `cases:`"),
    ("empty expectation", without("expect") + "expect: []\n", "1:1", "no expectation", "add `expect:`"),
    ("name with blanks", GOOD.replace("scenario: tiny", "scenario: Tiny One"), "1:11", "is not a name", "joined by `-`"),
    ("cast without sut", GOOD.replace("host: sut", "host: reference"), "3:1", "nobody is on trial", "write `sut`"),
    ("unknown kind", GOOD.replace("host: sut", "host: stu"), "3:14", "`stu`", "sut"),
    ("no relay", GOOD.replace("relay: reference, ", ""), "3:1", "no relay in the cast", "relay: reference"),
    ("role unsaid", GOOD.replace("{host", "{watch: sut, host"), "3:8", "does not say a role", "role: device"),
    ("unknown profile", GOOD + "profile: [article-2026-03]\n", "8:11", "`article-2026-03`", "`article-2026-02`?"),
    ("unknown world", GOOD + "worlds: [simm]\n", "8:10", "`simm` is none", "did you mean `sim`?"),
    # --- the story
    ("unknown actor", story("hsot.says: one"), "5:5", "nobody in the cast is called `hsot`", "did you mean `host`?"),
    ("unknown verb", story("host.sayz: one"), "5:5", "a host cannot `sayz`", "did you mean `says`?"),
    ("verb of another role", story("phone.says: one"), "5:5", "a device cannot `says`", ""),
    ("verb that is a fault", story("host.sleeps: 8h"), "5:5", "a host cannot `sleeps`", "it is a fault"),
    ("two verbs", story("{host.says: a, phone.sees: a}"), "5:5", "two verbs in one line", "one line"),
    ("no verb", story("{within: 5s}"), "5:5", "no `actor.verb`", "one line"),
    ("number as text", story("host.says: 1"), "5:16", "`1` is not a text", 'put it in quotes: "1"'),
    ("true as text", story("host.says: true"), "5:16", "`true` is not a text", '"true"'),
    ("missing text", story("host.says:"), "5:15", "a text is missing", "after the colon"),
    ("sexagesimal", story("host.works: 10:00"), "5:17", "'10:00' is not a span of time", "10m, 1h30m"),
    ("sexagesimal wait", story("wait: 10:00"), "5:11", "'10:00' is not a span of time", "10m"),
    ("bare number", story("wait: 600"), "5:11", "`600` is not a span", "with its unit"),
    ("negative", story("wait: -5s"), "5:11", "not longer than nothing", "positive"),
    ("zero", story("wait: 0s"), "5:11", "not longer than nothing", "positive"),
    ("unit order", story("wait: 5s1m"), "5:11", "largest unit first", ""),
    ("longer than a year", story("wait: 400d"), "5:11", "longer than a year", ""),
    ("unknown limit", story("wait: outage_limits"), "5:11", "no limit is called", "did you mean `outage_limit`?"),
    ("unknown moment", story("wait: 5s after heel"), "5:11", "no moment is called `heel`", "did you mean `heal`?"),
    ("no heal", story("host.says: one", "wait: 5s after heal"), "6:3", "`heal` never comes", "cut: host-relay"),
    ("no token", story("host.says: one", "wait: 5s after token.expiry"), "6:3", "`token.expiry` never comes", "lives"),
    ("no wait for the past", story("wait: 5s after last_heard"), "5:11", "cannot wait for `last_heard`", "known are"),
    ("no error code", expecting("{phone.answer: token-expird, proves: RC-AUT-001.accepts-live}"), "7:20", "nor an error code", "`token-expired`?"),
    ("no refusal", expecting("{phone.refused: {as: rate-limitd}, proves: RC-OUT-013.limits-rate}"), "7:26", "no error code", "`rate-limited`?"),
    ("refused as nothing", claiming("phone.refused: {at_least: 1}"), "7:21", "`as` is missing", "add `as:`"),
    ("refused not once", claiming("phone.refused: {as: rate-limited, at_least: 0}"), "7:50", "nothing to see", "from 1"),
    ("refused at a door", claiming("phone.refused: {as: insufficient-scope}"), "7:26", "may shut a door", "say `answer:"),
    ("refused behind a 404", claiming("phone.refused: {as: unknown-session}"), "7:26", "may shut", "say `answer:"),
    ("host at a door", claiming("host.refused: {as: token-revoked}"), "7:25", "may shut a door", "say `exits: gated`"),
    ("no limit", claiming("phone.attempts: {}"), "7:22", "not an empty one", "at_most and per must be there"),
    ("no stage", claiming("phone.message: {of: one, reaches: nostage}"), "7:40", "none of its words", "known are"),
    ("no state", claiming("phone.approval: {of: one, is: nostate}"), "7:36", "none of its words", "known are"),
    ("in vain", claiming("phone.message: {of: one, reaches: failed}, times: 0"), "7:56", "`times` says nothing of `device.message`", "leave it out"),
    ("in vain too", claiming("phone.stream: open, times: 0"), "7:33", "says nothing of", "it may have within"),
    ("not counted", claiming("phone.shows: online, times: 2"), "7:34", "is not counted", "`times: 0` for never"),
    ("another sample", claiming("phone.attempts: {at_most: 1, per: 1m}, in_at_least: 10m"), "7:58", "is no sample of this", "200 attempts"),
    ("since when", claiming("host.exits: about outage_limit, since: heal"), "7:45", "counts from", "since: last_heard"),
    ("two clocks", claiming("host.exits: about outage_limit, within: 10s"), "7:46", "says nothing of this end", "since: last_heard"),
    ("no clock", claiming("host.exits: cleanly, since: last_heard"), "7:34", "says nothing of this end", "judged by `within`"),
    ("half a limit", claiming("phone.attempts: {at_most: 10}"), "7:22", "`per` is missing", "add `per:`"),
    ("word", story("phone.tries: opne_stream"), "5:18", "none of its words", "did you mean `open_stream`?"),
    ("lines without pace", story("host.says: {lines: 200}"), "5:16", "`every` is missing", "add `every:`"),
    ("no lines", story("host.says: {lines: 0, every: 1s}"), "5:24", "no lines at all", "how many"),
    ("unknown modifier", story("{phone.sees: one, witin: 5s}"), "5:23", "`witin` cannot stand", "`within`?"),
    ("unknown python step", story("python: fly"), "5:13", "no python step is called `fly`", "@step"),
    # --- faults
    ("unknown fault", story("fault: {cutt: host-relay}"), "5:13", "no fault is called `cutt`", "did you mean `cut`?"),
    ("fault of whom", story("fault: {sleeps: 8h}"), "5:13", "happens to somebody", "host.sleeps"),
    ("fault of a link", story("fault: {host.cut: 8m}"), "5:13", "happens to a link", "cut: host-relay"),
    ("fault of nobody", story("fault: {hots.sleeps: 8h}"), "5:13", "called `hots`", "did you mean `host`?"),
    ("unknown link", story("fault: {cut: host-rely}"), "5:18", "called `rely`", "did you mean `relay`?"),
    ("no link", story("fault: {cut: host-phone}"), "5:18", "`host-phone` is no link", "host-relay"),
    ("fault parameter", story("fault: {cut: host-relay, hwo: reset}"), "5:30", "`cut` has no `hwo`", "`how`?"),
    ("fault word", story("fault: {cut: host-relay, how: rset}"), "5:35", "none of the words", "did you mean `reset`?"),
    ("negative fault", story("fault: {cut: host-relay, for: -8m}"), "5:35", "not longer than nothing", ""),
    ("zero fault", story("fault: {host.sleeps: 0s}"), "5:26", "not longer than nothing", ""),
    ("no control", story("host.says: one", "fault: {host.sleeps: 8h}", "phone.sees: one"), "6:3", "nothing shows that the path worked", "phone.sees"),
    ("fault under its like", under("truncates: host-relay, for: 9s", "{fault: {truncates: host-relay, after: 2kB}}"),
     "7:5", "the end of this `truncates` would end the `truncates` of line 6", "one after the other"),
    ("fault under one that ends alike", under("cut: host-relay", "{fault: {latency: phone-relay}}, {fault: {cut: host-relay, how: held}}"),
     "7:5", "would end the `cut` of line 6", ""),
    ("fault deep under its like", under("host.sleeps: 8h", "{fault: {cut: host-relay}, during: [{fault: {host.dark_wakes: 1h}}]}"),
     "7:5", "this `dark_wakes` would end the `sleeps` of line 6", ""),
    ("too short a cut", story("fault: {cut: host-relay, for: 1s}"), "5:12", "shorter than 3s", "flaps"),
    ("empty fault", story("fault:"), "5:11", "a fault is a mapping", "cut: host-relay"),
    ("during is no list", story("{fault: {host.sleeps: 8h}, during: x}"), "5:40", "a list of lines", "- actor"),
    ("error under a fault", story("{fault: {host.sleeps: 8h}, during: [phone.sens: x]}"), "5:41", "`sens`", "`sends`"),
    # --- expectations
    ("no proof", expecting("{phone.sees: one}"), "7:5", "`proves` is missing", "RC-OUT-002.ends"),
    ("no requirement id", expecting("{phone.sees: one, proves: RC-1}"), "7:31", "no requirement id", "like RC-OUT"),
    ("unknown claim", expecting("{phone.seas: one, proves: RC-OUT-001.catches-up}"), "7:6", "`seas`", "`sees`?"),
    ("claim of nobody", expecting("{fone.sees: one, proves: RC-OUT-001.catches-up}"), "7:6", "`fone`", "`phone`?"),
    ("times a word", expecting("{phone.sees: one, times: once, proves: RC-OUT-001.catches-up}"), "7:30", "whole number", ""),
    ("negative times", expecting("{phone.sees: one, times: -1, proves: RC-OUT-001.catches-up}"), "7:30", "whole", ""),
    ("no heal to count from", expecting("{phone.sees: one, within: 5s of heal, proves: RC-OUT-001.catches-up}"), "7:3", "never comes", "cut"),
    ("budget without samples", claiming("phone.delay: p(99) <= 2s"), "7:6", "a budget without samples", "in_at_least"),
    ("no budget", claiming("phone.delay: fast, in_at_least: 9 lines"), "7:19", "`fast` is not a budget", "p(99) <="),
    ("zero samples", claiming("phone.delay: max <= 2s, in_at_least: 0 lines"), "7:43", "is no sample", "200 lines"),
    ("effects", expecting("{phone.answer: accepted, effects: some, proves: RC-AUT-001.accepts-live}"), "7:39", "effects", "none"),
    # --- given
    ("given to nobody", GOOD + "given: {hots.starts: later}\n", "8:9", "called `hots`", "did you mean `host`?"),
    ("given unknown", GOOD + "given: {host.netwrok: {rtt: 1s}}\n", "8:9", "cannot be given `netwrok`", "`network`?"),
    ("given without actor", GOOD + "given: {network: {rtt: 1s}}\n", "8:9", "names nobody", "host.network"),
    ("given key", GOOD + "given: {host.network: {rtf: 1s}}\n", "8:24", "unknown key `rtf`", "did you mean `rtt`?"),
    ("given span", GOOD + "given: {host.network: {rtt: 80}}\n", "8:29", "not a span", "unit"),
    ("given negative", GOOD + "given: {host.network: {rtt: -80ms}}\n", "8:29", "is negative", "sign"),
    ("on is no switch", GOOD + "given: {host.permissions: on}\n", "8:27", "`on` is none of its words", "ask, skip"),
    # --- vary and cases
    ("nothing varies", GOOD.replace("story:", "vary: {}\nstory:"), "4:1", "`vary` is empty", "leave the key out"),
    ("empty vary", varying("{word: []}"), "4:14", "`word` is empty", "at least one"),
    ("vary twice", varying("{word: [a, a]}"), "4:18", "`a` stands here twice", "once"),
    ("unknown parameter", varying("{wrod: [a, b]}"), "6:16", "nothing gives `$word` a value", "did you mean `wrod`?"),
    ("unused vary", varying("{word: [a], how: [b]}"), "4:19", "nothing uses `$how`", "write `$how`"),
    ("no parameter at all", story("host.says: $word"), "5:16", "nothing gives `$word` a value", "`$$`"),
    ("too many", varying(f"{{word: {[f'w{n}' for n in range(501)]}}}"), "4:1", "501 permutations", "500"),
    ("value unknown to a fault", varying("{how: [black hole, resett]}", story("phone.sees: x", "fault: {cut: host-relay, how: $how}")),
     "4:26", "`resett` is none of the words of `how`, as `$how` in line 7", "`reset`?"),
    ("value that is no span", varying("{nap: [8h, 10:00]}", story("phone.sees: x", "fault: {host.sleeps: $nap}")),
     "4:18", "'10:00' is not a span", "10m"),
    ("value of a case", by_cases(CASE % ("one", "x") + CASE % ("two", "3")), "8:30", "`3` is not a text, as `$word` in line 5", "quotes"),
    ("listed value of a case", by_cases(CASE % ("one", "[x, 3]")), "7:34", "`3` is not a text, as `$word`", "quotes"),
    ("value in given", varying("{word: [80ms, 80]}") + "given: {host.network: {rtt: $word}}\n", "4:21", "`80` is not a", ""),
    ("value that is no requirement", varying("{word: [RC-OUT-002.ends, RC-1]}", expecting("{phone.sees: one, proves: $word}")),
     "4:32", "no requirement id, as `$word` in line 8", ""),
    ("value within a text", varying("{word: [5s, -5s]}", story("host.says: one", "wait: $word")).replace("wait: $", "wait: 1s + $"),
     "7:11", "where `$word` is `-5s`", ""),
    ("value that a fault refuses", varying("{cut: [8m, 1s]}", story("phone.sees: x", "fault: {cut: host-relay, for: $cut}")),
     "7:12", "shorter than 3s cannot be told from a slow segment, where `$cut` is `1s`", "flaps"),
    ("vary is no list", varying("{word: one}"), "4:14", "a list is needed", "in [ ]"),
    ("vary of nothing", varying("{word: [~]}"), "4:15", "a text, a number or true or false is needed", "one of these"),
    ("case of nothing", by_cases("  - {case: one, with: {word: }, expect: [{phone.sees: x, proves: RC-OUT-001.catches-up}]}\n"),
     "7:29", "a text, a number, true or false or a list is needed", "one of these"),
    ("no blank after the colon", story("host.says:one"), "5:5", "a host cannot `says:one`", "a blank follows the colon"),
    ("case without with", by_cases(CASE.replace("with: {word: %s}, ", "") % "one"), "7:5", "`with` is missing", "with: {"),
    ("case without expect", by_cases("  - {case: one, with: {word: x}}\n"), "7:5", "`expect` is missing", "claims nothing"),
    ("case names", by_cases(CASE % ("one", "x") + CASE % ("one", "y")), "8:12", "two cases are called `one`", "differs"),
    ("a value in two", by_cases(CASE % ("one", "x") + CASE % ("two", "x")), "8:23", "the same values as in `one`", "differ"),
    ("a value in none", by_cases(CASE % ("one", "x"), "{word: [x, y]}"), "4:18", "`y` falls in no case", "add it"),
    ("a varied value in two", by_cases(CASE % ("one", "x") + CASE % ("two", "[x, y]"), "{word: [x, y]}"), "9:23", "same values", ""),
]  # fmt: skip


def content(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize(("text", "place", "message", "remedy"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_wrong_scenario_is_refused_at_its_place_with_a_remedy(text, place, message, remedy):
    with pytest.raises(ScenarioError) as refused:
        plans(content(text))
    rendered = [problem.render() for problem in refused.value.problems]
    assert any(
        str(problem.place).startswith(f"<text>:{place}") and message in problem.message and remedy in problem.remedy
        for problem in refused.value.problems
    ), "\n".join(rendered)
    assert len(rendered) <= 2, "one mistake, one message:\n" + "\n".join(rendered)


def test_all_mistakes_are_told_at_once_in_order_of_place():
    text = story("host.sayz: one", "wait: 0s", "fault: {cutt: host-relay}") + "exepct: 1\n"
    with pytest.raises(ScenarioError) as refused:
        plans(text)
    assert [problem.place.line for problem in refused.value.problems] == [5, 6, 7, 10]
    assert "\n      - wait: 0s\n" not in str(refused.value)
    assert "    - wait: 0s\n            ^\n" in str(refused.value)


def test_permutations_do_not_repeat_a_mistake():
    with pytest.raises(ScenarioError) as refused:
        plans(varying("{word: [a, b, c]}").replace("phone.sees", "phone.seas"))
    assert len(refused.value.problems) == 1


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
@example(b"?")
@example(b"scenario: x\n? ")
def test_any_bytes_are_refused_by_a_scenario_error(noise):
    with pytest.raises(ScenarioError):
        plans(noise)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_scenario_gives_plans_or_a_scenario_error(data):
    text = (SCENARIOS / "outage" / "ten-minute-outage.yaml").read_text()
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    junk = data.draw(st.text(st.sampled_from("abc:{}[]-,&*!|>'\"%@`#$ \n\t0159.\\"), max_size=20))
    try:
        found = plans(text[:start] + junk + text[start + length :])
    except ScenarioError:
        return
    assert found
    assert all(plan_file.from_text(plan_file.to_text(plan)) == plan for plan in found)


# --- what is right

EXPECTED = {
    "outage/ten-minute-outage": [
        "ten-minute-outage[eight minutes cost nothing,how=black hole]",
        "ten-minute-outage[eight minutes cost nothing,how=reset]",
        "ten-minute-outage[twelve minutes end it,how=black hole]",
        "ten-minute-outage[twelve minutes end it,how=reset]",
    ],
    "sleep/laptop-sleeps": ["laptop-sleeps[nap=11m]", "laptop-sleeps[nap=8h]"],
    "credentials/token-expires": [
        f"token-expires[{case},door={door}]"
        for case in ("just before expiry every door opens", "just after, none does")
        for door in ("read", "send", "approve", "open_stream")
    ],
    "proxy/only-a-proxy": [f"only-a-proxy[proxy={way}]" for way in ("plain", "password", "inspects_tls", "buffers")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_four_scenarios_expand_to_their_permutations(name):
    assert [plan.id for plan in plans(SCENARIOS / f"{name}.yaml")] == EXPECTED[name]


def test_the_outage_is_planned_as_written():
    plan = plans(SCENARIOS / "outage" / "ten-minute-outage.yaml", seed=7)[1]
    assert (plan.family, plan.seed, plan.params) == ("outage", 7, {"how": "reset", "cut": "8m"})
    says, sees, cut = plan.story
    assert (says.actor, says.verb, says.args, says.line) == ("host", "says", {"value": "one"}, 7)
    assert sees.args == {"value": ["one"]}
    assert (cut.do, cut.verb, cut.args) == ("fault", "cut", {"link": "host-relay", "how": "reset", "for_s": 480.0})
    assert [step.id for step in cut.during] == ["story.2.during.0"]
    (claim,) = plan.expectations
    assert (claim.id, claim.args, claim.times) == ("cases.0.expect.0", {"value": ["one", "two"]}, 1)
    assert (claim.within_s, claim.of) == (plan.contract.reconnect_budget_s, "heal")
    assert plan.suts == {"host"}
    assert plan.invariants


def test_moments_waits_and_credentials_are_planned_as_written():
    before, after = (plans(SCENARIOS / "credentials" / "token-expires.yaml")[index] for index in (0, 4))
    assert before.story[1].until == Moment("token.expiry", -5.0)
    assert after.story[1].until == Moment("token.expiry", 5.0)
    assert before.given == {"phone": {"token": {"lives": 600.0, "renews": "never"}}}
    assert after.expectations[0].no_effects
    assert plans(story("wait: 5s"))[0].story[0].args == {"for_s": 5.0}


def test_budgets_samples_and_settings_are_planned_as_written():
    plan = plans(SCENARIOS / "proxy" / "only-a-proxy.yaml")[3]
    assert plan.given["host"] == {
        "network": {"only_way_out": "buffers"},
        "secrets_in": ["env", "files", "mcp_config"],
    }
    assert plan.given["phone"] == {"network": {"rtt": 0.08}}
    by_verb = {claim.verb: claim for claim in plan.expectations}
    assert by_verb["carries"].at_least == {"count": 20_000.0, "unit": "bytes"}
    assert by_verb["delay"].at_least == {"count": 200, "unit": "lines"}
    assert by_verb["delay"].args == {
        "value": "p(99) <= rtt + 600ms",
        "percentile": 99.0,
        "rtts": 1.0,
        "plus_s": 0.6,
    }
    assert by_verb["direct_attempts"].args == {"value": 0}


def test_bare_words_are_lines_and_on_stays_a_text():
    plan = plans(story("phone.joins", "host.says: on", "{phone.sees: on, within: 0.5 outage_limit}"))[0]
    assert [step.args["value"] for step in plan.story] == [None, "on", ["on"]]
    assert plan.story[2].deadline_s == 300.0


def test_a_dollar_sign_and_a_parameter_in_a_text():
    plan = plans(varying("{word: [a]}").replace("$word", "echo $$HOME $word"))[0]
    assert plan.story[0].args == {"value": "echo $HOME a"}


def test_a_byte_order_mark_and_windows_line_ends_change_nothing_but_the_digest():
    plain, odd = plans(GOOD)[0], plans(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())[0]
    assert plain.digest != odd.digest
    assert replace(odd, digest=plain.digest) == plain


def test_a_scenario_is_called_as_its_file(tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text(GOOD)
    with pytest.raises(ScenarioError, match="the file is called `other`, the scenario `tiny`"):
        plans(file)


def test_a_file_that_is_not_there_is_a_scenario_error(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        plans(tmp_path / "none.yaml")


def test_a_value_sorts_into_the_case_that_names_it():
    found = plans(by_cases(CASE % ("short", "[x, y]") + CASE % ("long", "z"), "{word: [x, y, z]}"))
    assert [plan.id for plan in found] == ["tiny[short,word=x]", "tiny[short,word=y]", "tiny[long,word=z]"]


def test_listed_values_of_a_case_run_each():
    found = plans(by_cases(CASE % ("short", "[x, y]") + CASE % ("long", "z")))
    assert [plan.id for plan in found] == ["tiny[short,word=x]", "tiny[short,word=y]", "tiny[long]"]


def test_the_profile_decides_the_limits_and_given_overrides_them():
    text = story("wait: 2 heartbeat + 1s").replace("story:", "given: {relay.retention: 1h}\nstory:")
    plan = plans(text, profile="docs-2026-08")[0]
    assert plan.story[0].args == {"for_s": 2 * plan.contract.heartbeat_s + 1}
    assert (plan.contract.on_outage, plan.contract.capacity, plan.contract.retention_s) == ("retry", 32, 3600.0)
    with pytest.raises(UsageError, match="did you mean `strict`"):
        plans(GOOD, profile="stricte")


def test_what_does_not_apply_is_left_out_with_a_reason():
    text = GOOD + "profile: [strict]\nworlds: [sim]\n"
    assert plans(text)[0].contract.profile == "strict"
    for setup in (Setup(profile="article-2026-02"), Setup(world="wire"), Setup(suts=["relay"])):
        found = expand(text, setup)
        assert not found.plans
        assert [left.id for left in found.left_out] == ["tiny"]


def test_only_the_chosen_actor_is_on_trial():
    text = GOOD.replace("relay: reference", "relay: sut")
    assert plans(text)[0].suts == {"host", "relay"}
    assert plans(text, suts=["relay"])[0].suts == {"relay"}


def test_a_role_puts_everybody_of_that_role_on_trial():
    text = GOOD.replace("phone: reference", "phone: sut, tablet: sut")
    assert plans(text, suts=["device"])[0].suts == {"phone", "tablet"}
    assert plans(text, suts=["tablet"])[0].suts == {"tablet"}
    assert (
        expand(text, Setup(suts=["relay"])).left_out[0].reason == "puts host and phone and tablet on trial, not relay"
    )


def test_requirements_of_another_profile_do_not_apply():
    text = GOOD + "  - {host.exits: any, proves: RC-OUT-002.ends}\n"
    assert len(expand(text).plans[0].expectations) == 2
    found = expand(text, Setup(profile="docs-2026-08"))
    assert [claim.proves for claim in found.plans[0].expectations] == ["RC-OUT-001.catches-up"]
    assert [left.id for left in found.left_out] == ["tiny: RC-OUT-002.ends"]


def test_the_same_text_gives_the_same_plans():
    assert plans(GOOD, seed=3) == plans(GOOD, seed=3)


def test_a_number_of_an_issue_may_stand_bare_in_stands_for():
    text = GOOD.replace("cast:", "stands_for: [OUT-7, 34255]\ncast:")
    assert len(plans(text)) == 1


@pytest.mark.parametrize(
    "inner", ["truncates: host-relay, how: to relay", "truncates: phone-relay", "cut: host-relay", "flaps: host-relay"]
)
def test_a_fault_may_stand_under_one_that_its_end_leaves_alone(inner):
    assert plans(under("truncates: host-relay", f"{{fault: {{{inner}}}}}"))
