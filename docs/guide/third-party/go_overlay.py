#!/usr/bin/env python3
"""Have a Go program go by the world's clock: ``./go_overlay.py FOLDER && go build -overlay FOLDER/overlay.json ...``; linux/amd64, Go 1.23 and later.

Five files of the runtime are replaced, and one is added, for this one build: the two readings of the clock look into the page that WARP_PAGE
names, and waits are cut into slices of 10 ms. Without WARP_PAGE the program is as it was. This imports nothing of relayproof.
"""

import json
import subprocess
import sys
from pathlib import Path

NEW = """package runtime

import (
	"internal/runtime/atomic"
	_ "unsafe" // for go:linkname
)

type warpLeg struct {
	from    int64
	rate    float64
	reading [3]int64
}

type warpPages struct {
	sequence uint64
	legs     [2]warpLeg
}

var warpPage *warpPages

func init() {
	path := gogetenv("WARP_PAGE")
	if path == "" {
		return
	}
	name := append([]byte(path), 0)
	fd := open(&name[0], 0, 0)
	if fd < 0 {
		return
	}
	page, err := mmap(nil, 4096, 1, 1, fd, 0)
	if err == 0 {
		warpPage = (*warpPages)(page)
	}
	closefd(fd)
}

//go:nosplit
func warpShown(which int, mono int64) int64 {
	for {
		before := atomic.Load64(&warpPage.sequence)
		leg := warpPage.legs[1]
		if mono < leg.from {
			leg = warpPage.legs[0]
		}
		if before&1 == 0 && atomic.Load64(&warpPage.sequence) == before {
			return leg.reading[which] + int64(float64(mono-leg.from)*leg.rate)
		}
	}
}

//go:nosplit
func warpNano(mono int64) int64 {
	if warpPage == nil {
		return mono
	}
	return warpShown(0, mono)
}

//go:nosplit
func warpSlice(ns int64) int64 {
	if warpPage != nil && ns > 10e6 {
		return 10e6
	}
	return ns
}

func warpTrueNow() (sec int64, nsec int32, mono int64)

//go:linkname time_now time.now
func time_now() (sec int64, nsec int32, mono int64) {
	sec, nsec, mono = warpTrueNow()
	if warpPage == nil {
		return
	}
	wall := warpShown(2, mono)
	return wall / 1e9, int32(wall % 1e9), warpShown(0, mono)
}
"""

CHANGES = {
    "time_nofake.go": ("\treturn nanotime1()\n", "\treturn warpNano(nanotime1())\n"),
    "time_linux_amd64.s": ("TEXT time·now<ABIInternal>", "TEXT ·warpTrueNow<ABIInternal>"),
    "timeasm.go": ("//go:build !faketime && (windows || (linux && amd64))\n", "//go:build ignore\n"),
    "netpoll_epoll.go": ("\tvar waitms int32\n", "\tdelay = warpSlice(delay)\n\tvar waitms int32\n"),
    "os_linux.go": ("\tts.setNsec(ns)\n\tfutex(", "\tts.setNsec(warpSlice(ns))\n\tfutex("),
}


def main(folder: Path) -> None:
    """Write changed copies of the runtime's files, and the list of them that ``go build`` takes."""
    told = subprocess.run(["go", "env", "GOROOT", "GOOS", "GOARCH"], capture_output=True, text=True, check=True)  # noqa: S607 - the maker's own
    root, *target = told.stdout.split()
    if target != ["linux", "amd64"]:
        sys.exit(f"for linux/amd64 only, not {'/'.join(target)}")
    runtime = Path(root) / "src" / "runtime"
    texts = {"warp_page.go": NEW}
    for name, (before, after) in CHANGES.items():
        text = (runtime / name).read_text()
        if text.count(before) != 1:
            sys.exit(
                f"{runtime / name} is not as this script knows it: {before.strip()!r} stands in it {text.count(before)} times"
            )
        texts[name] = text.replace(before, after)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    replaced = {str(runtime / name): str((folder / name).resolve()) for name in texts}
    (folder / "overlay.json").write_text(json.dumps({"Replace": replaced}, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
