"""Whether a USB storage driver can come into action: loaded, built in, kept out, or not there at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._usb import modprobe
from ybscan.probes._usb.layers import Layered

_INDEX_LIMIT = 16 * 1024 * 1024

#: The bus a driver registers with and its name there, where they are not ``usb`` and the module's own.
_REGISTERED_AS = {"sr_mod": ("scsi", "sr")}

Blocked = bool | Unknown


@dataclass(frozen=True, slots=True)
class Driver:
    """The judgement on one driver, with how it came about in Chinese and the file or source it rests on."""

    name: str
    blocked: Blocked
    how: str
    path: str | None
    loaded: bool | Unknown | None
    """None on a disk that lies still."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """The installed kernels that count: the running one on a live system, every one on a disk."""

    live: bool
    names: Reading[tuple[str, ...]]


def kernels(host: Host) -> Kernels:
    """Which kernels' module indexes have to be looked at."""
    identity = host.system.identity()
    modules = host.files.entries(path="/sys/module")
    live = not (isinstance(modules, Unknown) and modules.cause is Cause.UNSUPPORTED)
    if live and isinstance(identity, Known) and identity.value.kernel:
        return Kernels(True, Known((identity.value.kernel,), "uname"))
    return Kernels(live, host.files.entries(path="/lib/modules"))


def sysfs_reliable(host: Host) -> bool:
    """Whether /sys/bus is the kernel's own list: every kernel since 2.6 registers the bus ``platform``."""
    buses = host.files.entries(path="/sys/bus")
    return isinstance(buses, Known) and "platform" in buses.value


def usb_subsystem(host: Host) -> Reading[bool]:
    """Whether the running kernel has a USB subsystem.

    False only when /sys/bus can be read, is genuine, and lacks ``usb``: then no USB device can be in use.
    """
    buses = host.files.entries(path="/sys/bus")
    if isinstance(buses, Unknown):
        return buses
    if isinstance(buses, Absent):
        return Unknown(Cause.UNAVAILABLE, "/sys 没有挂载或不可见", "/sys/bus")
    if "usb" in buses.value:
        return Known(True, "/sys/bus/usb")
    if "platform" not in buses.value:
        return Unknown(Cause.INCOMPLETE, "/sys/bus 内容不完整，不像内核提供的目录", "/sys/bus")
    return Known(False, "/sys/bus")


def loaded(host: Host, module: str) -> bool | Unknown:
    """Whether the driver is in the running kernel, as a module or built in."""
    name = module.replace("-", "_")
    folder = host.files.stat(path=f"/sys/module/{name}")
    if isinstance(folder, Known):
        return True
    if isinstance(folder, Unknown):
        return folder
    modules = host.files.entries(path="/sys/module")
    if not isinstance(modules, Known) or not modules.value:
        return Unknown(Cause.UNAVAILABLE, "/sys/module 不可见，不能确定驱动是否已加载", "/sys/module")
    # A built-in driver without parameters has no folder below /sys/module, but registers with its bus.
    bus, driver = _REGISTERED_AS.get(module, ("usb", module))
    registered = host.files.entries(path=f"/sys/bus/{bus}/drivers")
    if isinstance(registered, Unknown):
        return registered
    return isinstance(registered, Known) and driver in registered.value


@dataclass(frozen=True, slots=True)
class Index:
    """What one kernel's module indexes say of a module."""

    builtin: bool | Unknown
    loadable: bool | Unknown


def index_of(host: Host, kernel: str, module: str) -> Index:
    """Read ``modules.builtin`` and ``modules.dep`` of a kernel (their format: one path, with ``:`` in modules.dep)."""
    folder = f"/lib/modules/{kernel}"
    name = module.replace("-", "_")

    def lists(file: str) -> bool | Unknown:
        text = host.files.text(path=f"{folder}/{file}", limit=_INDEX_LIMIT)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Absent):
            return Unknown(Cause.UNAVAILABLE, f"{folder}/{file} 不存在", folder)
        found = re.findall(
            r"^(?:\S*/)?([A-Za-z0-9_.-]+?)\.ko(?:\.(?:gz|xz|zst|bz2))?(?::|\s*$)", text.value, re.MULTILINE
        )
        if not found:
            return Unknown(Cause.MALFORMED, f"{folder}/{file} 没有可识别的记录", folder)
        return any(f.replace("-", "_") == name for f in found)

    return Index(lists("modules.builtin"), lists("modules.dep"))


