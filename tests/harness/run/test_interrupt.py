import os
import signal
import subprocess
import sys
import threading

import pytest

from harness.run.interrupt import held_back, termination_interrupts

TWICE = """\
import os, signal
from harness.run.interrupt import held_back
with held_back():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    print("still here")
"""


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_block_is_finished_first():
    finished = []
    with pytest.raises(KeyboardInterrupt), held_back():  # noqa: PT012 - that the block goes on is what is tested
        press()
        finished.append(True)
    assert finished == [True]


def test_what_held_before_holds_again():
    before = signal.getsignal(signal.SIGINT)
    with held_back():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_a_termination_waits_for_the_end_of_the_block_too_and_comes_once():
    finished = []
    with pytest.raises(KeyboardInterrupt), termination_interrupts([]), held_back():  # noqa: PT012 - as above
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        finished.append(True)
    assert finished == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_termination_is_heard_where_ctrl_c_is_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), termination_interrupts([]), held_back():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_of_the_block_is_not_hidden():
    with pytest.raises(ValueError, match="broken"), held_back():
        raise ValueError("broken")


def test_where_it_is_ignored_it_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back():
            press()
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_has_no_signals():
    entered = []

    def work():
        with held_back():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]


@pytest.mark.slow
def test_pressed_twice_it_ends_at_once():
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert "still here" not in done.stdout
