"""The unit's accepted baseline: which packages and autostart items were there when the terminal was taken over.

A small YAML document on the terminal, named by ``data.baseline`` of the site file::

    schema: ybscan.baseline/v1
    date: 2026-11-01
    packages: [wps-office, vendor-his-client]
    autostart: ["systemd:ssh.service"]

Other keys are other subjects' and left alone. Every scalar is text; aliases and duplicate keys are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.site import Site

_LIMIT = 4 * 1024 * 1024
_DEPTH = 20
_SETTING = "site.yml 的 data.baseline"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The document; None where it does not speak of the subject."""

    packages: frozenset[str] | None
    autostart: frozenset[str] | None


def read_baseline(host: Host, site: Site) -> Baseline | Unknown:
    """The unit's baseline, or why there is none."""
    path = site.data.baseline
    if path is None:
        return Unknown(Cause.NOT_CONFIGURED, _SETTING, "site.yml")
    if not path.startswith("/"):
        return Unknown(Cause.NOT_CONFIGURED, f"{_SETTING} 应为本机绝对路径", "site.yml")
    text = host.files.text(path=path, limit=_LIMIT)
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return Unknown(Cause.NOT_CONFIGURED, f"基线文件 {path} 不存在", path)
    found = parse_baseline(text.value)
    if isinstance(found, str):
        return Unknown(Cause.MALFORMED, f"基线文件 {path}：{found}", path)
    # Whoever can rewrite the baseline can accept anything.
    meta = host.files.stat(path=path)
    if not isinstance(meta, Known):
        return meta if isinstance(meta, Unknown) else Unknown(Cause.UNAVAILABLE, path, path)
    if meta.value.mode & 0o022:
        return Unknown(Cause.UNCONFIRMED, f"基线文件 {path} 可被普通用户改写", path)
    return found


def parse_baseline(text: str) -> Baseline | str:
    """The document, or what is wrong with it in Chinese."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                return "不允许使用 YAML 别名"
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH:
                return "嵌套过深"
        root = yaml.compose(text, Loader=yaml.SafeLoader)
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
    lists: dict[str, frozenset[str] | None] = {}
    for name in ("packages", "autostart"):
        node = keys.get(name)
        if node is None:
            lists[name] = None
            continue
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(n, yaml.ScalarNode) for n in node.value):
            return f"{name} 应为文字列表"
        lists[name] = frozenset(n.value for n in node.value)
    return Baseline(lists["packages"], lists["autostart"])
