"""Whether the disks that hold data are encrypted by the system. Reads sysfs only; never a key, never a header.

Device mapper names what made a device in ``dm/uuid`` (libcryptsetup writes ``CRYPT-LUKS2-…``, ``CRYPT-PLAIN-…``); a
volume counts as encrypted when every way down to the hardware passes such a device. What a disk's own electronics or
an endpoint product encrypts cannot be seen here. Sources: Documentation/ABI/testing/sysfs-block-dm, cryptsetup(8),
proc_pid_mountinfo(5), proc_swaps(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.linux.mounts import MountLine, mount_of, parse_mountinfo, unescaped
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes.base import Context, Probe

_MOUNTINFO, _SWAPS = "/proc/self/mountinfo", "/proc/swaps"
_CIPHER = re.compile(r"CRYPT-(LUKS1|LUKS2|PLAIN|TCRYPT|BITLK|LOOPAES|FVAULT2)-")
_NAMES = {
    "BITLK": "BitLocker",
    "TCRYPT": "TrueCrypt/VeraCrypt",
    "PLAIN": "dm-crypt",
    "LOOPAES": "loop-AES",
    "FVAULT2": "FileVault",
}
#: Images that the system itself brings: nobody writes to them.
_READ_ONLY = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "romfs", "udf"})
#: File systems that encrypt by themselves.
_ENCRYPTING = {"ecryptfs": "eCryptfs", "fuse.gocryptfs": "gocryptfs", "fuse.encfs": "EncFS", "fuse.cryfs": "CryFS"}
#: What starts the machine is read before any key is known.
_BOOT = re.compile(r"^/(boot|efi)(/|$)")
_REMOVABLE = re.compile(r"^(/run)?/media/")
_MAX_DEPTH = 12


class DiskEncryptionProbe(Probe):
    """Encryption of disks and swap."""

    name = "disk_encryption"
    title = "磁盘加密"
    facts = (
        FactSpec(
            "required", Kind.BOOLEAN, "单位方案要求磁盘加密", words=("要求", "不要求"),
            linux="site.yml 的 encryption.storage", windows="site.yml 的 encryption.storage",
        ),
        FactSpec(
            "volumes", Kind.ITEMS, "磁盘卷和交换空间",
            help="本机固定磁盘上已挂载的卷和交换空间是否由操作系统加密。启动分区（/boot、/boot/efi）无法加密，不作要求。"
            "磁盘自带的硬件加密和终端安全产品的透明加密在这里看不到。只看加密状态，不读取密钥。",
            linux="/proc/self/mountinfo、/proc/swaps、/sys/dev/block/*/slaves、/sys/block/dm-*/dm/uuid",
            windows="Win32_EncryptableVolume.GetProtectionStatus",
            fields=(
                Field("place", Kind.TEXT, "位置"),
                Field("device", Kind.TEXT, "设备"),
                Field("data", Kind.BOOLEAN, "可存放数据"),
                Field("encrypted", Kind.BOOLEAN, "已加密"),
                Field("method", Kind.TEXT, "加密方式"),
            ),
            summary="{place}（{device}，已加密：{encrypted}，方式：{method}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {"required": required(context), "volumes": _volumes(host)}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return {**self.unsupported("Windows"), "required": required(context)}


def required(context: Context) -> Fact:
    """What the unit's scheme says."""
    wanted = context.site.encryption.storage
    if wanted is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 encryption.storage", "site.yml")
    return Known(wanted == "required", "site.yml 的 encryption.storage")


def _volumes(host: Host) -> Fact:
    text = host.files.text(path=_MOUNTINFO)
    if not isinstance(text, Known):
        return text if isinstance(text, Unknown) else Unknown(Cause.UNAVAILABLE, _MOUNTINFO, _MOUNTINFO)
    mounts = parse_mountinfo(text.value)
    if mounts is None:
        return Unknown(Cause.MALFORMED, _MOUNTINFO, _MOUNTINFO)
    gaps: list[Gap] = []
    items: dict[tuple[str, str], Item] = {}
    for mount in mounts:
        item = _mounted(host, mount)
        if item is not None:
            # Bind mounts and subvolumes show one device many times; the first mount names it.
            items.setdefault((str(item["device"]), str(item["data"])), item)
    for item in _swaps(host, mounts, gaps):
        items[str(item["place"]), str(item["device"])] = item
    if not any(i["data"] is True for i in items.values()) and not gaps:
        return Unknown(Cause.UNAVAILABLE, "没有找到本机的磁盘卷（可能在容器中运行）", _MOUNTINFO)
    ordered = sorted(items.values(), key=lambda i: (str(i["place"]), str(i["device"])))
    return Known(tuple(ordered), _MOUNTINFO, tuple(gaps))


def _mounted(host: Host, mount: MountLine) -> Item | None:
    if mount.fs_type in _ENCRYPTING:
        return _item(mount.point, mount.fs_type, True, _ENCRYPTING[mount.fs_type], data=True)
    if mount.fs_type == "zfs":
        why = Unknown(Cause.UNSUPPORTED, "本版本不能读取 ZFS 的加密属性")
        return _item(mount.point, mount.source, why, None, data=True)
    if mount.kind != "disk" or mount.fs_type in _READ_ONLY or _REMOVABLE.match(mount.point):
        return None
    encrypted, method = _of_mount(host, mount)
    return _item(mount.point, mount.source, encrypted, method, data=not _BOOT.match(mount.point))


