"""Real loop devices, partitions, bind mounts and a file system that hangs, each in a mount namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="mounting needs root"),
    pytest.mark.skipif(
        shutil.which("losetup") is None or shutil.which("mkfs.ext4") is None, reason="no losetup or mkfs.ext4"
    ),
]

PRELUDE = """
import ctypes, json, os, subprocess, sys, time
from ybscan.hosts.live_linux import live_linux
from ybscan.model.reading import Known
base = sys.argv[1]
undo = []
def run(*a):
    return subprocess.run(a, check=True, capture_output=True, text=True).stdout.strip()
def loop(size, name):
    image = os.path.join(base, name)
    with open(image, "wb") as f:
        f.truncate(size)
    run("mkfs.ext4", "-q", image)
    device = run("losetup", "-f", "--show", image)
    undo.append(("losetup", "-d", device))
    return device
def mount(*a):
    os.makedirs(a[-1], exist_ok=True)
    run("mount", *a)
    undo.append(("umount", "-l", a[-1]))
def place(path):
    got = host.volumes.place(path=path)
    if not isinstance(got, Known):
        return {"cause": got.cause.value, "detail": got.detail}
    return {"disks": [d.name for d in got.value.disks], "layers": list(got.value.layers), "memory": got.value.memory}
host = live_linux()
out = {}
try:
%s
finally:
    for one in reversed(undo):
        subprocess.run(one, check=False, capture_output=True)
print(json.dumps(out))
"""


def in_namespace(tmp_path: Path, body: str) -> Any:
    """Run ``body`` in a private mount namespace; what it puts into ``out``."""
    probe = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip("this system allows no mount namespaces")
    script = PRELUDE % textwrap.indent(textwrap.dedent(body), "    ")
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-c", script, str(tmp_path)],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if "losetup" in done.stderr and "CalledProcessError" in done.stderr:
        pytest.skip("this system allows no loop devices")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_image_lies_on_the_disk_of_its_file(tmp_path: Path) -> None:
    out = in_namespace(
        tmp_path,
        """
        device = loop(8 << 20, "a.img")
        mount(device, base + "/m")
        os.mkdir(base + "/m/his")
        out["below"], out["inside"], out["device"] = place(base), place(base + "/m/his"), os.path.basename(device)
        mount("--bind", base + "/m/his", base + "/bound")
        out["bound"] = place(base + "/bound")
        os.symlink(base + "/m/his", base + "/link")
        out["link"] = place(base + "/link")
        mount("-t", "tmpfs", "tmpfs", base + "/ram")
        out["ram"] = place(base + "/ram")
        """,
    )
    if "cause" in out["below"]:
        pytest.skip(f"the disk below the temporary folder is hidden here: {out['below']['detail']}")
    assert out["inside"]["disks"] == out["below"]["disks"]
    assert out["inside"]["layers"][0] == out["device"]
    assert out["bound"] == out["inside"] == out["link"]
    assert out["ram"] == {"disks": [], "layers": [], "memory": True}


def test_a_mount_over_the_parent_hides_what_lies_below(tmp_path: Path) -> None:
    out = in_namespace(
        tmp_path,
        """
        os.makedirs(base + "/p/deep")
        mount(loop(8 << 20, "a.img"), base + "/p/deep")
        out["before"] = host.volumes.mount(path=base + "/p/deep").value.source
        mount("-t", "tmpfs", "over", base + "/p")
        os.makedirs(base + "/p/deep")
        out["after"] = host.volumes.mount(path=base + "/p/deep").value.source
        """,
    )
    assert out["before"].startswith("/dev/loop")
    assert out["after"] == "over"


def test_an_image_in_an_image(tmp_path: Path) -> None:
    out = in_namespace(
        tmp_path,
        """
        mount(loop(24 << 20, "outer.img"), base + "/outer")
        with open(base + "/outer/inner.img", "wb") as f:
            f.truncate(8 << 20)
        run("mkfs.ext4", "-q", base + "/outer/inner.img")
        device = run("losetup", "-f", "--show", base + "/outer/inner.img")
        undo.append(("losetup", "-d", device))
        mount(device, base + "/inner")
        out["below"], out["inner"] = place(base), place(base + "/inner")
        """,
    )
    assert out["inner"].get("disks") == out["below"].get("disks")
    assert len(out["inner"].get("layers", ["", ""])) == 2


def test_device_mapper(tmp_path: Path) -> None:
    if subprocess.run(["dmsetup", "version"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel has no device mapper")
    out = in_namespace(
        tmp_path,
        """
        device = loop(8 << 20, "a.img")
        name = "ybscan-test-%d" % os.getpid()
        run("dmsetup", "create", name, "--table", "0 16384 linear " + device + " 0")
        undo.append(("dmsetup", "remove", name))
        mount("/dev/mapper/" + name, base + "/m")
        out["below"], out["mapped"] = place(base), place(base + "/m")
        """,
    )
    assert out["mapped"]["disks"] == out["below"]["disks"]
    assert out["mapped"]["layers"][0].startswith("dm-")


def test_a_file_system_that_hangs_does_not_hang_the_scan(tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("this system has no FUSE")
    start = time.monotonic()
    out = in_namespace(
        tmp_path,
        """
        fd = os.open("/dev/fuse", os.O_RDWR)  # nobody ever answers here
        os.mkdir(base + "/hung")
        libc = ctypes.CDLL(None, use_errno=True)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
        if libc.mount(b"hung", (base + "/hung").encode(), b"fuse.sshfs", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        undo.append(("umount", "-l", base + "/hung"))
        t = time.monotonic()
        out["mount"] = host.volumes.mount(path=base + "/hung/b").value.kind
        out["quick"] = time.monotonic() - t
        out["listing"] = host.volumes.listing(path=base + "/hung/b", pattern="*", limit=9, seconds=1).cause.value
        out["digest"] = host.volumes.digest(path=base + "/hung/b", limit=9, seconds=1).cause.value
        out["archive"] = host.volumes.archive(path=base + "/hung/b", budget=9, seconds=1).cause.value
        out["seconds"] = time.monotonic() - t
        os.close(fd)
        """,
    )
    assert out["mount"] == "network"
    assert out["quick"] < 1
    assert {out[k] for k in ("listing", "digest", "archive")} == {"timeout"}
    assert out["seconds"] < 8
    assert time.monotonic() - start < 60


def test_a_file_that_is_still_written(tmp_path: Path) -> None:
    from ybscan.hosts.live_linux import live_linux
    from ybscan.model.reading import Known

    path = tmp_path / "his.bak"
    volumes = live_linux().volumes
    with path.open("wb") as f:
        f.write(b"x")
        f.flush()
        assert volumes.being_written(path=str(path)) == Known(True, "/proc/*/fd")
    assert volumes.being_written(path=str(path)) == Known(False, "/proc/*/fd")
    with path.open("rb"):
        assert volumes.being_written(path=str(path)) == Known(False, "/proc/*/fd")
