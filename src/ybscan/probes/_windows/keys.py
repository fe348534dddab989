"""Reading the registry with the gaps written down: what cannot be read is never taken for what is not there."""

from __future__ import annotations

from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.hosts.groups.registry import RegistryValue, UserHive, View
from ybscan.model.reading import Cause, Gap, Known, Unknown


@dataclass(slots=True)
class Keys:
    """The registry of ``host``; ``gaps`` gathers what could not be read or makes no sense."""

    host: Host
    gaps: list[Gap] = field(default_factory=list)

    def value(self, key: str, name: str, view: View = "64") -> RegistryValue | None:
        """The value; None where there is none, or (with a gap) where it could not be read."""
        reading = self.host.registry.value(key=key, name=name, view=view)
        if isinstance(reading, Unknown):
            self.gaps.append(reading.as_gap())
        return reading.value if isinstance(reading, Known) else None

    def text(self, key: str, name: str, view: View = "64") -> str:
        """A text; empty where there is none. Several texts are joined by spaces."""
        value = self.value(key, name, view)
        if isinstance(value, tuple):
            return " ".join(value)
        if isinstance(value, bytes):
            self.malformed(key, name)
            return ""
        # A terminating zero may be stored with the text.
        return "" if value is None else str(value).split("\0", 1)[0]

    def number(self, key: str, name: str, view: View = "64") -> int | None:
        """A number; a text of digits counts, as several programs of Windows take it."""
        return self.as_number(self.value(key, name, view), key, name)

    def dword(self, key: str, name: str, view: View = "64") -> int | None:
        """A REG_DWORD alone, for settings that Windows itself reads: it takes no text for a number."""
        value = self.value(key, name, view)
        if value is None or isinstance(value, int):
            return value
        self.malformed(key, name)
        return None

    def as_number(self, value: RegistryValue | None, key: str, name: str) -> int | None:
        """``value`` as a number; anything else leaves a gap."""
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, str) and value.strip().isdigit():
            return int(value)
        self.malformed(key, name)
        return None

    def values(self, key: str, view: View = "64") -> dict[str, RegistryValue]:
        """All values of a key by their names in lower case; empty where there is no such key."""
        reading = self.host.registry.values(key=key, view=view)
        if isinstance(reading, Unknown):
            self.gaps.append(reading.as_gap())
        if not isinstance(reading, Known):
            return {}
        self.gaps.extend(reading.gaps)
        return {n.lower(): v for n, v in reading.value.items()}

    def subkeys(self, key: str, view: View = "64") -> tuple[str, ...]:
        """The names of the subkeys; none where there is no such key."""
        reading = self.host.registry.subkeys(key=key, view=view)
        if isinstance(reading, Unknown):
            self.gaps.append(reading.as_gap())
        if isinstance(reading, Known):
            self.gaps.extend(reading.gaps)
        return reading.value if isinstance(reading, Known) else ()

    def expected(self, key: str, what: str, *, empty: bool = False) -> tuple[str, ...]:
        """The subkeys of a key that every Windows has: without it nothing below it is known either.

        Nor is it where there is none, unless the key may be ``empty``.
        """
        reading = self.host.registry.subkeys(key=key)
        if isinstance(reading, Known):
            self.gaps.extend(reading.gaps)
            if not (reading.value or reading.gaps or empty):
                self.gaps.append(Gap(Cause.UNAVAILABLE, f"注册表中的{what}是空的，与一般的 Windows 不符", key))
            return reading.value
        self.gaps.append(
            reading.as_gap() if isinstance(reading, Unknown) else Gap(Cause.UNAVAILABLE, f"注册表中没有{what}", key)
        )
        return ()

    def people(self) -> tuple[UserHive, ...]:
        """Everybody whose part of the registry can be read; one whose part cannot be leaves a gap."""
        users = self.host.registry.users()
        if not isinstance(users, Known):
            self.gaps.append(
                users.as_gap() if isinstance(users, Unknown) else Gap(Cause.UNAVAILABLE, "用户列表", "ProfileList")
            )
            return ()
        self.gaps.extend(users.gaps)
        found = []
        for user in users.value:
            hive = self.host.registry.subkeys(key=f"HKU\\{user.sid}")
            if isinstance(hive, Known):
                found.append(user)
                continue
            why = hive.as_gap() if isinstance(hive, Unknown) else Gap(Cause.UNAVAILABLE, "没有注册表文件")
            self.gaps.append(Gap(why.cause, f"账户 {user.account} 的设置：{why.detail}", f"HKU\\{user.sid}"))
        return tuple(found)

    def malformed(self, key: str, name: str) -> None:
        """Write down that a value makes no sense."""
        self.gaps.append(Gap(Cause.MALFORMED, f"{key} 的 {name}", key))

    def all_gaps(self) -> tuple[Gap, ...]:
        """Every gap once."""
        return tuple(dict.fromkeys(self.gaps))
