"""A terminal and a pretend Internet in two network namespaces, and a scan of the terminal's.

The terminal's cards are macvlans whose wires end in the other namespace: of all kinds that the kernel makes without
hardware they are the ones that count as networks joined. The far end is gateway and Internet at once: public addresses
lie on its loopback and exist nowhere else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PUBLIC = ("8.8.8.8", "2001:4860:4860::8888")
SITE: dict[str, Any] = {
    "network": {
        "gateways": ["10.20.0.1", "fd20::1"], "networks": ["10.20.0.0/16", "fd20::/64"], "dns": [], "vpn": ["yb*"], "proxies": [],
        "interfaces_allowed": [],
    }
}  # fmt: skip

needs_netns = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0 or not shutil.which("ip"),
    reason="网络命名空间需要 root 与 iproute2",
)

#: Reads what is asked as JSON from standard input, prints facts and findings of the namespace it runs in.
_SCAN = """
import json, os, sys
import psutil
from datetime import UTC, datetime
from pathlib import Path
from ybscan.engine.judge import Case
from ybscan.engine.scan import Plan, facts_document, judged, needed, read_facts
from ybscan.hosts.live_linux import live_linux
from ybscan.model.rule import Role
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.registry import builtin
from ybscan.rules.load import load_packs
from ybscan.rules.site import no_site
asked = json.load(sys.stdin)
registry = builtin()
rules = tuple(r for p in load_packs(Path(asked["rules"]), registry) for r in p.rules if r.id in asked["ids"])
if asked["user"]:  # the rules lie where only root may read
    os.setgroups([])
    os.setgid(asked["user"])
    os.setuid(asked["user"])
now = datetime.now(UTC)
site = Site.model_validate(asked["site"])
host = live_linux()
context = Context(site=site, now=now)
plan = Plan(packs=(), rules=rules, registry=registry, loaded=no_site(), context=context)
facts = read_facts(host, plan, needed(rules, "linux", Role.SETTLEMENT, delegations=False), lambda _: None)
case = Case(facts=facts, specs=registry.spec_of, site=site, waivers=(), now=now, os="linux", role=Role.SETTLEMENT, terminal="t")
found = {r.id: judged(r, case) for r in rules}
print(json.dumps({
    "facts": facts_document(facts),
    "verdicts": {i: f.status.value for i, f in found.items()},
    "sentences": {i: [o.sentence for o in f.observations] for i, f in found.items()},
    "interfaces": [[i.name, i.kind, i.detail, i.up, i.running, [a.address for a in i.addresses], i.master]
                   for i in getattr(host.network.interfaces(), "value", ())],
    "gaps": [g.cause.value for g in getattr(host.network.interfaces(), "gaps", ())],
}, default=str))
"""

#: Listens on port 443 of every address and never answers more than the handshake.
_SERVE = """
import socket, sys
kept = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, 443))
    s.listen(16)
    kept.append(s)
print("ready", flush=True)
sys.stdin.read()
"""

#: Connects to the address and port in its arguments and keeps the connection until standard input ends.
_CONNECT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass
class Net:
    """The two namespaces: ``terminal`` is scanned, ``world`` is everything else."""

    terminal: str
    world: str
    rules: Path
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def ip(self, *args: str, at: str = "") -> str:
        """Run ip in a namespace, the terminal's by default."""
        done = subprocess.run(["ip", "-n", at or self.terminal, *args], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(args)}: {done.stderr}"
        return done.stdout

    def try_ip(self, *args: str) -> bool:
        """The same; false when the kernel does not know how."""
        return subprocess.run(["ip", "-n", self.terminal, *args], capture_output=True, check=False).returncode == 0

    def sysctl(self, name: str, value: str, at: str = "") -> None:
        """Set one of the namespace's own sysctls."""
        script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
        path = "/proc/sys/" + name
        subprocess.run(
            ["ip", "netns", "exec", at or self.terminal, sys.executable, "-c", script, path, value], check=True
        )

    def card(self, name: str, *addresses: str, gateway: str = "") -> None:
        """A card of the terminal with its wire to the world, where ``gateway`` (with prefix length) lies."""
        wire = f"w{name}"
        self.ip("link", "add", wire, "type", "veth", "peer", "name", f"g{name}", at=self.world)
        self.ip("link", "add", "link", wire, "name", name, "type", "macvlan", "mode", "bridge", at=self.world)
        self.ip("link", "set", name, "netns", self.terminal, at=self.world)
        for end in (wire, f"g{name}"):
            self.ip("link", "set", end, "up", at=self.world)
        for address in filter(None, gateway.split()):
            self.ip("addr", "add", address, "dev", f"g{name}", *(["nodad"] if ":" in address else []), at=self.world)
        for address in addresses:
            self.ip("addr", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        self.ip("link", "set", name, "up")

    def start(self, script: str, *args: str, at: str = "", env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """A helper process in a namespace, ready when this returns."""
        child = subprocess.Popen(
            ["ip", "netns", "exec", at or self.terminal, sys.executable, "-c", script, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self.children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
        return child

    def serve(self) -> None:
        """Let the world answer on port 443 of all its addresses."""
        self.start(_SERVE, at=self.world)

    def connect(self, address: str, port: int = 443) -> subprocess.Popen[str]:
        """A program of the terminal that keeps a connection open; end it with :meth:`stop`."""
        return self.start(_CONNECT, address, str(port))

    def stop(self, child: subprocess.Popen[str]) -> None:
        """End a helper process."""
        child.kill()
        child.wait()
        self.children.remove(child)

    def scan(
        self, *ids: str, site: dict[str, Any] | None = None, env: dict[str, str] | None = None, user: int = 0
    ) -> Any:
        """Facts and verdicts of the terminal, read from inside its namespace, as another user when given."""
        asked = {"rules": str(self.rules), "ids": ids, "site": SITE if site is None else site, "user": user}
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        done = subprocess.run(
            ["ip", "netns", "exec", self.terminal, sys.executable, "-c", _SCAN],
            input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=120, env={**clean, **(env or {})},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


_count = 0
_lock = threading.Lock()


@contextmanager
def isolated(scratch: Path) -> Iterator[Net]:
    """A fresh terminal with one card ``lan0`` in the private network, its gateway and a pretend Internet; all removed afterwards."""
    global _count
    with _lock:
        _count += 1
        net = Net(f"ybi{os.getpid()}t{_count}", f"ybi{os.getpid()}w{_count}", scratch / "rules")
    shutil.copytree(PROJECT / "rules" / "internet-isolation", net.rules / "internet-isolation")
    if (PROJECT / "rules" / "catalog").is_dir():
        shutil.copytree(PROJECT / "rules" / "catalog", net.rules / "catalog")
    try:
        for ns in (net.terminal, net.world):
            subprocess.run(["ip", "netns", "add", ns], check=True, capture_output=True)
            net.ip("link", "set", "lo", "up", at=ns)
            net.sysctl("net/ipv4/ip_forward", "0", at=ns)
        for address in PUBLIC:
            net.ip("addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []), at=net.world)
        net.card("lan0", "10.20.1.5/16", "fd20::5/64", gateway="10.20.0.1/16 fd20::1/64")
        yield net
    finally:
        for child in net.children:
            child.kill()
            child.wait()
        for ns in (net.terminal, net.world):
            subprocess.run(["ip", "netns", "del", ns], check=False, capture_output=True)
