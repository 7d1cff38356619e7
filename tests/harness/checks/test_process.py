import pytest

from harness.base.verdict import Verdict
from harness.checks.process import (
    keeps_to_itself,
    leaves_nobody,
    logs_no_credential,
    obeys_signal,
    shows_no_credential,
    stores_no_credential,
    syncs,
)
from tests.harness.checks.made import case, event, expects


def shown(where, *canaries, size=100, actor="host", whose="program", truncated=False):
    data = {"where": where, "whose": whose, "texts": 1, "bytes": size, "canaries": list(canaries)}
    return event(1, actor, "os", "process.shown", **data, truncated=truncated)


def kept(path, mode, *canaries, folder=False, actor="relay", size=10, truncated=False):
    data = {"path": path, "folder": folder, "mode": mode, "bytes": 0 if folder else size, "canaries": list(canaries)}
    return event(2, actor, "os", "file.kept", **data, truncated=truncated)


def survived(alive):
    return event(3, "host", "os", "process.survived", alive=alive, commands=["sleep"] * alive)


def asked(left, code):
    return event(4, "host", "os", "process.asked", signal="TERM", left=left, code=code, took_s=0.1, grace_s=5.0)


OPEN, SHUT = kept(".", "0755", folder=True), kept(".", "0700", folder=True)
MORE = kept(".", "0700", folder=True, truncated=True)
SEEN = [shown("argv"), shown("environment", "public")]


