"""Whether logging in to the terminal takes more than a password."""

from __future__ import annotations

from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._pam import chain, has_service, installed
from ybscan.probes._pam_factors import factors
from ybscan.probes.base import Context, Probe
from ybscan.probes.lockout import LOGIN_SERVICES

_ELSEWHERE = "医保信息系统登录时的双因素鉴别（UKey、短信、人脸等）在业务系统中，由单位人工确认"


class SecondFactorProbe(Probe):
    """The factors that each way of logging in demands."""

    name = "second_factor"
    title = "双因素鉴别"
    facts = (
        FactSpec(
            "ways", Kind.ITEMS, "各登录途径的鉴别因素",
            help="推演登录配置得出：只凭口令能否登录，只凭指纹、UKey 等能否登录。",
            linux="PAM 的 auth 配置中的 pam_fprintd、pam_u2f、pam_pkcs11、pam_oath 等",
            windows="ScForceOption，Credential Providers 与 Credential Provider Filters 中不是系统自带的",
            fields=(
                Field("way", Kind.TEXT, "登录途径"),
                Field("factors", Kind.INTEGER, "至少需要的鉴别因素", "个"),
                Field("elsewhere", Kind.BOOLEAN, "业务系统另有双因素鉴别"),
                Field("path", Kind.TEXT, "配置文件"),
            ),
            summary="{way}（至少需要的鉴别因素 {factors}，{path}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        present = installed(host)
        elsewhere = Unknown(Cause.UNCONFIRMED, _ELSEWHERE)
        items: list[Item] = []
        gaps: list[Gap] = []
        for service, words in LOGIN_SERVICES.items():
            own = has_service(host, service)
            if isinstance(own, Unknown):
                gaps.append(own.as_gap())
            if not isinstance(own, Known):
                continue
            modules = chain(host, service, "auth", present)
            count: FieldValue = Unknown(Cause.UNAVAILABLE, f"{own.value} 没有登录配置")
            if isinstance(modules, Unknown):
                count = modules
            elif isinstance(modules, Known):
                count = factors(modules.value)
            if service == "sshd" and count == 2:
                count = Unknown(Cause.UNCONFIRMED, "SSH 密钥登录不经过 PAM，不能确认是否都需要第二种鉴别")
            items.append({"way": words, "factors": count, "elsewhere": elsewhere, "path": own.value})
        if not items:
            why = gaps[0] if gaps else Gap(Cause.UNAVAILABLE, "没有找到可识别的登录配置", "/etc/pam.d")
            return {"ways": Unknown(why.cause, why.detail, why.origin)}
        return {"ways": Known(tuple(items), "/etc/pam.d", tuple(gaps))}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.logon import factor_ways

        return {"ways": factor_ways(host, Unknown(Cause.UNCONFIRMED, _ELSEWHERE))}


PROBES = (SecondFactorProbe(),)
