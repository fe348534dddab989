"""Two network namespaces joined by a virtual cable: a terminal with listeners and a firewall, and a peer that tries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

TERMINAL = ("10.77.0.1", "fd77::1")
#: Addresses of the peer that connections are tried from; the second of each family is "somebody else".
PEER = ("10.77.0.2", "10.77.0.3", "fd77::2", "fd77::3")

#: Listens as told on standard input's first line, answers "ready", keeps open until standard input ends.
_LISTEN = """
import json, socket, sys
socks = []
for proto, address, port in json.loads(sys.stdin.readline()):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if proto == "tcp":
        s.listen(64)
    else:
        import threading
        def echo(s=s):
            while True:
                data, peer = s.recvfrom(100)
                s.sendto(data, peer)
        threading.Thread(target=echo, daemon=True).start()
    socks.append(s)
print("ready", flush=True)
sys.stdin.read()
"""

#: Tries every (proto, source, target, port) and prints which got an answer.
_TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def attempt(one):
    proto, source, target, port = one
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(0.5)
    try:
        s.bind((source, 0))
        s.connect((target, port))
        if proto == "udp":
            s.send(b"x")
            s.recv(10)
        return True
    except OSError:
        return False
    finally:
        s.close()
wanted = json.load(sys.stdin)
with ThreadPoolExecutor(64) as pool:
    print(json.dumps(list(pool.map(attempt, wanted))))
"""

needs_netns = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nft"),
    reason="网络命名空间与 nft 规则需要 root、iproute2 与 nftables",
)


@dataclass
class Pair:
    """The two namespaces. ``cable`` is the terminal's interface."""

    terminal: str
    peer: str
    cable: str = "uplink0"
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *command: str, at: str = "", stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in one of the namespaces, the terminal's by default."""
        return subprocess.run(
            ["ip", "netns", "exec", at or self.terminal, *command],
            input=stdin, capture_output=True, text=True, check=check, timeout=120,
        )  # fmt: skip

    def python(self, script: str, *, at: str = "", stdin: str = "", user: int | None = None) -> Any:
        """What a Python script prints as JSON there, as another user when given."""
        prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        done = self.run(*prefix, sys.executable, "-c", script, at=at, stdin=stdin, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def listen(self, *listeners: tuple[str, str, int]) -> None:
        """Start a process that listens on (proto, address, port)."""
        child = subprocess.Popen(
            ["ip", "netns", "exec", self.terminal, sys.executable, "-c", _LISTEN],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.children.append(child)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(listeners) + "\n")
        child.stdin.flush()
        assert child.stdout.readline().strip() == "ready"

    def firewall(self, rules: str) -> None:
        """Replace the terminal's whole ruleset by ``rules`` (nft syntax; the line ends it wants are put in)."""
        for word in (" chain ", " table "):
            rules = rules.replace("}" + word, "}\n" + word)
        rules = re.sub(r"(?<!saddr) \}", "\n}", rules)
        self.run("nft", "flush", "ruleset")
        done = self.run("nft", "-f", "-", stdin=rules, check=False)
        assert done.returncode == 0, done.stderr

    def reached(self, attempts: list[tuple[str, str, str, int]]) -> list[bool]:
        """Which connection attempts (proto, source, target, port) of the peer got through."""
        found: list[bool] = self.python(_TRY, at=self.peer, stdin=json.dumps(attempts))
        return found


_count = 0
_lock = threading.Lock()


@contextmanager
def namespaces() -> Iterator[Pair]:
    """A fresh pair; everything is gone afterwards."""
    global _count
    with _lock:
        _count += 1
        pair = Pair(f"ybt{os.getpid()}a{_count}", f"ybt{os.getpid()}b{_count}")

    def ip(*args: str) -> None:
        subprocess.run(["ip", *args], check=True, capture_output=True)

    try:
        ip("netns", "add", pair.terminal)
        ip("netns", "add", pair.peer)
        ip("-n", pair.terminal, "link", "add", pair.cable, "type", "veth", "peer", "name", "far0", "netns", pair.peer)
        for ns, cable, addresses in ((pair.terminal, pair.cable, TERMINAL), (pair.peer, "far0", PEER)):
            ip("-n", ns, "link", "set", "lo", "up")
            for address in addresses:
                long = ("/64", "nodad") if ":" in address else ("/24",)
                ip("-n", ns, "addr", "add", address + long[0], "dev", cable, *long[1:])
            ip("-n", ns, "link", "set", cable, "up")
        # Neighbours are settled beforehand: a firewall that drops everything drops their discovery too.
        for ns, cable, other, far, addresses in (
            (pair.terminal, pair.cable, pair.peer, "far0", PEER), (pair.peer, "far0", pair.terminal, pair.cable, TERMINAL)
        ):  # fmt: skip
            shown = subprocess.run(["ip", "-j", "-n", other, "link", "show", far], capture_output=True, check=True)
            for address in addresses:
                ip(
                    "-n",
                    ns,
                    "neigh",
                    "replace",
                    address,
                    "lladdr",
                    json.loads(shown.stdout)[0]["address"],
                    "dev",
                    cable,
                )
        yield pair
    finally:
        for child in pair.children:
            child.kill()
            child.wait()
        for ns in (pair.terminal, pair.peer):
            subprocess.run(["ip", "netns", "del", ns], check=False, capture_output=True)


def iptables_nft() -> bool:
    """Whether the iptables of this machine writes into nftables."""
    if shutil.which("iptables") is None:
        return False
    told = subprocess.run(["iptables", "--version"], capture_output=True, text=True, check=False).stdout
    return "nf_tables" in told
