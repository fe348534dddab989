"""The unit's accepted baseline: which packages, autostart items and program files were there when it was approved.

A YAML document on the terminal, named by ``data.baseline`` of the site file::

    schema: ybscan.baseline/v1
    date: 2026-11-01
    packages: [wps-office, vendor-his-client]
    autostart: ["systemd:ssh.service"]
    folders: [/opt/ybclient]
    exclude: ["/opt/ybclient/config/user.ini"]
    files:
    - {path: "/opt/ybclient/yb", size: 1024, sha256: "…", mtime: "1762000000"}

Other keys are other subjects' and left alone. Every scalar is text; aliases and duplicate keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.site import Site

_LIMIT = 8 * 1024 * 1024
_DEPTH = 20
_SETTING = "site.yml 的 data.baseline"


_SHA256 = re.compile(r"[0-9a-f]{64}")
#: The C parser where PyYAML has it: thousands of files take seconds otherwise.
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """A program file as it was approved. ``mtime`` only spares work when the baseline is updated; it proves nothing."""

    size: int
    sha256: str
    mtime: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The document; None where it does not speak of the subject."""

    packages: frozenset[str] | None
    autostart: frozenset[str] | None
    files: Mapping[str, BaselineFile] | None = None
    folders: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """Who approved it and when, as text: ``date``, ``approver``, ``document``."""


def read_baseline(host: Host, site: Site) -> Baseline | Unknown:
    """The unit's baseline, or why there is none."""
    path = site.data.baseline
    if path is None:
        return Unknown(Cause.NOT_CONFIGURED, _SETTING, "site.yml")
    if not (re.match(r"[A-Za-z]:[\\/]", path) if host.os == "windows" else path.startswith("/")):
        return Unknown(Cause.NOT_CONFIGURED, f"{_SETTING} 应为本机绝对路径", "site.yml")
    if host.os == "windows":
        path = path.replace("/", "\\")
    text = host.files.text(path=path, limit=_LIMIT)
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return Unknown(Cause.NOT_CONFIGURED, f"基线文件 {path} 不存在", path)
    found = parse_baseline(text.value)
    if isinstance(found, str):
        return Unknown(Cause.MALFORMED, f"基线文件 {path}：{found}", path)
    # Whoever can rewrite the baseline can accept anything.
    if host.os == "windows":
        from ybscan.probes._windows.guard import open_to

        who = open_to(host, path)
        return who if isinstance(who, Unknown) else found
    meta = host.files.stat(path=path)
    if not isinstance(meta, Known):
        return meta if isinstance(meta, Unknown) else Unknown(Cause.UNAVAILABLE, path, path)
    if meta.value.mode & 0o022:
        return Unknown(Cause.UNCONFIRMED, f"基线文件 {path} 可被普通用户改写", path)
    # In a folder anyone may write to the file can be replaced, whatever its own bits say.
    folder = host.files.stat(path=path.rpartition("/")[0] or "/")
    if not isinstance(folder, Known):
        return folder if isinstance(folder, Unknown) else Unknown(Cause.UNAVAILABLE, path, path)
    if folder.value.mode & 0o002 and not folder.value.mode & 0o1000:
        return Unknown(Cause.UNCONFIRMED, f"基线文件 {path} 所在的文件夹可被普通用户改写", path)
    # The system's owner is root; of a tree laid out somewhere else whoever laid it out.
    system = host.files.stat(path="/etc")
    if not isinstance(system, Known):
        return system if isinstance(system, Unknown) else Unknown(Cause.UNAVAILABLE, "/etc", "/etc")
    if meta.value.uid not in (0, system.value.uid):
        return Unknown(Cause.UNCONFIRMED, f"基线文件 {path} 的属主不是 root，普通用户可以改写", path)
    return found


def parse_baseline(text: str) -> Baseline | str:
    """The document, or what is wrong with it in Chinese."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                return "不允许使用 YAML 别名"
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH:
                return "嵌套过深"
        root = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError, ValueError):
        return "不是有效的 YAML"
    if not isinstance(root, yaml.MappingNode):
        return "内容应为“键: 值”形式"
    keys: dict[str, yaml.Node] = {}
    for key, value in root.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in keys:
            return "键重复或不是文字"
        keys[key.value] = value
    schema = keys.get("schema")
    if not isinstance(schema, yaml.ScalarNode) or schema.value != "ybscan.baseline/v1":
        return "schema 应为 ybscan.baseline/v1"
    lists: dict[str, tuple[str, ...] | None] = {}
    for name in ("packages", "autostart", "folders", "exclude"):
        node = keys.get(name)
        if node is None:
            lists[name] = None
            continue
        texts = _texts(node)
        if texts is None:
            return f"{name} 应为文字列表"
        lists[name] = texts
    files = _files(keys["files"]) if "files" in keys else None
    if isinstance(files, str):
        return files
    packages, autostart = lists["packages"], lists["autostart"]
    notes = {
        n: keys[n].value for n in ("date", "approver", "document") if isinstance(keys.get(n), yaml.ScalarNode)
    }  # fmt: skip
    return Baseline(
        None if packages is None else frozenset(packages), None if autostart is None else frozenset(autostart),
        files, lists["folders"] or (), lists["exclude"] or (), notes,
    )  # fmt: skip


def _texts(node: yaml.Node) -> tuple[str, ...] | None:
    if not isinstance(node, yaml.SequenceNode) or not all(isinstance(n, yaml.ScalarNode) for n in node.value):
        return None
    return tuple(str(n.value) for n in node.value)


def _files(node: yaml.Node) -> dict[str, BaselineFile] | str:
    if not isinstance(node, yaml.SequenceNode):
        return "files 应为列表"
    found: dict[str, BaselineFile] = {}
    for row in node.value:
        pairs = row.value if isinstance(row, yaml.MappingNode) else ()
        if not pairs or not all(isinstance(n, yaml.ScalarNode) for pair in pairs for n in pair):
            return "files 的每一项应含 path、sha256、size"
        entry = {k.value: v.value for k, v in pairs}
        path, size, digest = entry.get("path", ""), entry.get("size", ""), entry.get("sha256", "")
        if not path or not size.isascii() or not size.isdigit() or not _SHA256.fullmatch(digest):
            return f"files 第 {row.start_mark.line + 1} 行的 path、sha256 或 size 有误"
        if path in found:
            return f"files 中 {path} 重复"
        found[path] = BaselineFile(int(size), digest, entry.get("mtime", ""))
    return found
