from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.alarms import Alarms


def drain(alarms, now):
    out = []
    while (key := alarms.pop(now)) is not None:
        out.append(key)
    return out


def test_moved_and_cleared_alarms_go_off_once_and_when_meant():
    alarms = Alarms()
    alarms.set("later", 1.0)
    alarms.set("sooner", 9.0)
    alarms.set("never", 2.0)
    alarms.set("later", 5.0)
    alarms.set("sooner", 3.0)
    alarms.clear("never")
    assert alarms.next() == 3.0
    assert drain(alarms, 4.0) == ["sooner"]
    assert drain(alarms, 5.0) == ["later"]
    assert alarms.next() is None


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20)))))
def test_it_is_a_table_of_times(steps):
    alarms, model = Alarms(), {}
    for key, at in steps:
        if at is None:
            alarms.clear(key)
            model.pop(key, None)
        else:
            alarms.set(key, float(at))
            model[key] = float(at)
        assert alarms.next() == min(model.values(), default=None)
    assert sorted(drain(alarms, 99.0)) == sorted(model)
