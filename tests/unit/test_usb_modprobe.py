"""Our reading of modprobe.d against the real modprobe, on random configurations; and what counts as doing nothing."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ybscan.engine.cases import live_tree
from ybscan.probes._usb import modprobe
from ybscan.probes._usb.layers import layered

FOLDERS = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d")
NAMES = ("a.conf", "b.conf", "50-usb.conf", "Z.conf", "禁用.conf", "c.conf.bak", ".d.conf", "e.txt")
LINES = (
    "install usb-storage /bin/false",
    "install usb_storage /bin/true",
    "  install\tusb-storage   /sbin/nologin x",
    "install usb* /usr/bin/false",
    "install uas /bin/true   ",
    "install ua? /sbin/modprobe --ignore-install uas",
    "install usb-storage \\\n   /bin/echo \\\n off",
    "#install uas /bin/one",
    "# 说明\\\ninstall uas /bin/two",
    "  # install uas /bin/three",
    "blacklist usb-storage",
    "options usb-storage delay_use=5",
    "install uas",
    "installs uas /bin/four",
    "remove usb-storage /bin/five",
    "alias usb-stick usb-storage",
    "",
)


def random_tree(seed: int, root: Path) -> None:
    """Some files with some lines in some folders."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for folder in FOLDERS:
        (root / folder[1:]).mkdir(parents=True)
        for name in chance.sample(NAMES, chance.randint(0, 4)):
            lines = chance.choices(LINES, k=chance.randint(0, 6))
            (root / folder[1:] / name).write_text("\n".join(lines) + chance.choice(["", "\n"]), encoding="utf-8")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with a kernel that has both modules: empty objects, indexed by depmod."""
    if any(shutil.which(t, path="/usr/sbin:/sbin:/usr/bin:/bin") is None for t in ("modprobe", "depmod", "gcc")):
        pytest.skip("kmod or gcc is not installed")
    root = tmp_path_factory.mktemp("kernel")
    folder = root / "lib/modules/9.9.9/kernel"
    folder.mkdir(parents=True)
    for module in ("usb-storage", "uas"):
        target = str(folder / f"{module}.ko")
        subprocess.run(["gcc", "-c", "-x", "c", "-", "-o", target], input=b"\n", check=True)
    subprocess.run(["/usr/sbin/depmod", "-b", str(root), "9.9.9"], check=True, capture_output=True)
    return root


@pytest.mark.parametrize("seed", range(80))
def test_modprobe_agrees(seed: int, kernel: Path, tmp_path: Path) -> None:
    random_tree(seed, tmp_path)
    layers = layered(live_tree(tmp_path), FOLDERS, ".conf")
    for module in ("usb-storage", "uas"):
        # A dry run with the configuration and module folders of the test alone.
        done = subprocess.run(
            ["/usr/sbin/modprobe", "-n", "-v", *(f"-C{tmp_path}{f}" for f in FOLDERS), "-d", str(kernel), "-S", "9.9.9",
             module],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = [line for line in done.stdout.splitlines() if line.startswith("install ")]
        ours = modprobe.configured(layers, module).install
        assert (ours is None) == (not said), (module, done.stdout, done.stderr, ours)
        if ours is not None:
            words = ours.command.split()
            # modprobe appends the module's options to the command.
            assert said[0].removeprefix("install ").split()[: len(words)] == words


@pytest.mark.parametrize(
    "command",
    ["/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false  ", "/sbin/nologin", "/usr/sbin/nologin", "true", ":",
     "exit 1", "/dev/null", "/bin/true >/dev/null 2>&1", "/bin/false # 禁用优盘", "/bin/echo USB 已禁用; /bin/false",
     "/usr/bin/logger -t usb blocked && /bin/false"],
)  # fmt: skip
def test_commands_that_do_nothing(command: str) -> None:
    assert modprobe.effect_of(command) == "none"


@pytest.mark.parametrize(
    "command",
    ["/sbin/modprobe --ignore-install usb-storage", "/bin/true; /sbin/insmod /x.ko", "/bin/false || modprobe -i uas"],
)
def test_commands_that_load(command: str) -> None:
    assert modprobe.effect_of(command) == "loads"


@pytest.mark.parametrize(
    "command",
    ["/usr/local/bin/ask", "/bin/true & /usr/local/bin/x", "$(cat /tmp/x)", "`x`", "/srv/true", "/opt/false",
     "/bin/sh -c 'x'", "/bin/echo a | /bin/sh", "/dev/true", "/bin/null", ""],
)  # fmt: skip
def test_commands_nobody_can_tell(command: str) -> None:
    assert modprobe.effect_of(command) == "unclear"
