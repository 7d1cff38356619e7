import pytest

from reference.protocol.presence import TRANSITIONS, Liveness, Phase, Sign


def test_the_table_is_complete_and_an_end_is_final():
    for phase in Phase:
        expected = {Sign.END} if phase is Phase.ENDED else set(Sign)
        assert set(TRANSITIONS[phase]) == expected
        assert TRANSITIONS[phase][Sign.END] is Phase.ENDED


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.ENDED])
def test_online_needs_both_directions(phase):
    assert [sign for sign, to in TRANSITIONS[phase].items() if to is Phase.ONLINE] == [Sign.BOTH]


@pytest.mark.parametrize(
    ("alive", "sign"),
    [
        (Liveness(0.0, up_at=90.0, inbox_at=50.0, inbox=1), Sign.BOTH),
        (Liveness(0.0, up_at=90.0, inbox_at=50.0, inbox=1, heard_s=31.0), Sign.ONE),
        (Liveness(0.0, up_at=90.0), Sign.ONE),
        (Liveness(0.0, up_at=50.0, inbox_at=90.0, inbox=1), Sign.ONE),
        (Liveness(0.0, up_at=50.0, inbox_at=50.0, inbox=1), Sign.NEITHER),
        (Liveness(0.0, up_at=90.0, inbox_at=90.0, polling=True), Sign.BOTH),
        (Liveness(0.0), Sign.NEITHER),
        (Liveness(110.0), Sign.SETTLING),
        (Liveness(110.0, up_at=90.0), Sign.SETTLING),
    ],
)
def test_the_evidence_is_weighed(alive, sign):
    assert alive.sign(100.0, 31.0) is sign
