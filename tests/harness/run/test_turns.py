import multiprocessing
import os
import signal
from contextlib import contextmanager

import pytest

from harness.base.errors import WorldError
from harness.run import turns
from harness.run.interrupt import held_back
from harness.run.turns import turn

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # worlds of this machine have turns of their own


def hold(alone, told):
    """Another process: has a turn until it is ended."""
    with turn(alone=alone):
        told.send("in")
        told.recv()


@contextmanager
def another(*, alone):
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=hold, args=(alone, theirs))
    process.start()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize(("first", "second"), [(True, False), (True, True), (False, True)])
def test_who_measures_closely_is_alone(first, second):
    with another(alone=first) as (_, leader):
        assert leader.recv() == "in"
        with another(alone=second) as (_, follower):
            assert not follower.poll(0.5)
            leader.send("go")
            assert follower.recv() == "in"


def test_others_share_a_turn():
    with another(alone=False) as (_, leader), turn(alone=False):
        assert leader.recv() == "in"


def test_a_turn_ends_with_its_holder_however_that_ends():
    with another(alone=True) as (process, leader):
        assert leader.recv() == "in"
        os.kill(process.pid, signal.SIGKILL)
        with turn(alone=True):
            process.join()


def test_who_waits_to_be_alone_is_not_passed_by():
    with another(alone=False) as (_, leader):
        assert leader.recv() == "in"
        with another(alone=True) as (_, waiting):
            assert not waiting.poll(0.5)
            with another(alone=False) as (_, late):
                assert not late.poll(0.5)
                leader.send("go")
                assert waiting.recv() == "in"
                assert not late.poll(0.5)
                waiting.send("go")
                assert late.recv() == "in"


def test_an_interrupt_that_is_held_back_ends_the_wait():
    def interrupted():
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            with turn(alone=True):
                pass

    with another(alone=True) as (_, leader):
        assert leader.recv() == "in"
        with pytest.raises(KeyboardInterrupt):
            interrupted()


def test_a_wait_without_end_names_the_file(monkeypatch):
    monkeypatch.setattr(turns, "WAIT_S_MAX", 0.2)
    with another(alone=False) as (_, leader):
        assert leader.recv() == "in"
        with pytest.raises(WorldError, match=r"relayproof/\.hall .*fuser"), turn(alone=True):
            pass
