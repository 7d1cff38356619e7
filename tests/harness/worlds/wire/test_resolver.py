import pytest
import trio

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

import dns.message
import dns.rcode

from harness.worlds.wire.resolver import NOBODY, Names, Resolver


@pytest.fixture
def resolver():
    told = []
    made = Resolver({"10.1.1.2": "host"}.get, lambda *what: told.append(what))
    made.names["host"] = Names({"relay.test": "10.250.1.1"})
    made.told = told
    return made


def ask(resolver, name="relay.test", kind="A", sender="10.1.1.2"):
    return resolver.reply_to(sender, dns.message.make_query(name, kind).to_wire())


def addresses(answer):
    return [str(record) for records in answer.answer for record in records]


def test_a_known_name_has_its_address(resolver):
    assert addresses(ask(resolver, "Relay.Test")) == ["10.250.1.1"]
    assert resolver.told == [("host", "relay.test", "10.250.1.1")]


def test_of_other_kinds_there_is_none_and_that_is_no_question_for_an_address(resolver):
    answer = ask(resolver, kind="AAAA")
    assert (answer.rcode(), addresses(answer), resolver.told) == (dns.rcode.NOERROR, [], [])


def test_an_unknown_name_does_not_exist(resolver):
    assert ask(resolver, "example.org").rcode() == dns.rcode.NXDOMAIN
    assert resolver.told == [("host", "example.org", "nxdomain")]


@pytest.mark.parametrize("fault", ["nxdomain", "timeout", "stale"])
def test_faults_are_what_they_are_called(resolver, fault):
    resolver.names["host"].fault = fault
    answer = ask(resolver)
    assert resolver.told == [("host", "relay.test", fault)]
    if fault == "timeout":
        assert answer is None
    elif fault == "nxdomain":
        assert answer.rcode() == dns.rcode.NXDOMAIN
    else:
        assert addresses(answer) == [NOBODY]


def test_a_stale_record_is_of_a_name_that_was_once_known(resolver):
    resolver.names["host"].fault = "stale"
    assert ask(resolver, "example.org").rcode() == dns.rcode.NXDOMAIN


def test_a_portal_has_every_name(resolver):
    resolver.names["host"].hijacked = "10.250.3.1"
    assert addresses(ask(resolver, "example.org")) == ["10.250.3.1"]


@pytest.mark.parametrize(
    ("sender", "datagram"), [("10.9.9.9", None), ("10.1.1.2", b"no question"), ("10.1.1.2", b"\0" * 12)]
)
def test_strangers_and_noise_are_not_answered(resolver, sender, datagram):
    asked = datagram if datagram is not None else dns.message.make_query("relay.test", "A").to_wire()
    assert resolver.reply_to(sender, asked) is None
    assert resolver.told == []


def test_it_serves_on_a_real_socket(resolver):
    resolver.machine_at = lambda _: "host"

    async def talk():
        served = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await served.bind(("127.0.0.1", 0))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(resolver.serve, served)
            with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as client:
                await client.connect(served.getsockname())
                await client.send(b"noise")
                await client.send(dns.message.make_query("relay.test", "A").to_wire())
                with trio.fail_after(5):
                    answer = dns.message.from_wire(await client.recv(4096))
            nursery.cancel_scope.cancel()
        return addresses(answer)

    assert trio.run(talk) == ["10.250.1.1"]
