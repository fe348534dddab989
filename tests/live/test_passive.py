"""A default scan under strace: no packet leaves loopback, nothing is opened for writing outside the output folder."""

from __future__ import annotations

import compileall
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ybscan

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("strace") is None, reason="needs strace on Linux"),
]

_OPEN = re.compile(r'\b(?:open|openat|openat2|creat)\((?:AT_FDCWD, )?"([^"]+)", (?:\{flags=)?([A-Z_|]+)')
_CONNECT = re.compile(r"\b(?:connect|sendto|sendmsg|bind)\(\d+, .*sa_family=(AF_INET6?), (.*)")
_CHANGES = re.compile(
    r"\b(?:unlink|unlinkat|mkdir|mkdirat|rename|renameat|renameat2|symlink|link|chmod|fchmodat|mknod)\(.*?\"([^\"]+)\""
)
#: The terminal and the null device swallow what is written.
_HARMLESS = ("/dev/null", "/dev/tty", "/dev/ptmx")


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    compileall.compile_dir(str(Path(ybscan.__file__).parent), quiet=1)
    folder = tmp_path_factory.mktemp("passive")
    log = folder / "strace.log"
    run = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=network,file", "-s", "300", "-o", str(log), sys.executable, "-m", "ybscan", "scan", "-o", str(folder / "out"), "--state", str(folder / "kept")],
        capture_output=True, check=False, cwd=folder, timeout=300,
    )  # fmt: skip
    if b"Operation not permitted" in run.stderr and not log.stat().st_size:
        pytest.skip("this sandbox does not allow ptrace")
    assert run.returncode in (0, 1, 3), run.stderr.decode()
    return log.read_text(encoding="utf-8", errors="replace").splitlines(), folder / "out"


def test_no_packet_leaves_loopback(trace: tuple[list[str], Path]) -> None:
    lines, _ = trace
    away = [
        line
        for line in lines
        if (m := _CONNECT.search(line)) and not re.search(r'"127\.|"::1"|"0\.0\.0\.0"|"::"', m[2])
    ]
    assert away == []


def test_nothing_is_written_outside_output_and_state(trace: tuple[list[str], Path]) -> None:
    lines, out = trace
    written = []
    for line in lines:
        m = _OPEN.search(line)
        if m and re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", m[2]) and "= -1" not in line:
            written.append(m[1])
        elif (c := _CHANGES.search(line)) and "= -1" not in line:
            written.append(c[1])
    assert any(p.startswith(str(out)) for p in written), "the trace must show the record being written"
    kept = str(out.parent / "kept")
    assert any(p.startswith(kept) for p in written), "the trace must show the history being written"
    outside = [p for p in written if not p.startswith((str(out), kept, *_HARMLESS)) and not p.startswith("/proc/self/")]
    assert outside == []


def test_no_password_hash_file_but_shadow_is_opened(trace: tuple[list[str], Path]) -> None:
    lines, _ = trace
    opened = {m[1] for line in lines if (m := _OPEN.search(line)) and "= -1" not in line}
    assert not {p for p in opened if re.match(r"/etc/(gshadow|security/opasswd|shadow-)", p)}
