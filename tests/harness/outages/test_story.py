from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.history.plan import Contract
from harness.outages.log import Outage
from harness.outages.read import read_log
from harness.outages.story import LASTS_S_MIN, OUTAGES_MAX, Wish, acts_of, notes, scenario_text
from harness.run.runner import run_plan
from harness.scenario.expand import expand, plans

EXAMPLES = Path(__file__).parents[3] / "docs/guide/outages"
WISH = Wish("recorded", "log.csv")
LIMIT_S, HEARD_S = 600.0, 15.0 + 45.0 + 5.0


def log(*spans):
    """Outages of a log: length, then the time until the next, and so on."""
    at, made = 1_780_000_000.0, []
    for index, span_s in enumerate(spans):
        if index % 2 == 0:
            made.append(Outage(at, at + span_s))
        at += span_s
    return made


def acts(*spans, **wish):
    return acts_of(log(*spans), replace(WISH, **wish), Contract())


def text(*spans, **wish):
    wished = replace(WISH, **wish)
    return scenario_text(acts_of(log(*spans), wished, Contract()), log(*spans), wished)


def told(*spans, **wish):
    wished = replace(WISH, **wish)
    return " / ".join(notes(acts_of(log(*spans), wished, Contract()), log(*spans), wished))


@pytest.mark.parametrize(
    ("spans", "fates"),
    [
        ((12,), ["survives"]),
        ((LIMIT_S - HEARD_S,), ["survives"]),
        ((LIMIT_S - HEARD_S + 1,), ["unsure"]),
        ((LIMIT_S + 4,), ["unsure"]),
        ((LIMIT_S + 5,), ["ends"]),
        ((12, 300, 720, 300, 12), ["survives", "ends"]),
        ((12, 300, 580, 300, 12), ["survives", "unsure"]),
        ((300, HEARD_S, 300), ["survives", "survives"]),
        ((300, HEARD_S - 1, 300), ["survives", "unsure"]),
        ((300, HEARD_S - 1, 700), ["survives", "ends"]),
        ((300, HEARD_S - 1, 100), ["survives", "survives"]),
    ],
)
def test_what_becomes_of_the_session_follows_from_how_long_it_may_have_heard_nothing(spans, fates):
    assert [act.fate for act in acts(*spans)] == fates


def test_a_phone_may_be_away_for_as_long_as_it_likes():
    (act,) = acts(200_000, link="phone-relay")
    assert (act.fate, act.lasts_s) == ("survives", 28_800)
    assert told(200_000, link="phone-relay") == "outage 1: 2d7h33m20s in the log, 8h here"


def test_outages_too_short_or_too_long_to_show_anything_are_made_to_fit_and_said():
    assert [act.lasts_s for act in acts(2, 900, 5000)] == [LASTS_S_MIN, 900]
    assert told(2, 900, 5000) == "outage 1: 2s in the log, 5s here / outage 2: 1h23m20s in the log, 15m here"


def test_a_long_time_between_outages_is_shortened_and_a_short_one_kept():
    assert [act.up_s for act in acts(12, 3600, 12, 100.5, 12)] == [900, 100.5, 0]
    assert [act.up_s for act in acts(12, 3600, 12, up_s_max=7200.0)] == [3600, 0]
    assert told(12, 3600, 12) == "times between outages shortened to 15m: 1"


def test_so_short_and_so_soon_after_another_it_is_one_with_it():
    joined = acts(100, 30, 2, 44, 44, 900, 12)
    assert [(act.first, act.last, act.lasts_s) for act in joined] == [(1, 3, 220), (4, 4, 12)]
    assert told(100, 30, 2, 44, 44, 900, 12).startswith("outages 1 to 3 are played as one")
    apart = acts(100, 45, 2, 900, 100, 30, 45)
    assert [(act.first, act.last) for act in apart] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_what_comes_after_the_end_of_a_session_begins_with_another():
    spans = (12, 300, 720, 300, 30)
    assert told(*spans) == "1 outage after outage 2 left out, because the session may be over; `--skip 2` begins there"
    assert [(act.first, act.fate) for act in acts(*spans, skip=2)] == [(3, "survives")]
    assert told(*spans, skip=2) == "2 outages at the beginning left out"


