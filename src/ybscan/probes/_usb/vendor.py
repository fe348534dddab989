"""Signs of a system vendor's own control of devices, whose policy nobody outside can read with certainty.

The formats of the Kylin and UOS back ends are not documented. That such a component is there is therefore never taken
for a control that works, nor its absence from the configuration for one that does not: it leaves the question open.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

#: A path of the component → what to call it.
CLUES = {
    "/etc/kysec": "麒麟安全机制（KYSEC）",
    "/usr/bin/ksc-defender": "麒麟安全中心",
    "/usr/share/ksc-defender": "麒麟安全中心",
    "/usr/bin/deepin-defender": "统信安全中心",
    "/usr/share/deepin-defender": "统信安全中心",
    "/opt/apps/com.deepin.defender": "统信安全中心",
}


def vendor_control(host: Host) -> Reading[bool]:
    """Unknown(unconfirmed) when a vendor's component is installed; Known(False) when none is found."""
    found: list[str] = []
    doubt: Unknown | None = None
    for path, name in CLUES.items():
        stat = host.files.stat(path=path)
        if isinstance(stat, Unknown):
            doubt = doubt or stat
        elif not isinstance(stat, Absent) and name not in found:
            found.append(name)
    if found:
        return Unknown(
            Cause.UNCONFIRMED,
            f"发现{'、'.join(found)}，其外设管控策略无法从系统文件核实，请提供管控界面截图或由人工确认",
            "vendor",
        )
    return doubt or Known(False, "厂商外设管控组件")
