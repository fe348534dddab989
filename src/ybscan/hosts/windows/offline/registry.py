"""The registry of a Windows that does not run, from the hives on its disk.

Sources: "Registry Hives" and "Registry Redirector" of the Windows documentation; ``Select\\Current`` names the control
set that Windows was last started with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from ybscan.hosts.groups.registry import Registry, RegistryValue, UserHive, View
from ybscan.hosts.windows.hive import Hive, load_hive
from ybscan.hosts.windows.keys import in_view, parts
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.tree import HIVES, WindowsTree
from ybscan.hosts.windows.redact import is_closed
from ybscan.hosts.windows.tree import people
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

T = TypeVar("T")

PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_BITS = {"amd64": 64, "arm64": 64, "x86": 32}
_CLASSES = r"AppData\Local\Microsoft\Windows\UsrClass.dat"
_MAX_LINKS = 8
_LINK = re.compile(r"^\\registry\\(machine|user)\\(.+)$", re.IGNORECASE | re.DOTALL)
#: LocalSystem's settings are those of the logon screen: one hive for both names.
_SYSTEM_ACCOUNTS = ("s-1-5-18", ".default")


class OfflineRegistry(Registry):
    """Hives are opened when first asked for. One that is missing makes its keys Unknown(incomplete), never Absent."""

    def __init__(self, tree: WindowsTree) -> None:
        super().__init__(LIVE)
        self._tree = tree
        self._hives: dict[str, Reading[Hive]] = {}
        self._current: Reading[str] | None = None
        self._bits: Reading[int] | None = None

    def value(self, *, key: str, name: str, view: View = "64") -> Reading[RegistryValue]:
        return self._ask(key, view, lambda hive, path: hive.value(path=path, name=name, shown=key))

    def values(self, *, key: str, view: View = "64") -> Reading[dict[str, RegistryValue]]:
        return self._ask(key, view, lambda hive, path: hive.values(path=path, shown=key))

    def subkeys(self, *, key: str, view: View = "64") -> Reading[tuple[str, ...]]:
        found = self._ask(key, view, lambda hive, path: hive.subkeys(path=path, shown=key))
        if isinstance(found, Known) and [p.lower() for p in parts(key)] == ["hklm", "system"]:
            return Known(tuple(sorted({*found.value, "CurrentControlSet"})), found.origin)
        return found

    def written(self, *, key: str, view: View = "64") -> Reading[float]:
        return self._ask(key, view, lambda hive, path: hive.written(path=path, shown=key))

    def users(self) -> Reading[tuple[UserHive, ...]]:
        return people(self, frozenset())

    def bits(self) -> Reading[int]:
        """Bits of Windows, 32 or 64."""
        if self._bits is None:
            found = self.value(key=_ENVIRONMENT, name="PROCESSOR_ARCHITECTURE")
            if isinstance(found, Known):
                bits = _BITS.get(str(found.value).lower())
                self._bits = (
                    Known(bits, found.origin) if bits else Unknown(Cause.MALFORMED, str(found.value), _ENVIRONMENT)
                )
            else:
                # Only 64-bit Windows has the key.
                wow = self.subkeys(key=r"HKLM\SOFTWARE\Wow6432Node")
                self._bits = (
                    Known(64, wow.origin) if isinstance(wow, Known)
                    else found if isinstance(found, Unknown) else Unknown(Cause.MALFORMED, "没有处理器架构", _ENVIRONMENT)
                )  # fmt: skip
        return self._bits

    def hive(self, name: str) -> Reading[Hive]:
        """A hive of the machine by its name; of SAM only the accounts group may ask."""
        return self._opened(self._tree.hive_path(name))

    # ------------------------------------------------------------------------------------------------------------

    def _ask(self, key: str, view: View, question: Callable[[Hive, tuple[str, ...]], Reading[T]]) -> Reading[T]:
        if view == "32" and parts(key)[:2] and isinstance(bits := self.bits(), Known) and bits.value == 64:
            names = parts(in_view(key, view))
        elif view == "32" and not isinstance(self.bits(), Known):
            return Unknown(Cause.INCOMPLETE, f"不能确定系统是 32 位还是 64 位，无法读取 {key} 的 32 位视图", key)
        else:
            names = parts(key)
        for _ in range(_MAX_LINKS):
            if is_closed("\\".join(names)):
                return Unknown(Cause.NOT_PERMITTED, f"{key} 含口令散列等机密，不读取", key)
            place = self._place(names, key)
            if isinstance(place, Absent | Unknown):
                return place
            hive, path = place
            linked = hive.first_link(path=path)
            if linked is None:
                return question(hive, path)
            target, rest = linked
            to = _LINK.match(target)
            if to is None:
                break
            names = ("HKLM" if to[1].lower() == "machine" else "HKU", *to[2].strip("\\").split("\\"), *rest)
        return Unknown(Cause.UNSUPPORTED, f"{key} 经过无法跟随的注册表链接", key)

    def _place(self, names: tuple[str, ...], key: str) -> tuple[Hive, tuple[str, ...]] | Absent | Unknown:
        """The hive a key lies in, and the names below that hive's root."""
        if len(names) == 1:
            return Unknown(Cause.UNSUPPORTED, f"{LIVE}：{key} 之下有哪些项", key)
        top, rest = names[1], names[2:]
        if names[0] == "HKU":
            opened = self._of_user(top, key)
        elif top.upper() in HIVES:
            opened = self.hive(top.upper())
        else:
            return Unknown(Cause.UNSUPPORTED, f"{key} 只存在于运行中的系统", key)
        if not isinstance(opened, Known):
            return Absent(key) if isinstance(opened, Absent) else Unknown(opened.cause, opened.detail, key)
        if names[0] == "HKLM" and top.upper() == "SYSTEM" and rest and rest[0].lower() == "currentcontrolset":
            current = self._control_set(opened.value)
            if not isinstance(current, Known):
                return Unknown(current.cause, current.detail, key) if isinstance(current, Unknown) else current
            rest = (current.value, *rest[1:])
        return opened.value, rest

    def _control_set(self, system: Hive) -> Reading[str]:
        if self._current is None:
            found = system.value(path=("Select",), name="Current", shown=r"HKLM\SYSTEM\Select")
            if isinstance(found, Known) and isinstance(found.value, int) and 0 < found.value < 1000:
                self._current = Known(f"ControlSet{found.value:03}", found.origin)
            elif isinstance(found, Unknown):
                self._current = found
            else:
                self._current = Unknown(Cause.MALFORMED, "注册表没有指明当前的控制集", r"HKLM\SYSTEM\Select")
        return self._current

    def _of_user(self, sid: str, key: str) -> Reading[Hive]:
        if sid.lower() in _SYSTEM_ACCOUNTS:
            return self.hive("DEFAULT")
        person = sid[: -len("_Classes")] if sid.lower().endswith("_classes") else sid
        home = self.value(key=f"{PROFILES}\\{person}", name="ProfileImagePath")
        if not isinstance(home, Known):
            listed = self.subkeys(key=PROFILES)
            # Whoever has no profile has no hive; a profile without its folder is something else.
            if (
                isinstance(home, Absent)
                and isinstance(listed, Known)
                and person.lower() not in map(str.lower, listed.value)
            ):
                return Absent(key)
            return Unknown(Cause.INCOMPLETE, f"找不到用户 {person} 的注册表文件", key)
        folder = self.expanded(str(home.value)).rstrip("\\")
        return self._opened(f"{folder}\\{_CLASSES if person != sid else 'NTUSER.DAT'}")

    def expanded(self, path: str) -> str:
        """A path with ``%SystemRoot%`` and the like put in, as far as they are the same for everybody."""
        drive = self._tree.drive
        for name, value in (
            ("SystemDrive", drive),
            ("SystemRoot", f"{drive}\\Windows"),
            ("windir", f"{drive}\\Windows"),
        ):
            path = re.sub(f"%{name}%", lambda _, v=value: v, path, flags=re.IGNORECASE)  # type: ignore[misc]
        return path

    def _opened(self, path: str) -> Reading[Hive]:
        found = self._hives.get(path.lower())
        if found is None:
            found = load_hive(path, self._tree.read)
            if isinstance(found, Absent):
                found = Unknown(Cause.INCOMPLETE, f"其中没有注册表文件 {path}", path)
            self._hives[path.lower()] = found
        return found