def test_nothing_left_and_too_much_are_refused():
    with pytest.raises(
        UsageError, match="log.csv: has 1 outages, so none is left after `--skip 1`".replace(".", r"\.")
    ):
        acts(12, skip=1)
    with pytest.raises(UsageError, match="10s between outages are too few to come back in; at least 1m5s"):
        acts(12, 300, 12, up_s_max=10.0)
    many = [12, 300] * (OUTAGES_MAX + 1)
    with pytest.raises(UsageError, match=f"{OUTAGES_MAX + 1} outages; one scenario has at most {OUTAGES_MAX}"):
        acts(*many)
    assert len(acts(*many, skip=1)) == OUTAGES_MAX


def claims(*spans, **wish):
    (plan,) = plans(text(*spans, **wish))
    return {(claim.actor, claim.verb, claim.proves) for claim in plan.expectations}


def test_a_session_that_survives_owes_everything():
    assert claims(12, 300, 60) == {
        ("phone", "sees", "RC-OUT-001.catches-up"),
        ("host", "hears", "RC-OUT-001.catches-up"),
        ("host", "process", "RC-OUT-001.stays-alive"),
        ("phone", "shows", "RC-OPS-002.truthful"),
    }


def test_a_session_that_ends_owes_its_end_and_what_had_time_to_arrive():
    assert ("host", "exits", "RC-OUT-002.ends") in claims(12, 300, 720)
    assert "sees: [before, said in outage 1], times: 1" in text(12, 300, 720)
    assert "sees: [before], times: 1" in text(300, HEARD_S - 1, 720)


def test_nothing_is_claimed_about_an_end_that_hangs_on_seconds():
    assert claims(12, 300, 590) == {
        ("phone", "sees", "RC-OUT-001.catches-up"),
        ("host", "hears", "RC-OUT-001.catches-up"),
    }
    assert claims(590) == {("phone", "sees", "RC-OUT-001.catches-up")}


def test_an_end_is_only_claimed_where_an_outage_ends_a_session():
    assert expand(text(12, 300, 720)).plans
    scenario = text(720)
    assert "profile: [article-2026-02, strict]" in scenario
    assert "profile" not in text(12)


def test_the_phone_is_on_trial_where_its_link_was_cut():
    (plan,) = plans(text(12, 300, 60, link="phone-relay"))
    assert plan.suts == {"phone"}
    assert ("phone", "sees", "RC-ORD-009.resumes") in claims(12, 300, 60, link="phone-relay")


def verdicts(written, **changes):
    return [run_plan(plan).judgement for plan in plans(written, **changes)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("office-vpn.csv", "host-relay"),
        ("office-vpn.csv", "phone-relay"),
        ("data-centre-move.json", "host-relay"),
        ("blackbox-probe.json", "host-relay"),
    ],
)
def test_the_reference_passes_the_examples_and_nobody_does_with_faults_off(name, link):
    outages, zone = read_log((EXAMPLES / name).read_bytes(), name)
    wish = Wish("recorded", name, zone, link)
    written = scenario_text(acts_of(outages, wish, Contract()), outages, wish)
    assert [judged.verdict for judged in verdicts(written)] == [Verdict.PASS]
    assert [judged.verdict for judged in verdicts(written, faults_off=True)] == [Verdict.INCONCLUSIVE]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spans",
    [(535,), (536,), (599.5,), (604,), (605,), (5000,), (300, 64, 300), (300, 1, 536), (46, 0.3, 46, 0.3, 46)],
)
def test_the_reference_passes_at_every_edge(spans):
    (judged,) = verdicts(text(*spans))
    assert judged.verdict is Verdict.PASS, judged.first_failure
