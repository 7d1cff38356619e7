"""Faults of the middlebox that is a machine's only way out."""

from harness.faults.model import FAULTS
from tests.harness.faults.example import Example, at_host

PASSED = at_host(120, "middlebox.passed", conn="c9")


def box(name, bites, **parameters):
    return Example(FAULTS[name](machine="host", **parameters), (bites,), (bites, PASSED))


def answered(status):
    return at_host(110, "middlebox.answered", conn="c2", status=status)


def inspected(authority):
    return at_host(110, "middlebox.inspected", conn="c2", ca=authority)


EXAMPLES = [
    box("proxy_password_changes", answered(407)),
    box("proxy_answers", answered(403), how="403 forbidden"),
    box("proxy_answers", answered(200), how="html"),
    box("proxy_answers", answered(302), how="redirect"),
    box("captive_portal", inspected("untrusted")),
    box("captive_portal", answered(302)),
    box("proxy_inspects", inspected("untrusted")),
    box("proxy_inspects", inspected("trusted"), how="with a trusted CA"),
    box("proxy_rewrites_auth", at_host(110, "middlebox.rewrote", conn="c2", path="/v1/sessions")),
    box("proxy_buffers", at_host(110, "middlebox.held", conn="c2", bytes=300, held_s=20.0)),
    Example(
        FAULTS["proxy_idle_cuts"](machine="host", idle_s=10),
        (at_host(110, "middlebox.cut", conn="c2", idle_s=10.0),),
        (at_host(110, "middlebox.cut", conn="c2", idle_s=0.0),),
    ),
]
