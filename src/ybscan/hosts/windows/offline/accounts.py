"""Local accounts and policy of a Windows that does not run."""

from __future__ import annotations

from ybscan.hosts.groups.accounts import AccountPolicy, Accounts, Join, LocalUser, Member
from ybscan.hosts.windows import sam
from ybscan.hosts.windows.offline import LIVE
from ybscan.hosts.windows.offline.registry import OfflineRegistry
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_NETLOGON = r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon"
#: SERVICE_AUTO_START and SERVICE_DEMAND_START: joining a domain sets the one, leaving it the other.
_AUTO, _DEMAND = 2, 3


class OfflineAccounts(Accounts):
    """From the SAM hive, whose keys the registry group does not show."""

    def __init__(self, registry: OfflineRegistry) -> None:
        super().__init__(LIVE)
        self._registry = registry

    def policy(self) -> Reading[AccountPolicy]:
        hive = self._registry.hive("SAM")
        return _not_absent(sam.policy(hive.value)) if isinstance(hive, Known) else hive

    def local_users(self) -> Reading[tuple[LocalUser, ...]]:
        hive = self._registry.hive("SAM")
        return sam.local_users(hive.value) if isinstance(hive, Known) else hive

    def members(self, *, sid: str) -> Reading[tuple[Member, ...]]:
        hive = self._registry.hive("SAM")
        return sam.members(hive.value, sid) if isinstance(hive, Known) else hive

    def join(self) -> Reading[Join]:
        """Told only where the clues agree: the DNS domain of the machine, how its logon service starts, and its site."""
        domain = self._registry.value(key=_TCPIP, name="NV Domain")
        if isinstance(domain, Absent):
            domain = self._registry.value(key=_TCPIP, name="Domain")
        start = self._registry.value(key=_NETLOGON, name="Start")
        site = self._registry.value(key=_NETLOGON + r"\Parameters", name="DynamicSiteName")
        for reading in (domain, start, site):
            if isinstance(reading, Unknown):
                return reading
        name = domain.value if isinstance(domain, Known) else ""
        automatic = start.value if isinstance(start, Known) else None
        if name and automatic == _AUTO:
            return Known(Join("domain", str(name)), _TCPIP)
        if not name and automatic == _DEMAND and isinstance(site, Absent):
            return Known(Join("workgroup", ""), _TCPIP)
        return Unknown(Cause.UNCONFIRMED, "注册表中的线索不一致，不能确定是否加入了域", _TCPIP)


def _not_absent(reading: Reading[AccountPolicy]) -> Reading[AccountPolicy]:
    # Every Windows has a policy.
    return Unknown(Cause.MALFORMED, "没有账户策略", reading.origin) if isinstance(reading, Absent) else reading
