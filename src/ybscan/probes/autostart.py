"""What starts by itself, and what of it is new against the unit's accepted baseline."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._software.autostarts import KIND_TEXT, Autostart
from ybscan.probes._software.baseline import Baseline, read_baseline
from ybscan.probes._software.homes import person_homes
from ybscan.probes._software.inventory import unique
from ybscan.probes._software.tables import boot_items, cron_items, desktop_items
from ybscan.probes._software.text import shown
from ybscan.probes._software.units import SYSTEM_FOLDERS, USER_FOLDERS, enabled_units
from ybscan.probes.base import Context, Probe

_FIELDS = (
    Field("id", Kind.TEXT, "编号"),
    Field("kind", Kind.TEXT, "类别"),
    Field("path", Kind.TEXT, "位置"),
    Field("owner", Kind.TEXT, "账户"),
    Field("program", Kind.TEXT, "启动的程序"),
    Field("suspicious", Kind.BOOLEAN, "是否可疑"),
    Field("reason", Kind.TEXT, "可疑原因"),
)


class AutostartProbe(Probe):
    """Everything that starts at boot, at login or on schedule; programs only, never their arguments."""

    name = "autostart"
    title = "自启动项"
    facts = (
        FactSpec(
            "items", Kind.ITEMS, "自启动项",
            help="开机、登录或按计划自动启动的项目。可疑指程序位于任何人可写的文件夹、下载后直接执行，或未登记的 ld.so.preload；"
            "Windows 另指命令经过编码、登录外壳或 Userinit 被改动、登录界面的辅助功能被替换。",
            linux="systemd 的 .wants 链接、附加配置与单元文件，cron 表，桌面自启动项，rc.local，SysV 链接，ld.so.preload",
            windows="Run/RunOnce 键（64/32 位视图和各用户）、启动文件夹、自动启动的服务和驱动、计划任务、Winlogon、映像劫持、"
            "AppInit_DLLs",
            fields=_FIELDS, summary="{id}（{program}，{reason}）",
        ),
        FactSpec(
            "changes", Kind.ITEMS, "基线之外新增的自启动项",
            help="不在基线文件（data.baseline）的 autostart 列表中的自启动项；没有基线时未知。",
            linux="同上，与基线文件比对", windows="同上，与基线文件比对", fields=_FIELDS, summary="{id}（{program}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        return self._read(host, context)

    def _read(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        baseline = read_baseline(host, context.site)
        accepted = baseline.autostart if isinstance(baseline, Baseline) else None
        configured = context.site.data.baseline is not None
        doubt = baseline if isinstance(baseline, Unknown) and configured else None
        found: dict[str, Autostart] = {}
        if host.os == "windows":
            from ybscan.probes._windows.autostart import items as windows_items

            everything = windows_items(host, accepted or frozenset(), doubt, gaps)
            origin = "注册表、服务、计划任务与启动文件夹"
        else:
            everything = _all(host, accepted or frozenset(), doubt, gaps)
            origin = "systemd、cron、桌面自启动与 ld.so.preload"
        for one in everything:
            # Several lines may share an id; the suspicious one speaks for them.
            if one.id not in found or one.why or (one.unread and not found[one.id].why):
                found[one.id] = one
        rows = [(key, _item(found[key])) for key in sorted(found)]
        missing = tuple(unique(gaps))
        items: Fact = Known(tuple(i for _, i in rows), origin, missing)
        if accepted is None:
            why = baseline if isinstance(baseline, Unknown) else None
            changes: Fact = why or Unknown(Cause.NOT_CONFIGURED, "基线文件中没有 autostart", "data.baseline")
        else:
            new = tuple(item for key, item in rows if key not in accepted)
            changes = Known(new, "自启动项与基线文件", missing)
        return {"items": items, "changes": changes}


def _all(host: Host, accepted: frozenset[str], doubt: Unknown | None, gaps: list[Gap]) -> list[Autostart]:
    homes = person_homes(host, gaps)
    listings: dict[str, tuple[str, ...]] = {}
    for home in homes:
        listed = host.files.entries(path=home)
        if isinstance(listed, Unknown):
            gaps.append(listed.as_gap())
        elif isinstance(listed, Known):
            listings[home] = listed.value
    found = [
        *enabled_units(host, SYSTEM_FOLDERS, "systemd", gaps),
        *enabled_units(host, USER_FOLDERS, "user-systemd", gaps),
        *cron_items(host, gaps),
        *desktop_items(host, homes, listings, gaps),
        *boot_items(host, accepted, doubt, gaps),
    ]
    for home, user in homes.items():
        if ".config" in listings.get(home, ()):
            own = (f"{home}/.config/systemd/user", *USER_FOLDERS[1:])
            for item in enabled_units(host, own[:1], "user-systemd", gaps, user):
                found.append(
                    Autostart(item.kind, f"{item.name}@{user}", item.path, user, item.program, item.why, item.unread)
                )
    return found


def _item(a: Autostart) -> Item:
    return {
        "id": a.id, "kind": KIND_TEXT.get(a.kind, a.kind), "path": shown(a.path), "owner": shown(a.owner) or None,
        "program": a.unread or a.program or None, "suspicious": a.unread or bool(a.why), "reason": shown(a.why) or None,
    }  # fmt: skip


PROBES = (AutostartProbe(),)
