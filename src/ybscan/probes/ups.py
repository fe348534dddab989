"""The uninterruptible power supply this machine can ask: kernel, NUT, apcupsd, UPower. A laptop's battery is none.

Sources: Documentation/ABI/testing/sysfs-class-power, upsc(8) and NUT's list of ``ups.status`` words, apcaccess(8), the
``--dump`` of upower(1). NUT and apcupsd are asked on the loopback interface alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

_SYS = "/sys/class/power_supply"
_NUT = ("/etc/nut", "/etc/ups")
_APC = "/etc/apcupsd/apcupsd.conf"
_UPOWER = ("/usr/lib/upower/upowerd", "/usr/libexec/upowerd")
_SECTION = re.compile(r"^\s*\[([A-Za-z0-9_][A-Za-z0-9_.-]{0,60})\]", re.MULTILINE)
_MONITOR = re.compile(r"^\s*MONITOR\s+\"?([^\s\"@]+)@([^\s\":]+)", re.MULTILINE)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
#: Above this the battery counts as charged, percent.
CHARGED = 80

_FIELDS = (
    Field("name", Kind.TEXT, "名称"),
    Field("source", Kind.TEXT, "来源"),
    Field("state", Kind.TEXT, "状态"),
    Field("on_line", Kind.BOOLEAN, "是否由市电供电"),
    Field("replace", Kind.BOOLEAN, "是否需要更换电池"),
    Field("charge", Kind.NUMBER, "电量", "%"),
    Field("charged", Kind.BOOLEAN, f"电量是否高于 {CHARGED}%"),
    Field("runtime", Kind.INTEGER, "预计续航", "分钟"),
)


class UpsProbe(Probe):
    """Power supplies that keep running when the mains fail."""

    name = "ups"
    title = "不间断电源"
    facts = (
        FactSpec(
            "supplies", Kind.ITEMS, "不间断电源",
            help="本机能读到状态的不间断电源；笔记本电脑的电池不算。一台也没有读到时无法判定：机房集中供电、串口或网络管理的电源须由人员确认。"
            f"电量高于 {CHARGED}% 视为充足（惯例）。",
            linux="/sys/class/power_supply、upsc（NUT）、apcaccess（apcupsd）、upower --dump",
            windows="Win32_Battery 与 GetSystemPowerStatus（HID 电源），NUT 或 apcupsd",
            fields=_FIELDS,
            summary="{name}（{source}，{state}，电量 {charge}，预计续航 {runtime}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        items = [*_kernel(host, gaps), *_nut(host, gaps), *_apc(host, gaps)]
        if not items:
            # UPower shows what the kernel and NUT have as well; asked only when nothing else told.
            items = list(_upower(host, gaps))
        if not items and not gaps:
            why = "本机没有读到不间断电源；机房集中供电、串口或网络管理的电源须由人员确认"
            return {"supplies": Unknown(Cause.UNAVAILABLE, why, _SYS)}
        return {"supplies": Known(tuple(items), "power_supply、NUT、apcupsd、UPower", tuple(dict.fromkeys(gaps)))}


def _supply(
    name: str,
    source: str,
    state: str,
    *,
    on_line: FieldValue,
    replace: FieldValue,
    charge: float | None,
    runtime: float | None,
) -> Item:
    charged: FieldValue = None
    if charge is None:
        charged = Unknown(Cause.UNAVAILABLE, f"{name} 没有给出电量", source)
    elif charge > CHARGED:
        charged = True
    else:
        charged = Unknown(Cause.UNCONFIRMED, f"电量 {charge:g}%，不高于 {CHARGED}%，待充满后复查", source)
    return {
        "name": shown(name), "source": source, "state": shown(state), "on_line": on_line, "replace": replace,
        "charge": charge, "charged": charged, "runtime": None if runtime is None else int(runtime),
    }  # fmt: skip


def _number(text: str | None) -> float | None:
    m = re.match(r"\s*(\d{1,6}(?:\.\d+)?)", text or "")
    return float(m[1]) if m else None


def _percent(text: str | None) -> float | None:
    """A percentage; what lies beyond 0 to 100 is none."""
    number = _number(text)
    return number if number is not None and number <= 100 else None


# Kernel --------------------------------------------------------------------------------------------------------------


def _kernel(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    names = host.files.entries(path=_SYS)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    for name in names.value if isinstance(names, Known) else ():
        kind = _attribute(host, name, "type", gaps)
        if kind != "UPS":
            continue
        state = _attribute(host, name, "status", gaps)
        health = _attribute(host, name, "health", gaps)
        on_line = {"Discharging": False, "Charging": True, "Full": True, "Not charging": True}.get(state or "")
        yield _supply(
            name, "内核", state or "未知",
            on_line=Unknown(Cause.UNAVAILABLE, f"{name} 的状态为 {state or '空'}", _SYS) if on_line is None else on_line,
            replace=None if health in (None, "Unknown") else health in ("Dead", "Unspecified failure", "Over voltage"),
            charge=_percent(_attribute(host, name, "capacity", gaps)), runtime=_minutes(host, name, gaps),
        )  # fmt: skip


def _attribute(host: Host, name: str, attribute: str, gaps: list[Gap]) -> str | None:
    text = host.files.text(path=f"{_SYS}/{name}/{attribute}", limit=4096)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return text.value.strip() or None if isinstance(text, Known) else None


def _minutes(host: Host, name: str, gaps: list[Gap]) -> float | None:
    seconds = _number(_attribute(host, name, "time_to_empty_now", gaps))
    return None if seconds is None else seconds / 60


# NUT -----------------------------------------------------------------------------------------------------------------

_NUT_ON_LINE = frozenset({"OL"})
_NUT_ON_BATTERY = frozenset({"OB", "FSD", "OFF"})


def _nut(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    local: dict[str, None] = {}
    for folder in _NUT:
        conf = host.files.text(path=f"{folder}/ups.conf")
        monitor = host.files.text(path=f"{folder}/upsmon.conf")
        for reading in (conf, monitor):
            if isinstance(reading, Unknown):
                gaps.append(reading.as_gap())
        if isinstance(conf, Known):
            local.update(dict.fromkeys(_SECTION.findall(_uncommented(conf.value))))
        for name, server in _MONITOR.findall(_uncommented(monitor.value)) if isinstance(monitor, Known) else ():
            if server.lower() not in _LOCAL:
                why = f"不间断电源 {name} 由 {server} 管理，未获准查询其他机器"
                gaps.append(Gap(Cause.NOT_PERMITTED, shown(why), f"{folder}/upsmon.conf"))
            elif re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}", name):
                local[name] = None
    for name in sorted(local):
        answer = host.tools.run(tool="UPSC", args=(f"{name}@127.0.0.1",), seconds=10)
        if not isinstance(answer, Known):
            gaps.append(
                answer.as_gap() if isinstance(answer, Unknown) else Gap(Cause.UNAVAILABLE, f"upsc {name}", "upsc")
            )
            continue
        values = dict(re.findall(r"(?m)^([a-z0-9._]+):[ \t]*(.*)$", answer.value.stdout))
        if answer.value.code != 0 or not values.get("ups.status"):
            gaps.append(Gap(Cause.TOOL_FAILED, f"upsc 没有给出 {name} 的状态", "upsc"))
            continue
        words = set(values["ups.status"].split())
        seconds = _number(values.get("battery.runtime"))
        yield _supply(
            name, "NUT", values["ups.status"], on_line=_on_line(words, _NUT_ON_LINE, _NUT_ON_BATTERY, "upsc"),
            replace="RB" in words, charge=_percent(values.get("battery.charge")),
            runtime=None if seconds is None else seconds / 60,
        )  # fmt: skip


def _uncommented(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*$", "", text)


def _on_line(words: set[str], on_line: frozenset[str], on_battery: frozenset[str], source: str) -> FieldValue:
    if words & on_battery:
        return False
    if words & on_line:
        return True
    return Unknown(Cause.UNAVAILABLE, f"状态“{shown(' '.join(sorted(words)), 60)}”没有说明由谁供电", source)


# apcupsd -------------------------------------------------------------------------------------------------------------


def _apc(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    stat = host.files.stat(path=_APC)
    if isinstance(stat, Unknown):
        gaps.append(stat.as_gap())
    if not isinstance(stat, Known):
        return
    answer = host.tools.run(tool="APCACCESS", args=("status", "127.0.0.1:3551"), seconds=10)
    if not isinstance(answer, Known):
        gaps.append(
            answer.as_gap() if isinstance(answer, Unknown) else Gap(Cause.UNAVAILABLE, "apcaccess", "apcaccess")
        )
        return
    values = {k.strip(): v.strip() for k, v in re.findall(r"(?m)^([A-Z ]{2,12}?)\s*:(.*)$", answer.value.stdout)}
    words = set(values.get("STATUS", "").split())
    if answer.value.code != 0 or not words or "COMMLOST" in words:
        why = "apcupsd 与不间断电源的通信中断" if "COMMLOST" in words else "apcaccess 没有给出状态"
        gaps.append(Gap(Cause.TOOL_FAILED, why, "apcaccess"))
        return
    yield _supply(
        values.get("UPSNAME") or values.get("MODEL") or "UPS", "apcupsd", values["STATUS"],
        on_line=_on_line(words, frozenset({"ONLINE"}), frozenset({"ONBATT", "SHUTTING"}), "apcaccess"),
        replace=bool(words & {"REPLACEBATT", "NOBATT"}), charge=_percent(values.get("BCHARGE")),
        runtime=_number(values.get("TIMELEFT")),
    )  # fmt: skip


# UPower --------------------------------------------------------------------------------------------------------------


def _upower(host: Host, gaps: list[Gap]) -> Iterator[Item]:
    if not any(isinstance(host.files.stat(path=p), Known) for p in _UPOWER):
        return
    running = host.tools.run(tool="SYSTEMCTL", args=("is-active", "upower.service"))
    if not (isinstance(running, Known) and running.value.stdout.strip() == "active"):
        # Asking would start the service. What it does not run for it cannot tell; nothing follows from that.
        if isinstance(running, Unknown):
            gaps.append(running.as_gap())
        return
    answer = host.tools.run(tool="UPOWER", args=("--dump",), seconds=10)
    if isinstance(answer, Absent) or (
        isinstance(answer, Known) and (answer.value.code or not answer.value.stdout.strip())
    ):
        gaps.append(Gap(Cause.TOOL_FAILED, "upower 没有给出设备", "upower"))
    elif isinstance(answer, Unknown):
        gaps.append(answer.as_gap())
    elif isinstance(answer, Known):
        if "Device:" not in answer.value.stdout:
            gaps.append(Gap(Cause.MALFORMED, "upower 的输出无法识别", "upower"))
        yield from _dumped(answer.value.stdout)


def _dumped(text: str) -> Iterator[Item]:
    for block in re.split(r"(?m)^(?=Device: )", text):
        if not re.search(r"(?m)^ {2}ups\s*$", block):
            continue
        values = dict(re.findall(r"(?m)^ +([a-z][a-z -]*?):[ \t]+(.*?)[ \t]*$", block))
        state = values.get("state", "")
        on_line = {"discharging": False, "pending-discharge": True, "charging": True, "pending-charge": True,
                   "fully-charged": True, "empty": False}.get(state)  # fmt: skip
        name = values.get("model") or block.split("/")[-1].split("\n")[0]
        yield _supply(
            name, "UPower", state or "未知",
            on_line=Unknown(Cause.UNAVAILABLE, f"状态为“{shown(state, 40)}”", "upower") if on_line is None else on_line,
            replace=None, charge=_percent(values.get("percentage")), runtime=_span(values.get("time to empty")),
        )  # fmt: skip


def _span(text: str | None) -> float | None:
    """``20.0 minutes`` or ``1.5 hours``, in minutes."""
    number = _number(text)
    if number is None or text is None:
        return None
    return number * 60 if "hour" in text else number if "minute" in text else number / 60


PROBES = (UpsProbe(),)
