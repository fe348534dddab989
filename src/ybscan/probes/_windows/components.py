"""What of the installed records belongs to Windows itself, to its run-time libraries, or to the hardware's drivers.

By maker and name together: neither alone says anything, since anybody may write either.
"""

from __future__ import annotations

import re

from ybscan.probes._software.text import folded

_MICROSOFT = re.compile(r"^microsoft( corporation| corporations)?$|^微软")
_RUNTIME = re.compile(
    r"^microsoft (visual c\+\+|\.net|asp\.net|windows desktop runtime|edge( webview2 runtime| update)?\b|update health|"
    r"visual studio \d{4} tools for office|msxml|silverlight|windows driver|vc\+\+)|^(windows|microsoft) .{0,40}(runtime|运行时|"
    r"redistributable)|^(security |hotfix |feature )?update for |^(安全)?更新程序|^msxml|^windows (sdk|pc health check|电脑健康状况)|"
    r"^microsoft edge$|^(directx|xna )|^kb\d{6,}"
)
_HARDWARE = re.compile(
    r"^(intel|nvidia|advanced micro devices|amd|realtek|synaptics|elan|conexant|cirrus logic|broadcom|qualcomm|marvell|"
    r"mediatek|asmedia|renesas|via technologies|alcor|zhaoxin|兆芯|瑞昱|英特尔)"
)
_DRIVER = re.compile(
    r"driver|驱动|chipset|芯片组|graphics|显卡|audio|音频|management engine|serial io|rapid storage|网卡|ethernet"
)

#: Services of Windows whose program bears the name that another maker's has too: User Experience Virtualization.
OWN_SERVICES = frozenset({"uevagentservice"})
#: Folders that Windows itself has among its programs.
WINDOWS_OWN = frozenset(
    {
        "common files", "internet explorer", "windows nt", "windows mail", "windows media player", "windows defender",
        "windows defender advanced threat protection", "windows photo viewer", "windows portable devices",
        "windows security", "windows sidebar", "windowspowershell", "windowsapps", "modifiablewindowsapps",
        "uninstall information", "reference assemblies", "msbuild", "dvd maker", "windows journal", "microsoft.net",
        "microsoft games", "windows multimedia platform", "windows kits", "microsoft update health tools", "ruxim",
        "microsoft", "microsoft office", "microsoft office 15", "installshield installation information", "desktop.ini",
        "windows live",
    }
)  # fmt: skip


def belongs_to_windows(name: str, publisher: str) -> bool:
    """Whether a record is of a run-time library or update of Microsoft, or of a driver of a maker of hardware."""
    title, maker = folded(name), folded(publisher)
    if _MICROSOFT.match(maker):
        return bool(_RUNTIME.search(title))
    return bool(_HARDWARE.match(maker) and _DRIVER.search(title))
