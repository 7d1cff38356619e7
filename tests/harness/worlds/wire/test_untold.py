"""No role is told what it is run for: its command, its environment and every line it reads are kept, and no name of the scenario is in them."""

import sys

import pytest

from harness.base.verdict import Verdict
from harness.scenario.expand import plans

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.run.judge import judge
from harness.worlds.wire.world import REFERENCE, WireWorld

pytestmark = pytest.mark.usefixtures("toxiproxy_server")

STORY = """
scenario: tell-nobody-this-name
about: Nobody is told this sentence.
cast: {host: sut, relay: sut, phone: sut}
story:
  - host.says: one
  - phone.sees: one
  - phone.sends: $secretly
cases:
  - case: nor-of-this-case
    with: {secretly: two}
    expect:
      - {host.hears: two, times: 1, proves: RC-ORD-002.no-duplicate}
"""

KEEPS = """
import os, sys, threading
from pathlib import Path
from reference.native.command import main

kept = open(sys.argv[1], "ab", buffering=0)
for file in ("cmdline", "environ"):
    kept.write(Path("/proc/self", file).read_bytes() + b"\\n")
told, (reads, passes) = os.dup(0), os.pipe()
os.dup2(reads, 0)

def listen():
    while said := os.read(told, 65536):
        kept.write(said)
        os.write(passes, said)
    os.close(passes)

threading.Thread(target=listen, daemon=True).start()
main(sys.argv[2:], prog_name="reference")
"""
"""The reference, after what it is told has been appended to a file."""

REPLACED = 3
"""Words at the head of the reference's command: ``python -m reference``."""


@pytest.mark.slow
def test_no_name_of_the_scenario_reaches_a_role(tmp_path):
    file = tmp_path / "an-untold-family" / "tell-nobody-this-name.yaml"
    file.parent.mkdir()
    file.write_text(STORY)
    program = tmp_path / "keeps.py"
    program.write_text(KEEPS)
    kept = {role: tmp_path / f"{role}.kept" for role in REFERENCE}
    before = {role: (sys.executable, str(program), str(path)) for role, path in kept.items()}
    programs = {role: (*before[role], *command[REPLACED:]) for role, command in REFERENCE.items()}
    (plan,) = plans(file, world="wire")
    found = judge(WireWorld(programs).run(plan))
    assert found.verdict is Verdict.PASS, found.findings
    assert plan.scenario == file.stem
    names = [plan.id, plan.scenario, plan.about, plan.file, plan.family, "nor-of-this-case", "secretly", "RC-ORD-002"]
    for role, path in kept.items():
        told = path.read_bytes().decode()
        assert all(word in told for word in (str(program), "WARP_PAGE=", '"hello"', '"start"')), role
        assert [name for name in names if name in told] == [], role
    assert '"two"' in kept["device"].read_text()
