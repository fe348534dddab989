"""Facts with arguments, for what nobody modelled: a registry value, a line of a file, a service, a port, a file's metadata.

What may be named is confined by :mod:`ybscan.probes._confined`; the loader refuses everything else, and so does reading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Kind
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes import _confined
from ybscan.probes._addresses import is_loopback
from ybscan.probes.base import Context, Parametric

_MAX_LINE = 2000
_AS = ("text", "integer")
_KIND = {"text": Kind.TEXT, "integer": Kind.INTEGER}


def _refused(problems: list[str]) -> Unknown:
    return Unknown(Cause.NOT_PERMITTED, "；".join(problems))


def _as(value: str, wanted: str, origin: str) -> Fact:
    if wanted != "integer":
        return Known(value, origin)
    if not re.fullmatch(r"[+-]?\d{1,18}", value.strip(), re.ASCII):
        return Unknown(Cause.MALFORMED, f"“{value[:40]}”不是整数", origin)
    return Known(int(value), origin)


def _confined_path(host: Host, path: str, *, meta: bool) -> Reading[str]:
    """Where the path leads, every link resolved; a link out of the allowed places is refused."""
    real = host.files.real(path=path)
    if isinstance(real, Known) and _confined.strays(real.value, meta=meta):
        return Unknown(Cause.NOT_PERMITTED, f"{path} 是指向 {real.value} 的链接，不在允许的范围内", path)
    return real


class RegistryValue(Parametric):
    """One value of the Windows registry."""

    name = "registry_value"
    title = "注册表值"
    help = "args：key（HKLM\\SOFTWARE、HKLM\\SYSTEM\\CurrentControlSet 等之下）、name（值名）、view（64 或 32）、as（text 或 integer）。"

    def check_args(self, args: Mapping[str, str]) -> list[str]:
        problems = _confined.wrong_keys(args, ("key", "name"), ("view", "as"))
        problems += _confined.wrong_choice(args, "view", ("64", "32")) + _confined.wrong_choice(args, "as", _AS)
        if args.get("key"):
            problems += _confined.wrong_key(args["key"], args.get("name", ""), text=args.get("as", "text") == "text")
        return problems

    def spec(self, args: Mapping[str, str]) -> FactSpec:
        label = f"注册表值 {args['key']}\\{args['name']}" if {"key", "name"} <= set(args) else self.title
        kind = _KIND.get(args.get("as", "text"), Kind.TEXT)
        return FactSpec(self.name, kind, label, help=self.help, windows="RegQueryValueEx")

    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        problems = self.check_args(args)
        if problems:
            return _refused(problems)
        key, name = args["key"], args["name"]
        value = host.registry.value(key=key, name=name, view="32" if args.get("view") == "32" else "64")
        if not isinstance(value, Known):
            return value
        wanted = args.get("as", "text")
        if isinstance(value.value, int):
            return Known(value.value if wanted == "integer" else str(value.value), value.origin)
        if isinstance(value.value, str):
            return _as(value.value, wanted, value.origin)
        if isinstance(value.value, tuple) and wanted == "text":
            return Known("\n".join(value.value), value.origin)
        return Unknown(Cause.MALFORMED, f"{key}\\{name} 的类型不能按 {wanted} 读取", value.origin)


class FileLine(Parametric):
    """One setting from a configuration file."""

    name = "file_line"
    title = "配置文件中的一行"
    help = (
        "args：path（/etc 等配置文件夹内的文件）、pattern（正则表达式，取第一个括号组）、as（text 或 integer）、"
        "which（last 取最后一处，first 取第一处，默认 last）。没有匹配的行或没有该文件为“未设置”。"
    )

    def check_args(self, args: Mapping[str, str]) -> list[str]:
        problems = _confined.wrong_keys(args, ("path", "pattern"), ("as", "which"))
        problems += _confined.wrong_choice(args, "as", _AS) + _confined.wrong_choice(args, "which", ("first", "last"))
        if args.get("path"):
            problems += _confined.wrong_path(args["path"])
        if args.get("pattern"):
            problems += _confined.wrong_pattern(args["pattern"])
        return problems

    def spec(self, args: Mapping[str, str]) -> FactSpec:
        label = f"{args['path']} 中的设置" if "path" in args else self.title
        kind = _KIND.get(args.get("as", "text"), Kind.TEXT)
        return FactSpec(self.name, kind, label, help=self.help, linux="指定的配置文件", windows="指定的配置文件")

    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        problems = self.check_args(args)
        if problems:
            return _refused(problems)
        path = args["path"]
        real = _confined_path(host, path, meta=False)
        if not isinstance(real, Known):
            return real
        text = host.files.text(path=real.value)
        if not isinstance(text, Known):
            return text
        pattern = re.compile(args["pattern"])
        lines = text.value.splitlines()
        found: Fact = Absent(path)
        for line in lines if args.get("which") == "first" else reversed(lines):
            if len(line) > _MAX_LINE:
                # A match before this line would decide; what the long line says is not known.
                return Unknown(Cause.TOO_LARGE, f"{path} 中有超过 {_MAX_LINE} 字符的行", path)
            match = pattern.search(line)
            if match is not None and match[1] is not None:
                if _confined.gives_secret(line):
                    return Unknown(Cause.NOT_PERMITTED, f"{path} 中匹配的行可能是口令或密钥", path)
                found = _as(match[1], args.get("as", "text"), path)
                break
        return found


class ServiceState(Parametric):
    """The state of one service."""

    name = "service"
    title = "服务状态"
    help = (
        "args：name（systemd 单元名或 Windows 服务名）。"
        "值为 running、stopped、paused、failed、starting、stopping；没有该服务为“未设置”。"
    )
    _WORDS: Mapping[str, str] = {
        "active": "running", "reloading": "running", "refreshing": "running", "inactive": "stopped",
        "maintenance": "stopped", "failed": "failed", "activating": "starting", "deactivating": "stopping",
    }  # fmt: skip

    def check_args(self, args: Mapping[str, str]) -> list[str]:
        problems = _confined.wrong_keys(args, ("name",))
        if args.get("name") and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,99}", args["name"], re.ASCII):
            problems.append(f"“{args['name']}”不是服务名")
        return problems

    def spec(self, args: Mapping[str, str]) -> FactSpec:
        label = f"服务 {args['name']} 的状态" if "name" in args else self.title
        return FactSpec(
            self.name,
            Kind.TEXT,
            label,
            help=self.help,
            linux="systemctl show",
            windows="服务控制管理器（EnumServicesStatusEx）",
        )

    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        problems = self.check_args(args)
        if problems:
            return _refused(problems)
        if host.os == "windows":
            return self._windows(host, args["name"])
        booted = host.files.stat(path="/run/systemd/system")
        if not isinstance(booted, Known):
            return booted if isinstance(booted, Unknown) else Unknown(Cause.UNSUPPORTED, "系统不由 systemd 管理")
        name = args["name"]
        unit = name if re.search(r"\.(service|socket|timer|target|mount|path)$", name) else f"{name}.service"
        shown = f"systemctl show {unit}"
        output = host.tools.run(tool="SYSTEMCTL", args=("show", "--no-pager", "--property=LoadState,ActiveState", unit))
        if not isinstance(output, Known):
            return output
        states = dict(line.split("=", 1) for line in output.value.stdout.splitlines() if "=" in line)
        if output.value.code != 0 or not {"LoadState", "ActiveState"} <= set(states):
            return Unknown(Cause.TOOL_FAILED, shown, shown)
        if states["ActiveState"] not in self._WORDS:
            return Unknown(Cause.MALFORMED, f"{shown}：{states['ActiveState'][:40]}", shown)
        if states["LoadState"] == "not-found" and states["ActiveState"] == "inactive":
            return Absent(shown)
        return Known(self._WORDS[states["ActiveState"]], shown)

    @staticmethod
    def _windows(host: Host, name: str) -> Fact:
        states = host.services.states()
        if not isinstance(states, Known):
            return states
        for one in states.value:
            if one.name.casefold() == name.casefold():
                if one.state == "pending":
                    return Unknown(Cause.INCOMPLETE, f"服务 {name} 正在启动或停止", states.origin)
                return Known(one.state, states.origin)
        if states.gaps:
            return Unknown(states.gaps[0].cause, states.gaps[0].detail, states.gaps[0].origin)
        configured = host.services.configured()
        if isinstance(configured, Known) and any(s.name.casefold() == name.casefold() for s in configured.value):
            return Unknown(Cause.UNAVAILABLE, f"系统没有报告服务 {name} 的状态", states.origin)
        return Absent(states.origin)


class PortListening(Parametric):
    """Whether something listens on a port for the network."""

    name = "port"
    title = "端口监听"
    help = "args：proto（tcp 或 udp）、number（端口号）。仅本机可访问的监听不算。"

    def check_args(self, args: Mapping[str, str]) -> list[str]:
        problems = _confined.wrong_keys(args, ("proto", "number"))
        problems += _confined.wrong_choice(args, "proto", ("tcp", "udp"))
        number = args.get("number", "1")
        if number and not (re.fullmatch(r"\d{1,5}", number, re.ASCII) and 1 <= int(number) <= 65535):
            problems.append(f"端口号“{number}”应为 1 至 65535 的整数")
        return problems

    def spec(self, args: Mapping[str, str]) -> FactSpec:
        label = f"{args['proto']}/{args['number']} 端口" if {"proto", "number"} <= set(args) else self.title
        return FactSpec(
            self.name, Kind.BOOLEAN, label, help=self.help, linux="/proc/net/{tcp,tcp6,udp,udp6}",
            windows="GetExtendedTcpTable、GetExtendedUdpTable", words=("正在监听", "未监听"),
        )  # fmt: skip

    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        problems = self.check_args(args)
        if problems:
            return _refused(problems)
        table = host.sockets.table()
        if not isinstance(table, Known):
            return table
        for s in table.value:
            mine = s.state == "listen" and s.proto == args["proto"] and s.local_port == int(args["number"])
            if mine and not is_loopback(s.local):
                return Known(True, table.origin)
        # An owner that could not be read hides no socket; any other gap may.
        missing = next((g for g in table.gaps if g.origin != "/proc/*/fd"), None)
        if missing is not None:
            return Unknown(missing.cause, missing.detail, missing.origin)
        return Known(False, table.origin)


class FileMeta(Parametric):
    """Metadata of one file or folder."""

    name = "file_meta"
    title = "文件属性"
    help = (
        "args：path（系统、程序和配置文件夹内）、attribute（exists 是否存在，size 字节数，mtime 修改时间，"
        "mode 权限如 0644，owner 属主，此二者 Windows 没有）。文件不存在时 exists 为否，其余为“未设置”。"
    )
    _KINDS: Mapping[str, Kind] = {
        "exists": Kind.BOOLEAN, "size": Kind.INTEGER, "mtime": Kind.TIME, "mode": Kind.TEXT, "owner": Kind.TEXT,
    }  # fmt: skip
    _LABELS: Mapping[str, str] = {
        "exists": "是否存在", "size": "大小", "mtime": "修改时间", "mode": "权限", "owner": "属主",
    }  # fmt: skip

    def check_args(self, args: Mapping[str, str]) -> list[str]:
        problems = _confined.wrong_keys(args, ("path", "attribute"))
        problems += _confined.wrong_choice(args, "attribute", tuple(self._KINDS)) if args.get("attribute") else []
        if args.get("path"):
            problems += _confined.wrong_path(args["path"], meta=True)
        return problems

    def spec(self, args: Mapping[str, str]) -> FactSpec:
        attribute = args.get("attribute", "")
        label = f"{args['path']} 的{self._LABELS.get(attribute, attribute)}" if "path" in args else self.title
        return FactSpec(
            self.name, self._KINDS.get(attribute, Kind.TEXT), label, unit="字节" if attribute == "size" else "",
            help=self.help, linux="stat(2)", windows="GetFileAttributesEx",
        )  # fmt: skip

    def read(self, host: Host, context: Context, args: Mapping[str, str]) -> Fact:
        problems = self.check_args(args)
        if problems:
            return _refused(problems)
        path, attribute = args["path"], args["attribute"]
        if host.os == "windows" and attribute in ("mode", "owner"):
            return Unknown(Cause.UNSUPPORTED, f"Windows 文件没有这样的{self._LABELS[attribute]}", path)
        real = _confined_path(host, path, meta=True)
        stat = host.files.stat(path=real.value) if isinstance(real, Known) else real
        if attribute == "exists" and not isinstance(stat, Unknown):
            return Known(isinstance(stat, Known), path)
        if not isinstance(stat, Known):
            return stat
        if attribute == "size":
            return Known(stat.value.size, path)
        if attribute == "mtime":
            return Known(datetime.fromtimestamp(stat.value.mtime, UTC), path)
        if attribute == "mode":
            return Known(f"{stat.value.mode:04o}", path)
        return _owner(host, stat.value.uid, path)


def _owner(host: Host, uid: int, path: str) -> Fact:
    users = host.accounts.users()
    if isinstance(users, Unknown):
        return users
    names = [u.name for u in users.value if u.uid == uid] if isinstance(users, Known) else []
    if not names and isinstance(users, Known) and users.gaps:
        return Unknown(users.gaps[0].cause, users.gaps[0].detail, path)
    return Known(names[0] if names else str(uid), path)


PROBES = (RegistryValue(), FileLine(), ServiceState(), PortListening(), FileMeta())
