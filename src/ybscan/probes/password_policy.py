"""What the system demands of new passwords: length, kinds of characters, old passwords.

On Linux the PAM stacks decide through which people change passwords: ``passwd`` and the services of consoles and display
managers, which ask for a new password when the old one has expired. login.defs is ignored by PAM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Kind
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._directory import directory_accounts
from ybscan.probes._pam import chain, has_service, installed
from ybscan.probes._pam_stacks import PasswordRules, password_rules, weakest
from ybscan.probes.base import Context, Probe

#: Services that ask for a new password. ``passwd`` always counts, the others where they exist.
_SERVICES = ("passwd", "login", "lightdm", "gdm-password", "sddm", "lxdm", "sshd")
_DEBIAN = re.compile(r"^(debian|ubuntu|uos|uniontech|deepin|kylin|openkylin|ubuntukylin|linuxmint|nfs|nfsdesktop)\b")


class PasswordPolicyProbe(Probe):
    """The rules that a new password of an ordinary local account meets."""

    name = "password_policy"
    title = "口令策略"
    facts = (
        FactSpec(
            "min_length", Kind.INTEGER, "口令最小长度", unit="位",
            help="修改口令时真正起作用的最短长度：取各修改口令途径中最弱的一个；同一途径有多个模块时取最严的一个。",
            linux="PAM 的 password 配置及 pwquality.conf、dde.conf 等",
            windows="NetUserModalsGet(0) 的 min_passwd_len；离线时为 SAM 中的同一策略",
        ),
        FactSpec(
            "classes", Kind.INTEGER, "口令须含的字符类别数", unit="类",
            help="新口令至少要含几类字符（大写字母、小写字母、数字、其他符号）。", linux="同上，minclass 与负的 credit 值",
            windows="本机口令策略的“密码必须符合复杂性要求”（PasswordProperties）；启用记为 3，未启用记为 0",
        ),
        FactSpec(
            "history", Kind.INTEGER, "不得重复使用的历史口令个数", unit="个",
            linux="pam_pwhistory 的 remember 与 pwhistory.conf，pam_unix 的 remember",
            windows="NetUserModalsGet(0) 的 password_hist_len",
        ),
        FactSpec(
            "other_checks", Kind.BOOLEAN, "其他口令模块的效果", words=("能满足本项要求", "没有或不能满足本项要求"),
            help="另有本程序不能识别或不能读取的口令模块时为未知，没有这类模块时为“没有”。",
            linux="PAM 的 password 配置中的其他模块", windows="Lsa 的 Notification Packages",
        ),
        FactSpec(
            "other_history", Kind.BOOLEAN, "其他历史口令模块的效果", words=("能满足本项要求", "没有或不能满足本项要求"),
            linux="PAM 的 password 配置中的其他模块", windows="Lsa 的 Notification Packages",
        ),
        FactSpec(
            "reversible", Kind.BOOLEAN, "用可还原的加密保存口令", words=("已启用", "未启用"),
            help="启用后口令可以还原成明文，等于明文保存。",
            windows="本机口令策略的“用可还原的加密来储存密码”（PasswordProperties）",
        ),
        FactSpec(
            "for_root", Kind.BOOLEAN, "管理员设置口令时同样受限", words=("是", "否"),
            help="只作说明：多数系统中 root 为他人设置口令不受长度和复杂度限制。", linux="enforce_for_root",
        ),
        FactSpec(
            "directory_accounts", Kind.BOOLEAN, "策略不在本机的目录（域）账户", words=("有", "没有"),
            help="使用域账户时为未知：域的口令策略在目录服务器上，本机无法读取。",
            linux="/etc/nsswitch.conf 与 sssd、winbind、nslcd 的配置",
            windows="NetGetJoinInformation，CloudDomainJoin\\JoinInfo（Entra ID）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        found = _rules(host)
        there = directory_accounts(host)
        directory: Fact = Known(there.value, there.origin) if isinstance(there, Known) else there
        if isinstance(found, Unknown):
            return {**dict.fromkeys((s.name for s in self.facts), found), "directory_accounts": directory}
        rules, origin = found
        demands = rules.demands
        length: Fact = Known(demands.min_length, origin)
        if not rules.length_known:
            length = Unknown(Cause.UNAVAILABLE, "pam_unix 没有写明 minlen，其默认长度因系统而异", origin)
        return {
            "directory_accounts": directory,
            "min_length": length,
            "classes": Known(demands.classes, origin),
            "history": Known(demands.history, origin),
            "other_checks": _others(rules.doubts, origin),
            "other_history": _others(rules.history_doubts, origin),
            "for_root": Known(demands.for_root, origin),
            "reversible": Unknown(Cause.UNSUPPORTED, "Linux 没有这项设置"),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.passwords import password_policy

        return password_policy(host)


def _others(doubts: tuple[str, ...], origin: str) -> Fact:
    return Unknown(Cause.UNCONFIRMED, "；".join(doubts), origin) if doubts else Known(False, origin)


def _rules(host: Host) -> tuple[PasswordRules, str] | Unknown:
    present = installed(host)
    found: list[tuple[PasswordRules, str]] = []
    for service in _SERVICES:
        own = has_service(host, service)
        if isinstance(own, Unknown):
            return own
        if service != "passwd" and not isinstance(own, Known):
            continue
        modules = chain(host, service, "password", present)
        if isinstance(modules, Unknown):
            return modules
        if not isinstance(modules, Known):
            return Unknown(Cause.UNAVAILABLE, f"{modules.origin} 没有口令修改配置", modules.origin)
        debian = _debian(host) and any(m.source.endswith("/common-password") for m in modules.value)
        rules = password_rules(host, modules.value, debian=debian)
        if isinstance(rules, Unknown):
            return rules
        found.append((rules, own.origin))
    # The one with the weakest length names the source; the others are told apart only by their values.
    origin = min(found, key=lambda f: (f[0].demands.min_length, f[0].demands.classes))[1]
    return weakest([r for r, _ in found]), origin


def _debian(host: Host) -> bool:
    identity = host.system.identity()
    return isinstance(identity, Known) and bool(_DEBIAN.match(identity.value.os_id))


PROBES = (PasswordPolicyProbe(),)
