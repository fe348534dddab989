"""Which mount a path lies on. Pure: works on the texts of mountinfo and fstab (proc_pid_mountinfo(5), fstab(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.groups.volumes import MountKind
from ybscan.hosts.linux.redact import redacted

#: Types that reach another machine. FUSE file systems are named ``fuse.<program>``.
NETWORK_TYPES = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "lustre", "glusterfs", "gfs", "gfs2",
        "ocfs2", "beegfs", "9p", "davfs", "fuse.sshfs", "fuse.davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.ceph",
        "fuse.rclone", "fuse.s3fs", "fuse.curlftpfs", "fuse.smbnetfs", "autofs",
    }
)  # fmt: skip
MEMORY_TYPES = frozenset({"tmpfs", "ramfs", "devtmpfs"})
#: File systems of no device, yet of the kernel or of layers we resolve elsewhere or not at all.
_OTHER = frozenset({"overlay", "aufs", "zfs", "fuse", "virtiofs", "vboxsf", "prl_fs", "ecryptfs", "fuse.vmhgfs-fuse"})

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class MountLine:
    """One line of mountinfo."""

    id: int
    parent: int
    device: tuple[int, int]
    root: str
    point: str
    fs_type: str
    source: str
    options: str

    @property
    def kind(self) -> MountKind:
        """Whether a block device, another machine or memory stands behind it."""
        if self.fs_type in NETWORK_TYPES:
            return "network"
        if self.fs_type in MEMORY_TYPES:
            return "memory"
        if self.fs_type in _OTHER or self.fs_type.startswith("fuse."):
            return "other"
        return "disk" if self.device[0] or self.source.startswith("/dev/") else "other"

    @property
    def server(self) -> str:
        """The server of a network mount: ``addr=`` where the kernel recorded it, else from the source; else empty."""
        if self.kind != "network":
            return ""
        found = re.search(r"(?:^|,)addr=([^,]+)", self.options)
        return found[1] if found else server_of(self.source)


def server_of(source: str) -> str:
    """The host part of ``server:/export``, ``[2001:db8::1]:/export``, ``user@server:dir``, ``//server/share`` or a URL."""
    patterns = (
        r"[a-z][a-z0-9+.-]*://(?:[^/@]*@)?(\[[^\]]+\]|[^/:]+)", r"[/\\]{2}([^/\\]+)",
        r"(?:[^@/]*@)?(\[[^\]]+\]|[^:/\[\]]+):",
    )  # fmt: skip
    for pattern in patterns:
        if found := re.match(pattern, source, re.IGNORECASE):
            return found[1].strip("[]")
    return ""


def unescaped(text: str) -> str:
    r"""A field with the octal escapes of space, tab, newline and backslash (``\040``) undone."""
    if "\\" not in text:
        return text
    raw = _OCTAL.sub(lambda m: chr(int(m[1], 8)), text)
    try:  # an escaped byte may be part of a UTF-8 character
        return raw.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return raw


def parse_mountinfo(text: str) -> tuple[MountLine, ...] | None:
    """All mounts; None when a line makes no sense (then no statement about any mount holds)."""
    found: list[MountLine] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        left, separator, right = line.partition(" - ")
        a, b = left.split(" "), right.split(" ")
        try:
            major, minor = map(int, a[2].split(":"))
            source = redacted("", unescaped(b[1])) if len(b) > 1 else ""
            found.append(
                MountLine(
                    int(a[0]), int(a[1]), (major, minor), unescaped(a[3]), unescaped(a[4]), b[0], source,
                    b[2] if len(b) > 2 else "",
                )
            )  # fmt: skip
        except (IndexError, ValueError):
            return None
        if not separator or not b[0]:
            return None
    return tuple(found) or None


def is_below(path: str, point: str) -> bool:
    """Whether ``path`` is ``point`` or lies below it."""
    return point == "/" or path == point or path.startswith(point.rstrip("/") + "/")


def mount_of(mounts: tuple[MountLine, ...], path: str) -> MountLine | None:
    """The mount that the resolved ``path`` lies on, mounts hidden by later ones left out.

    The longest mount point is not enough: a mount made over a parent folder hides those below it. The walk follows
    the tree of parents as a path look-up does, taking at each mount the first child on the way.
    """
    ids = {m.id for m in mounts}
    tops = [m for m in mounts if m.parent not in ids or m.parent == m.id]
    here = next((m for m in tops if m.point == "/"), None)
    if here is None:
        return max((m for m in mounts if is_below(path, m.point)), key=lambda m: len(m.point), default=None)
    seen = {here.id}
    while True:
        children = [m for m in mounts if m.parent == here.id and m.id not in seen and is_below(path, m.point)]
        if not children:
            return here
        shortest = min(len(m.point) for m in children)
        here = [m for m in children if len(m.point) == shortest][-1]
        seen.add(here.id)


def fstab_points(text: str) -> tuple[str, ...]:
    """The mount points of fstab apart from ``/`` and swap, in file order."""
    found: list[str] = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 3 and not fields[0].startswith("#"):
            point = unescaped(fields[1])
            if point.startswith("/") and point != "/" and fields[2] != "swap":
                found.append(point.rstrip("/"))
    return tuple(found)


def expected_mount(points: tuple[str, ...], path: str) -> str:
    """The innermost mount point of fstab that ``path`` lies below; empty when there is none."""
    return max((p for p in points if is_below(path, p)), key=len, default="")


def local_addresses(fib_trie: str, if_inet6: str) -> frozenset[str]:
    """The machine's own addresses from /proc/net/fib_trie (``/32 host LOCAL``) and /proc/net/if_inet6."""
    import ipaddress

    found: set[str] = set()
    last = ""
    for line in fib_trie.splitlines():
        if m := re.search(r"\|--\s+(\d+\.\d+\.\d+\.\d+)", line):
            last = m[1]
        elif last and re.search(r"/32\s+host\s+LOCAL", line):
            found.add(last)
    for line in if_inet6.splitlines():
        if m := re.match(r"([0-9a-f]{32})\s", line):
            found.add(str(ipaddress.IPv6Address(int(m[1], 16))))
    return frozenset(found)


def is_own(server: str, addresses: frozenset[str], hostname: str) -> bool | None:
    """Whether a server is this machine. None when only a name is known: names are not resolved."""
    import ipaddress

    bare = server.split("%", 1)[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        name = bare.casefold().rstrip(".")
        own = hostname.casefold().rstrip(".")
        if name in ("localhost", "localhost.localdomain", "ip6-localhost") or (
            own and name.split(".")[0] == own.split(".")[0]
        ):
            return True
        return None
    return address.is_loopback or str(address) in addresses
