"""Whether an account is locked after wrong passwords, for every way people log in."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown
from ybscan.probes._pam import Chain, chain, has_service, installed
from ybscan.probes._pam_stacks import exempt, lockout, opens_to_anyone
from ybscan.probes._sshd_config import read_sshd_config
from ybscan.probes.base import Context, Probe

#: Services that people log in through, with the words for the report.
LOGIN_SERVICES = {
    "login": "字符终端登录", "lightdm": "图形登录 lightdm", "gdm-password": "图形登录 gdm", "sddm": "图形登录 sddm",
    "lxdm": "图形登录 lxdm", "sshd": "SSH 远程登录", "xrdp-sesman": "远程桌面 xrdp",
}  # fmt: skip


class LockoutProbe(Probe):
    """The lockout that the login stacks really give."""

    name = "lockout"
    title = "登录失败处理"
    facts = (
        FactSpec(
            "ways", Kind.ITEMS, "各登录途径的失败锁定",
            help="每个登录途径连续输错多少次口令后锁定账户、锁定多久。次数为 0 表示不锁定，秒数为 0 表示由管理员解锁。",
            linux="PAM 的 auth 配置中的 pam_faillock、pam_tally2 及 faillock.conf",
            windows="NetUserModalsGet(3) 的 lockout_threshold 与 lockout_duration；离线时为 SAM 中的同一策略",
            fields=(
                Field("way", Kind.TEXT, "登录途径"),
                Field("attempts", Kind.INTEGER, "失败次数上限", "次"),
                Field("seconds", Kind.INTEGER, "锁定时长", "秒"),
                Field("for_root", Kind.BOOLEAN, "同样锁定管理员"),
                Field("path", Kind.TEXT, "配置文件"),
            ),
            summary="{way}（失败次数上限 {attempts}，锁定时长 {seconds}，{path}）",
        ),
        FactSpec(
            "open_ways", Kind.ITEMS, "不需要口令的登录途径",
            help="登录配置允许任何人不凭口令登录的途径。", linux="PAM 的 auth 配置",
            fields=(Field("way", Kind.TEXT, "登录途径"), Field("path", Kind.TEXT, "配置文件")),
            summary="{way}（{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        present = installed(host)
        ways: list[Item] = []
        open_ways: list[Item] = []
        gaps: list[Gap] = []
        doubts: list[Gap] = []
        for service, words in LOGIN_SERVICES.items():
            own = has_service(host, service)
            if isinstance(own, Unknown):
                gaps.append(own.as_gap())
            if not isinstance(own, Known):
                continue
            modules = chain(host, service, "auth", present)
            bypassed = _bypassed(host) if service == "sshd" else None
            ways.append(_way(host, words, own.value, bypassed or modules))
            if isinstance(modules, Unknown):
                gaps.append(modules.as_gap())
            elif isinstance(modules, Known):
                opens = opens_to_anyone(modules.value)
                if opens:
                    open_ways.append({"way": words, "path": own.value})
                elif opens is None:
                    doubt = f"{words} 的认证配置中有不能识别的模块或过于复杂，不能确定是否必须输入口令"
                    doubts.append(Gap(Cause.UNCONFIRMED, doubt, own.value))
                doubts.extend(Gap(Cause.UNCONFIRMED, u, own.value) for u in exempt(modules.value).unclear)
        if not ways:
            why = Unknown(Cause.UNAVAILABLE, "没有找到可识别的登录配置", "/etc/pam.d")
            first = _unknown(gaps[0]) if gaps else why
            return {"ways": first, "open_ways": first}
        # A way whose stack could not be read stands in the list with unknown values; that is no gap of the list itself.
        return {
            "ways": Known(tuple(ways), "/etc/pam.d", tuple(g for g in gaps if g.origin not in _origins(ways))),
            "open_ways": Known(tuple(open_ways), "/etc/pam.d", (*gaps, *doubts)),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.passwords import lockout_ways

        return {
            "ways": lockout_ways(host),
            "open_ways": Unknown(Cause.UNSUPPORTED, "Windows 的登录途径都要求口令，空口令见可登录账户"),
        }


def _unknown(gap: Gap) -> Unknown:
    return Unknown(gap.cause, gap.detail, gap.origin)


def _origins(ways: list[Item]) -> set[str]:
    return {w["attempts"].origin for w in ways if isinstance(w["attempts"], Unknown)}


def _bypassed(host: Host) -> Unknown | None:
    """Why PAM does not decide over SSH logins: ``UsePAM`` is off by default, and without it nothing is counted."""
    config = read_sshd_config(host)
    if not isinstance(config, Known):
        return config if isinstance(config, Unknown) else None
    used = config.value.value("usepam", "no")
    if isinstance(used, Unknown) or used == "yes":
        return used if isinstance(used, Unknown) else None
    return Unknown(Cause.UNCONFIRMED, "sshd_config 没有写明 UsePAM yes，SSH 登录不受 PAM 的失败锁定约束", config.origin)


def _way(host: Host, words: str, path: str, modules: Reading[Chain]) -> Item:
    lock = lockout(host, modules.value) if isinstance(modules, Known) else None
    if isinstance(modules, Unknown) or isinstance(lock, Unknown) or lock is None:
        why = next(
            (u for u in (lock, modules) if isinstance(u, Unknown)), Unknown(Cause.UNAVAILABLE, f"{path} 没有登录配置")
        )
        return {"way": words, "attempts": why, "seconds": why, "for_root": why, "path": path}
    return {
        "way": words, "attempts": lock.attempts, "seconds": lock.seconds if lock.attempts else None,
        "for_root": lock.for_root, "path": path,
    }  # fmt: skip


PROBES = (LockoutProbe(),)
