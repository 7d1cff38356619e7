import multiprocessing
import os
import signal
from contextlib import contextmanager

import pytest

from harness.worlds.wire.turns import turn

SPAWN = multiprocessing.get_context("spawn")


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
