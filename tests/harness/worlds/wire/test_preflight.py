import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.worlds.wire import able, namespaces, preflight, syscalls, warp
from harness.worlds.wire.__main__ import lacking
from harness.worlds.wire.preflight import FOLLOWS, clocking_of
from harness.worlds.wire.warp import NOTICE_NS, NS, WorldClock
from tests.harness.worlds.wire.test_real_time import plan

OVERLAY = Path(__file__).parents[4] / "docs" / "guide" / "third-party" / "go_overlay.py"

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler makes the shim")

PYTHON = """
import json, sys, time
for request in map(json.loads, sys.stdin):
    answers = {"hello": {}, "clock": {"monotonic_s": CLOCK, "wall_s": time.time()}}
    ok = answers.get(request["verb"])
    print(json.dumps({"id": request["id"], **({"err": {"code": "unsupported"}} if ok is None else {"ok": ok})}), flush=True)
"""

NODE = """
const tell = { hello: () => ({}), clock: () => ({ monotonic_s: performance.now() / 1000, wall_s: Date.now() / 1000 }) }
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, verb } = JSON.parse(line)
  console.log(JSON.stringify(tell[verb] ? { id, ok: tell[verb]() } : { id, err: { code: "unsupported" } }))
})
"""

GO = """
package main
%s
import ("bufio"; "encoding/json"; "fmt"; "os"; "time")

func main() {
	began, in := time.Now(), bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r struct { ID int; Verb string }
		json.Unmarshal(in.Bytes(), &r)
		switch r.Verb {
		case "hello": fmt.Printf("{\\"id\\":%%d,\\"ok\\":{}}\\n", r.ID)
		case "clock": fmt.Printf("{\\"id\\":%%d,\\"ok\\":{\\"monotonic_s\\":%%f,\\"wall_s\\":%%f}}\\n", r.ID,
			time.Since(began).Seconds(), float64(time.Now().UnixNano())/1e9)
		default: fmt.Printf("{\\"id\\":%%d,\\"err\\":{\\"code\\":\\"unsupported\\"}}\\n", r.ID)
		}
	}
}
"""


def python(clock, *before, first=""):
    script = first + PYTHON.replace("CLOCK", clock).replace("{", "{{").replace("}", "}}")
    return (*before, "env", sys.executable, "-c", script)


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("clock", ["time.monotonic()", "time.perf_counter()"])
def test_python_follows(clock):
    assert clocking_of(python(clock)) is FOLLOWS


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("holds", [True, False])
def test_who_waits_by_the_kernels_timers_is_left_alone(holds):
    timer = "import os, time; timer = os.timerfd_create(time.CLOCK_MONOTONIC)"
    found = clocking_of(python("time.monotonic()", first=timer if holds else ""))
    assert (found.follows, "it holds a timerfd" in found.why) == (not holds, holds)


@needs_cc
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="Node shows that it is not about Python")
def test_node_follows():
    assert clocking_of(("env", "node", "-e", NODE.replace("{", "{{").replace("}", "}}"))) is FOLLOWS


@pytest.fixture
def build(tmp_path):
    """Make a Go program of a text."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("Go shows what reads the clock past the C library")
    path = f"{Path(go).parent}:/usr/bin:/bin"
    environ = {"PATH": path, "HOME": str(Path.home()), "GOTOOLCHAIN": "local", "GOFLAGS": ""}

    def made(text, *flags, cgo=0):
        (tmp_path / "main.go").write_text(text)
        command = [go, "build", *flags, "-o", str(tmp_path / "program"), str(tmp_path / "main.go")]
        subprocess.run(command, env=environ | {"CGO_ENABLED": str(cgo)}, check=True, cwd=tmp_path)
        return str(tmp_path / "program")

    def overlaid():
        subprocess.run([sys.executable, str(OVERLAY), str(tmp_path / "overlay")], env=environ, check=True)
        return f"-overlay={tmp_path / 'overlay' / 'overlay.json'}"

    made.overlaid = overlaid
    return made


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("cgo", [0, 1], ids=["static", "cgo"])
def test_go_does_not(build, cgo):
    found = clocking_of((build(GO % ('import "C"' if cgo else ""), cgo=cgo),))
    assert not found.follows
    assert found.why.startswith("its monotonic_s went 0.")
    assert "it is a Go program" in found.why


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("cgo", [0, 1], ids=["static", "cgo"])
def test_go_built_with_the_guides_overlay_does(build, cgo):
    assert clocking_of((build(GO % ('import "C"' if cgo else ""), build.overlaid(), cgo=cgo),)) is FOLLOWS


GO_WAITS = {
    "sleep": "time.Sleep(time.Minute)",
    "context": "c, _ := context.WithTimeout(context.Background(), time.Minute); <-c.Done()",
    "deadline": "a, _ := net.Pipe(); a.SetReadDeadline(time.Now().Add(time.Minute)); a.Read(make([]byte, 1))",
    "ticker": "t := time.NewTicker(time.Second); for range 60 { <-t.C }",
}


@pytest.mark.slow
@pytest.mark.parametrize("wait", GO_WAITS.values(), ids=GO_WAITS)
def test_a_minute_of_such_a_go_program_takes_a_second(build, tmp_path, wait):
    text = f"""package main
