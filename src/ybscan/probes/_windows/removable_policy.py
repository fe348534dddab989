"""The policy "removable storage access": which classes of devices nobody may read from or write to.

Sources: Policy CSP ADMX_RemovableStorage (key ``RemovableStorageDevices``, ``Deny_All``, a subkey per class with
``Deny_Read`` and ``Deny_Write``, ``Custom\\Deny_…\\List``; a change takes effect with the next start of the system);
guid-devinterface-volume, -disk, -cdrom and -wpd of the driver documentation.

The class of removable disks is the interface class of volumes. Whether it also holds for USB hard disks, which call
themselves fixed, is told in contradictory ways: it alone is therefore never taken for a closed door. ``Deny_All``, or
that class together with the interface class of disks, is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._windows.people import directory_accounts
from ybscan.probes._windows.settings import NO_SUCH_SOURCE, flag, home_doubt

_POLICY = r"Policies\Microsoft\Windows\RemovableStorageDevices"
MACHINE = rf"HKLM\SOFTWARE\{_POLICY}"
VOLUMES = "{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}"
DISKS = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
OPTICAL = "{53f56308-b6bf-11d0-94f2-00a0c91efb8b}"
PHONES = ("{6AC27878-A6FA-4155-BA85-F98F491D4F33}", "{F33FDC04-D1AC-4E8E-9A30-19BBD4B108AE}")
READ_AND_WRITE = ("Deny_Read", "Deny_Write")
WRITE = ("Deny_Write",)

_ONLY_VOLUMES = "策略只拒绝“可移动磁盘”类，自称固定磁盘的移动硬盘是否受限不能确定，应拒绝所有可移动存储类"
_ONLY_DISKS = "策略只拒绝磁盘接口类，没有拒绝“可移动磁盘”类，应拒绝所有可移动存储类"


@dataclass(slots=True)
class _Scope:
    """The policy of the machine, or of one person. ``used`` are the keys that the answer rests on."""

    host: Host
    base: str
    used: list[str] = field(default_factory=list)

    def denies(self, guid: str, rights: tuple[str, ...]) -> bool | Unknown:
        """Whether every one of ``rights`` is denied for the class."""
        everything = self._flag(self.base, "Deny_All")
        if everything is not False:
            return everything
        doubt: Unknown | None = None
        for right in rights:
            one = self._right(guid, right)
            if one is False:
                return False
            if isinstance(one, Unknown):
                doubt = one
        return doubt or True

    def _right(self, guid: str, right: str) -> bool | Unknown:
        own = self._flag(f"{self.base}\\{guid}", right)
        if own is True:
            return True
        custom = self._flag(f"{self.base}\\Custom\\{right}", right)
        if custom is True:
            custom = self._listed(f"{self.base}\\Custom\\{right}\\List", guid)
        if custom is True:
            return True
        return next((a for a in (own, custom) if isinstance(a, Unknown)), False)

    def _flag(self, key: str, name: str) -> bool | Unknown:
        values = self.host.registry.values(key=key)
        if isinstance(values, Unknown):
            return values
        found = flag(values, name, key) if isinstance(values, Known) else False
        if found is True and key not in self.used:
            self.used.append(key)
        return found

    def _listed(self, key: str, guid: str) -> bool | Unknown:
        values = self.host.registry.values(key=key)
        if isinstance(values, Unknown):
            return values
        if not isinstance(values, Known):
            return False
        # What is no text is no entry of the list.
        if guid.lower() in [v.strip().lower() for v in values.value.values() if isinstance(v, str)]:
            if key not in self.used:
                self.used.append(key)
            return True
        return next((Unknown(g.cause, g.detail, g.origin) for g in values.gaps), False)


def disks_closed(host: Host, rights: tuple[str, ...] = READ_AND_WRITE) -> Reading[bool]:
    """Whether nobody has ``rights`` on USB disks of any kind."""

    def judge(scope: _Scope) -> bool | Unknown:
        volumes, disks = scope.denies(VOLUMES, rights), scope.denies(DISKS, rights)
        if volumes is disks:
            return volumes
        doubt = next((a for a in (volumes, disks) if isinstance(a, Unknown)), None)
        return doubt or Unknown(Cause.UNCONFIRMED, _ONLY_VOLUMES if volumes else _ONLY_DISKS, scope.base)

    return _for_everybody(host, judge)


def optical_closed(host: Host) -> Reading[bool]:
    """Whether nobody may read or write discs."""
    return _for_everybody(host, lambda scope: scope.denies(OPTICAL, READ_AND_WRITE))


def phones_closed(host: Host) -> Reading[bool]:
    """Whether nobody may exchange files with phones and cameras (WPD devices)."""
    return _for_everybody(host, lambda scope: _all(*(scope.denies(g, READ_AND_WRITE) for g in PHONES)))


def _all(*answers: bool | Unknown) -> bool | Unknown:
    if any(a is False for a in answers):
        return False
    return next((a for a in answers if isinstance(a, Unknown)), True)


def _for_everybody(host: Host, judge: Callable[[_Scope], bool | Unknown]) -> Reading[bool]:
    machine = _Scope(host, MACHINE)
    answer = judge(machine)
    if answer is True:
        return in_force(host, tuple(machine.used))
    people = list(_people(host, judge))
    if any(p is False for p in people) or not people:
        return answer if isinstance(answer, Unknown) else Known(False, MACHINE)
    doubt = next((p for p in people if isinstance(p, Unknown)), None) or _others(host)
    if doubt is not None:
        return answer if isinstance(answer, Unknown) else doubt
    return Known(True, "各用户的 RemovableStorageDevices 策略")


def _people(host: Host, judge: Callable[[_Scope], bool | Unknown]) -> Iterator[bool | Unknown]:
    """What the policy of each person with a profile comes to."""
    users = host.registry.users()
    if not isinstance(users, Known):
        yield users if isinstance(users, Unknown) else Unknown(Cause.UNAVAILABLE, "没有用户列表")
        return
    for gap in users.gaps:
        yield Unknown(gap.cause, gap.detail, gap.origin)
    for user in users.value:
        scope = _Scope(host, rf"HKU\{user.sid}\Software\{_POLICY}")
        answer = judge(scope)
        if answer is True:
            reading = in_force(host, tuple(scope.used))
            answer = reading.value if isinstance(reading, Known) else _as_unknown(reading)
        yield answer


def _others(host: Host) -> Unknown | None:
    """Why a policy of every person with a profile may still not be one for everybody."""
    directory = directory_accounts(host)
    if not isinstance(directory, Known):
        return _as_unknown(directory)
    accounts = host.accounts.local_users()
    if not isinstance(accounts, Known):
        return _as_unknown(accounts)
    if accounts.gaps:
        return Unknown(accounts.gaps[0].cause, accounts.gaps[0].detail, accounts.gaps[0].origin)
    users = host.registry.users()
    rids = {u.sid.rpartition("-")[2] for u in users.value} if isinstance(users, Known) else set()
    new = [a.name for a in accounts.value if not a.disabled and str(a.rid) not in rids]
    if new:
        return Unknown(Cause.UNCONFIRMED, f"策略只对已登录过的用户设置，账户 {'、'.join(new)} 登录后是否受限不能确定")
    return None


def _as_unknown(reading: object) -> Unknown:
    return reading if isinstance(reading, Unknown) else Unknown(Cause.UNAVAILABLE, "系统没有给出账户信息")


def in_force(host: Host, keys: tuple[str, ...]) -> Reading[bool]:
    """Known(True), unless what the policy rests on was written after the last start, or the edition may not heed it.

    On a disk that lies still the policy holds from the next start on. Of a terminal that runs, the time has to be known:
    a policy that was set a minute ago keeps nothing out yet.
    """
    home = home_doubt(host)
    if home is not None:
        return home
    boot = host.system.boot_time()
    if isinstance(boot, Unknown) and boot.cause is not Cause.UNSUPPORTED:
        return boot
    for key in keys:
        written = host.registry.written(key=key)
        if isinstance(written, Unknown) and written.cause not in NO_SUCH_SOURCE:
            return written
        if isinstance(boot, Known) and not isinstance(written, Known):
            why = "没有策略的写入时间，不能确定写入之后重新启动过；请核实，或在终端上直接检查"
            return Unknown(Cause.UNCONFIRMED, why, key)
        if isinstance(boot, Known) and isinstance(written, Known) and written.value > boot.value:
            return Unknown(Cause.UNCONFIRMED, "策略在本次开机之后才写入或改动，重新启动后才确定生效", key)
    return Known(True, "、".join(keys) or MACHINE)


_WRITE_PROTECT = r"HKLM\SYSTEM\CurrentControlSet\Control\StorageDevicePolicies"


def write_protected(host: Host, *, without_uas: bool | Unknown) -> Reading[bool]:
    """Whether ``WriteProtect`` keeps USB disks from being written.

    It is known to hold for disks behind the USB storage driver; for UAS disks nothing is verified, so it counts where
    there can be none (``without_uas``).
    """
    values = host.registry.values(key=_WRITE_PROTECT)
    if isinstance(values, Unknown):
        return values
    if isinstance(values, Absent):
        return Known(False, _WRITE_PROTECT)
    on = flag(values, "WriteProtect", _WRITE_PROTECT)
    if on is not True:
        return on if isinstance(on, Unknown) else Known(False, _WRITE_PROTECT)
    if without_uas is True:
        return in_force(host, (_WRITE_PROTECT,))
    if isinstance(without_uas, Unknown):
        return without_uas
    return Unknown(Cause.UNCONFIRMED, "已设置 WriteProtect，但对 UAS 移动硬盘是否有效不能确定", _WRITE_PROTECT)
