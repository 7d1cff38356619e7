import pytest

from harness.base.errors import UsageError
from harness.run.options import Options

GOOD = {"world": "sim", "sut": None, "profile": None, "seed": 1, "faults_off": False, "report": None}


def test_the_language_learns_what_it_needs():
    setup = Options.checked(**(GOOD | {"seed": 7, "profile": "strict", "faults_off": True})).setup()
    assert (setup.seed, setup.profile, setup.faults_off, setup.suts) == (7, "strict", True, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"world": "moon"}, "choose one of: sim"),
        ({"seed": -1}, "from 0 up"),
        ({"profile": "strikt"}, "did you mean `strict`"),
        ({"sut": "nowhere.yaml"}, "cannot be read"),
        ({"report": "/proc/nowhere/x"}, "nothing can be written there"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(wrong, message):
    with pytest.raises(UsageError, match=message):
        Options.checked(**(GOOD | wrong))


def test_a_report_folder_is_opened(tmp_path):
    shelf = Options.checked(**(GOOD | {"report": str(tmp_path / "out")})).shelf
    assert shelf is not None
    assert list((tmp_path / "out").iterdir()) == []