@pytest.mark.parametrize(
    ("law", "events", "verdict", "code"),
    [
        (shows_no_credential, [], Verdict.NOT_APPLICABLE, ""),
        (shows_no_credential, [shown("log", "enrolment")], Verdict.NOT_APPLICABLE, ""),
        (shows_no_credential, [shown("argv"), shown("environment")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, [shown("argv", "public"), shown("environment")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, [shown("environment", "public")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, [shown("argv", size=0), shown("environment", "public")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, [*SEEN, shown("argv", "public", actor="phone")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, [shown("argv"), shown("environment", "public", whose="child")], Verdict.INCONCLUSIVE, "no-control"),
        (shows_no_credential, SEEN, Verdict.PASS, ""),
        (shows_no_credential, [*SEEN, shown("environment", whose="child", size=0)], Verdict.PASS, ""),
        (shows_no_credential, [*SEEN, shown("argv", whose="child", truncated=True)], Verdict.INCONCLUSIVE, "truncated"),
        (shows_no_credential, [*SEEN, shown("argv", "enrolment", truncated=True)], Verdict.FAIL, "credential-in-argv"),
        (shows_no_credential, [shown("argv", "enrolment", "public")], Verdict.FAIL, "credential-in-argv"),
        (shows_no_credential, [shown("environment", "access-token")], Verdict.FAIL, "credential-in-environment"),
        (logs_no_credential, [], Verdict.NOT_APPLICABLE, ""),
        (logs_no_credential, [shown("log", size=0), shown("argv", "enrolment")], Verdict.NOT_APPLICABLE, ""),
        (logs_no_credential, [shown("log", size=0), shown("log")], Verdict.PASS, ""),
        (logs_no_credential, [shown("log", "access-token")], Verdict.FAIL, "credential-in-log"),
        (logs_no_credential, [shown("log", truncated=True)], Verdict.INCONCLUSIVE, "truncated"),
        (keeps_to_itself, [], Verdict.NOT_APPLICABLE, ""),
        (keeps_to_itself, [OPEN], Verdict.NOT_APPLICABLE, ""),
        (keeps_to_itself, [SHUT, kept("store", "0644")], Verdict.PASS, ""),
        (keeps_to_itself, [OPEN, kept("store", "0600")], Verdict.PASS, ""),
        (keeps_to_itself, [OPEN, kept("store", "0644")], Verdict.FAIL, "open-to-others"),
        (keeps_to_itself, [SHUT, OPEN, kept("store", "0640")], Verdict.FAIL, "open-to-others"),
        (keeps_to_itself, [OPEN, kept("in", "0700", folder=True), kept("in/store", "0644")], Verdict.PASS, ""),
        (keeps_to_itself, [OPEN, kept("in", "0711", folder=True), kept("in/store", "0602")], Verdict.FAIL, "open-to-others"),
        (keeps_to_itself, [OPEN, kept("store", "0644", actor="host")], Verdict.FAIL, "open-to-others"),
        (keeps_to_itself, [MORE, kept("store", "0600")], Verdict.INCONCLUSIVE, "truncated"),
        (keeps_to_itself, [SHUT, kept("store", "0600", truncated=True)], Verdict.PASS, ""),
        (keeps_to_itself, [MORE, OPEN, kept("store", "0644")], Verdict.FAIL, "open-to-others"),
        (stores_no_credential, [MORE, kept("store", "0600")], Verdict.INCONCLUSIVE, "truncated"),
        (stores_no_credential, [kept("store", "0600", truncated=True)], Verdict.INCONCLUSIVE, "truncated"),
        (stores_no_credential, [kept("store", "0600", "enrolment", truncated=True)], Verdict.FAIL, "credential-at-rest"),
        (stores_no_credential, [kept("store", "0600"), kept("log", "0600", actor="host", truncated=True)], Verdict.PASS, ""),
        (stores_no_credential, [kept("store", "0600", "enrolment", actor="host")], Verdict.NOT_APPLICABLE, ""),
        (stores_no_credential, [kept("store", "0600", size=0)], Verdict.NOT_APPLICABLE, ""),
        (stores_no_credential, [kept("store", "0600")], Verdict.PASS, ""),
        (stores_no_credential, [kept("store", "0600", "access-token")], Verdict.FAIL, "credential-at-rest"),
        (leaves_nobody, [], Verdict.NOT_APPLICABLE, ""),
        (leaves_nobody, [survived(0)], Verdict.PASS, ""),
        (leaves_nobody, [survived(0), survived(2)], Verdict.FAIL, "left-behind"),
        (obeys_signal, [], Verdict.NOT_APPLICABLE, ""),
        (obeys_signal, [asked(left=True, code=0)], Verdict.PASS, ""),
        (obeys_signal, [asked(left=True, code=0), asked(left=False, code=None)], Verdict.FAIL, "did-not-leave"),
        (obeys_signal, [asked(left=True, code=-15)], Verdict.FAIL, "wrong-exit-code"),
    ],
)  # fmt: skip
def test_what_the_operating_system_shows_is_weighed(law, events, verdict, code):
    (finding,) = law(case(events))
    assert (finding.verdict, finding.code) == (verdict, code), finding
    assert finding.measured > 0 or verdict in (Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE)


def ordered(wrote, *, seen=True, synced=True):
    return event(5, "relay", "os", "answer.ordered", conn=1, seen=seen, wrote=wrote, synced=synced)


@pytest.mark.parametrize(
    ("events", "verdict", "code"),
    [
        ([], Verdict.INCONCLUSIVE, "too-few"),
        ([ordered(2)], Verdict.INCONCLUSIVE, "too-few"),
        ([ordered(2), ordered(1)], Verdict.PASS, ""),
        ([ordered(2), ordered(0, seen=False, synced=False)], Verdict.INCONCLUSIVE, "too-few"),
        ([ordered(0, synced=False)] * 3, Verdict.INCONCLUSIVE, "not-assessable"),
        ([ordered(2), ordered(2, synced=False)], Verdict.FAIL, "answered-before-sync"),
        ([ordered(2), ordered(0, synced=False)], Verdict.FAIL, "answered-before-sync"),
    ],
)
def test_an_answer_comes_after_the_disk(events, verdict, code):
    entry = expects("relay", "syncs", "before it answers", at_least={"count": 2}, proves="RC-OUT-015.syncs-first")
    finding = syncs(case(events), entry)
    assert (finding.verdict, finding.code) == (verdict, code), finding