import ("context"; "fmt"; "net"; "time")
var _, _ = context.Background, net.Pipe
func main() {{ began := time.Now(); {wait}; fmt.Print(time.Since(began).Seconds()) }}"""
    program, world = build(text, build.overlaid()), WorldClock()
    world.machine("host", tmp_path / "host.page")
    world.turn(60.0)
    time.sleep(2 * NOTICE_NS / NS)
    began = time.monotonic()
    environ = {"WARP_PAGE": str(tmp_path / "host.page")}
    waited = float(subprocess.run([program], env=environ, capture_output=True, check=True, timeout=30).stdout)
    assert 60.0 <= waited < 75.0
    assert time.monotonic() - began < 10.0
    world.close()


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "why"),
    [
        (python("time.monotonic()", "env", "-u", "LD_PRELOAD"), "does not load the preloaded clock library"),
        (python("time.clock_gettime(time.CLOCK_BOOTTIME)"), "its monotonic_s went 600"),
        (python("'noon'"), "does not tell its clocks by the verb `clock`"),
        (python("0", "sh", "-c", 'test -z "$LD_PRELOAD" && exec "$@"', "x"), "does not start with the preloaded"),
    ],
    ids=["not preloaded", "wrong clock", "no number", "refuses"],
)
def test_who_does_not_is_told_why(command, why):
    found = clocking_of(command)
    assert not found.follows
    assert why in found.why


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("command", [("false",), ("/no/such/program",), ("sleep", "600")])
def test_of_a_program_that_says_nothing_its_run_will_tell(monkeypatch, command):
    monkeypatch.setattr(preflight, "HELLO_S", 0.5)
    assert clocking_of(command) is FOLLOWS


def test_our_own_interpreter_is_known(monkeypatch):
    monkeypatch.setattr(preflight, "_tried", None)
    monkeypatch.setattr(preflight, "why_no_shim", lambda: "")
    assert clocking_of((sys.executable, "-m", "reference")) is FOLLOWS


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing on PATH, and an empty cache; a test adds its compiler."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    answers = (warp.why_no_shim, namespaces.unavailable, syscalls.lacking)
    for answer in answers:
        answer.cache_clear()
    yield tmp_path
    for answer in answers:
        answer.cache_clear()


def test_without_a_compiler_nobody_is_hurried(bare):
    assert "install gcc" in clocking_of((sys.executable,)).why
    assert able.lacks(plan("wait: 1m")) == ""
    assert "no C compiler (cc) to make the clock library with; install gcc" in able.lacks(plan("wait: 1h"))


def test_a_compiler_that_cannot_compile_is_none(bare):
    cc = bare / "cc"
    cc.write_text(
        "#!/bin/sh\necho >&2 'In file included from warp.c'\necho >&2 'dlfcn.h: fatal error: not there'\nexit 1\n"
    )
    cc.chmod(0o755)
    found = clocking_of((sys.executable,))
    assert not found.follows
    assert found.why.startswith(
        f"{cc} cannot make the clock library (dlfcn.h: fatal error: not there); install gcc and"
    )
    assert able.lacks(plan("wait: 1m")) == ""
    assert found.why in able.lacks(plan("wait: 1h"))
    assert f"everything goes in real time, long stories are left out: {found.why}" in list(lacking())