def judge(host: Host, layers: Layered, which: Kernels, module: str) -> Driver:
    """The state of one driver. Loaded or built in beats any configuration; only what is certain is ``blocked``."""
    in_kernel: bool | Unknown | None = loaded(host, module) if which.live else None
    state = modprobe.configured(layers, module)

    def result(blocked: Blocked, how: str, path: str | None = None) -> Driver:
        return Driver(module, blocked, how, path, in_kernel)

    if in_kernel is True:
        noted = state.install is not None and state.install.effect == "none"
        extra = "，已有的禁用配置要到重新启动后才起作用" if noted else ""
        return result(False, f"驱动已在运行中的内核里{extra}", f"/sys/module/{module.replace('-', '_')}")
    if isinstance(in_kernel, Unknown):
        return result(in_kernel, f"不能确定驱动是否已加载：{in_kernel.text}")

    bare = _without_modules(host, which)
    if bare is not None:
        return result(bare, "运行中的内核没有 USB 子系统，也不支持加载模块", "/sys/bus")

    indexes = (
        {k: index_of(host, k, module) for k in which.names.value if _is_kernel(host, k)}
        if isinstance(which.names, Known)
        else {}
    )
    for kernel, index in indexes.items():
        if index.builtin is True:
            return result(
                False, f"驱动编入了内核 {kernel}，modprobe 配置对它不起作用", f"/lib/modules/{kernel}/modules.builtin"
            )

    said = _modprobe_says(host, module) if which.live else None
    if said == "builtin":
        return result(False, "modprobe 报告驱动编入了内核", "modprobe -n -v")
    rule = state.install
    if rule is not None and rule.effect == "none":
        doubt = state.doubt or _builtin_doubt(host, which, indexes, module) or _folder_doubt(host, rule.path, said)
        if doubt is None and said == "loads":
            doubt = Gap(Cause.UNCONFIRMED, "配置文件中已禁用，但 modprobe 试运行显示仍会加载")
        if doubt is not None:
            return result(
                Unknown(doubt.cause, doubt.detail, doubt.origin), f"有禁用规则，但不能确认有效：{doubt.text}", rule.path
            )
        return result(True, f"install 规则阻止加载（{rule.command}）", rule.path)

    missing = bool(indexes) and all(i.builtin is False and i.loadable is False for i in indexes.values())
    if missing and said != "loads":
        return result(True, f"内核 {'、'.join(indexes)} 不提供该驱动", "modules.dep")
    doubt = state.doubt
    if doubt is None and rule is not None and rule.effect == "unclear":
        doubt = Gap(Cause.UNCONFIRMED, f"install 命令的作用需人工核对：{rule.command[:80]}", rule.path)
    if doubt is None and said == "install":
        doubt = Gap(Cause.UNCONFIRMED, "modprobe 试运行显示有 install 规则，但配置文件中没有找到")
    if doubt is None and said != "loads" and not any(i.loadable is True for i in indexes.values()):
        states = (state for i in indexes.values() for state in (i.loadable, i.builtin))
        unsure = next((state for state in states if isinstance(state, Unknown)), None)
        doubt = unsure.as_gap() if unsure is not None else None
    if doubt is None and not indexes and said != "loads":
        doubt = _no_kernels(which)
    if doubt is not None:
        return result(Unknown(doubt.cause, doubt.detail, doubt.origin), f"不能确定是否可以加载：{doubt.text}")
    if rule is not None:
        return result(False, f"install 规则仍会加载驱动（{rule.command[:80]}）", rule.path)
    if state.blacklisted:
        return result(False, "只有 blacklist，不能阻止加载", state.blacklisted)
    return result(False, "没有阻止加载的规则")


def _is_kernel(host: Host, name: str) -> bool:
    """Whether a folder below /lib/modules is a kernel's; what a removed kernel leaves behind has no indexes."""
    content = host.files.entries(path=f"/lib/modules/{name}")
    if isinstance(content, Known):
        return not {"kernel", "modules.dep", "modules.builtin"}.isdisjoint(content.value)
    return isinstance(content, Unknown)


def _without_modules(host: Host, which: Kernels) -> bool | None:
    """True for a running kernel that has neither USB nor modules: nothing can bring a driver in. Else None."""
    if not which.live:
        return None
    usb = usb_subsystem(host)
    modules = host.files.stat(path="/proc/modules")
    proc = host.files.stat(path="/proc/version")
    without = isinstance(usb, Known) and usb.value is False and isinstance(modules, Absent) and isinstance(proc, Known)
    return True if without else None


def _builtin_doubt(host: Host, which: Kernels, indexes: dict[str, Index], module: str) -> Gap | None:
    """Why a no-op rule may be void: the driver may be built in."""
    if which.live:
        # Once its subsystem is up, a built-in driver is registered with it; ``loaded`` has looked.
        name = _REGISTERED_AS.get(module, ("usb", module))[0]
        bus = host.files.entries(path=f"/sys/bus/{name}/drivers")
        if isinstance(bus, Known):
            return None
    if not indexes:
        return _no_kernels(which)
    unsure = next((i.builtin for i in indexes.values() if isinstance(i.builtin, Unknown)), None)
    return unsure.as_gap() if unsure is not None else None


def _no_kernels(which: Kernels) -> Gap:
    if isinstance(which.names, Unknown):
        return which.names.as_gap()
    return Gap(Cause.UNAVAILABLE, "找不到内核模块目录 /lib/modules，不能确定驱动是否编入内核", "/lib/modules")


def _folder_doubt(host: Host, path: str, said: str | None) -> Gap | None:
    return None if said == "install" else modprobe.folder_doubt(host, path)


def _modprobe_says(host: Host, module: str) -> str | None:
    """``install``, ``loads`` or ``builtin`` after a dry run; None when it says nothing (loaded, unknown, no tool)."""
    output = host.tools.run(tool="MODPROBE", args=("-n", "-v", module))
    if not isinstance(output, Known) or output.value.code != 0:
        return None
    lines = [line.strip() for line in output.value.stdout.splitlines() if line.strip()]
    if not lines:
        return None
    # Dependencies come first; the last line speaks of the module itself.
    last = lines[-1]
    if last.startswith("builtin "):
        return "builtin"
    if last.startswith("install "):
        return "install"
    found = re.match(r"insmod (?:\S*/)?([^/\s]+?)\.ko", last)
    return "loads" if found and found[1].replace("-", "_") == module.replace("-", "_") else None