def _item(place: str, device: str, encrypted: FieldValue, method: str | None, *, data: bool) -> Item:
    return {"place": place, "device": device, "data": data, "encrypted": encrypted, "method": method}


def _of_mount(host: Host, mount: MountLine) -> tuple[bool | Unknown, str | None]:
    if mount.device[0]:
        return _encrypted(host, f"/sys/dev/block/{mount.device[0]}:{mount.device[1]}", 0)
    # btrfs has no device number of its own, and may lie on several devices.
    name = _block_name(host, mount.source)
    if isinstance(name, Unknown):
        return name, None
    members = _btrfs_members(host, name) if mount.fs_type == "btrfs" else (name,)
    if isinstance(members, Unknown):
        return members, None
    return _all([_encrypted(host, f"/sys/class/block/{m}", 0) for m in members])


def _block_name(host: Host, path: str) -> str | Unknown:
    real = host.files.real(path=path)
    if isinstance(real, Unknown):
        return real
    if isinstance(real, Absent) or not real.value.startswith("/dev/"):
        return Unknown(Cause.UNAVAILABLE, f"不知道 {path} 是哪个块设备", path)
    return real.value.rsplit("/", 1)[-1]


def _btrfs_members(host: Host, name: str) -> tuple[str, ...] | Unknown:
    base = "/sys/fs/btrfs"
    systems = host.files.entries(path=base)
    if isinstance(systems, Unknown):
        return systems
    for system in systems.value if isinstance(systems, Known) else ():
        members = host.files.entries(path=f"{base}/{system}/devices")
        if isinstance(members, Unknown):
            return members
        if isinstance(members, Known) and name in members.value:
            return members.value
    return Unknown(Cause.UNAVAILABLE, "无法得知 btrfs 由哪些设备组成", base)


def _encrypted(host: Host, node: str, depth: int) -> tuple[bool | Unknown, str | None]:
    """Whether every way down from a block device passes an encrypting one, and which."""
    if depth > _MAX_DEPTH:
        return Unknown(Cause.TOO_LARGE, "设备层次过深", node), None
    real = host.files.real(path=node)
    if not isinstance(real, Known):
        return (real if isinstance(real, Unknown) else Unknown(Cause.UNAVAILABLE, f"没有 {node}", node)), None
    here = real.value
    partition = host.files.stat(path=f"{here}/partition")
    if isinstance(partition, Unknown):
        return partition, None
    if isinstance(partition, Known):
        here = here.rsplit("/", 1)[0]
    name = here.rsplit("/", 1)[-1]
    if name.startswith("loop"):
        return Unknown(Cause.UNSUPPORTED, f"{name} 建立在文件之上", here), None
    uuid = host.files.text(path=f"{here}/dm/uuid", limit=4096)
    if isinstance(uuid, Unknown):
        return uuid, None
    if isinstance(uuid, Known) and (m := _CIPHER.match(uuid.value.strip())):
        return True, _NAMES.get(m[1], m[1])
    slaves = host.files.entries(path=f"{here}/slaves")
    if isinstance(slaves, Unknown):
        return slaves, None
    below = slaves.value if isinstance(slaves, Known) else ()
    if not below:
        if re.match(r"(dm-|md|bcache)\d", name):
            return Unknown(Cause.UNAVAILABLE, f"{name} 没有列出下层设备", here), None
        return False, None
    return _all([_encrypted(host, f"{here}/slaves/{s}", depth + 1) for s in below])


def _all(parts: list[tuple[bool | Unknown, str | None]]) -> tuple[bool | Unknown, str | None]:
    if any(p[0] is False for p in parts):
        return False, None
    doubt = next((p[0] for p in parts if isinstance(p[0], Unknown)), None)
    if doubt is not None:
        return doubt, None
    return True, "、".join(sorted({p[1] for p in parts if p[1]}))


def _swaps(host: Host, mounts: tuple[MountLine, ...], gaps: list[Gap]) -> Iterator[Item]:
    text = host.files.text(path=_SWAPS)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    if not isinstance(text, Known):
        return  # a kernel without swapping has no such file
    lines = text.value.splitlines()
    if not lines or not lines[0].startswith("Filename"):
        gaps.append(Gap(Cause.MALFORMED, _SWAPS, _SWAPS))
        return
    for line in lines[1:]:
        words = line.split()
        if len(words) < 5 or words[1] not in ("partition", "file"):
            gaps.append(Gap(Cause.MALFORMED, _SWAPS, _SWAPS))
            continue
        path = unescaped(words[0])
        if re.match(r"/dev/z?ram\d", path):
            continue
        encrypted, method = _swap(host, mounts, path, words[1])
        yield _item("交换空间", path, encrypted, method, data=True)


def _swap(host: Host, mounts: tuple[MountLine, ...], path: str, kind: str) -> tuple[bool | Unknown, str | None]:
    if kind == "file":
        mount = mount_of(mounts, path)
        return _of_mount(host, mount) if mount else (Unknown(Cause.UNAVAILABLE, f"{path} 在哪个卷上", _MOUNTINFO), None)
    name = _block_name(host, path)
    return (name, None) if isinstance(name, Unknown) else _encrypted(host, f"/sys/class/block/{name}", 0)


PROBES = (DiskEncryptionProbe(),)
