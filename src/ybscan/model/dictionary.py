"""The software detection dictionary: products and the traces they leave, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from ybscan.model.rule import Bool, Day, Document, Role, Severity, Slug, Text

Category = Literal[
    "im", "remote-control", "netdisk", "download", "tunnel", "wifi-sharing", "browser", "entertainment", "game",
    "finance", "mining", "bundleware", "hacking", "virtualization", "outdated", "activator", "security",
    "unit",
]  # fmt: skip

CATEGORY_TEXT: dict[str, str] = {
    "im": "即时通信", "remote-control": "远程控制", "netdisk": "网盘与同步", "download": "下载工具", "tunnel": "代理、VPN 与内网穿透",
    "wifi-sharing": "无线热点共享", "browser": "浏览器", "entertainment": "影音娱乐", "game": "游戏", "finance": "证券行情",
    "mining": "挖矿", "bundleware": "捆绑与流氓软件", "hacking": "黑客、扫描与抓包", "virtualization": "虚拟机与容器",
    "outdated": "高危旧软件", "activator": "非法激活", "security": "安全软件", "unit": "本单位另行禁止",
}  # fmt: skip
"""Categories in Chinese; ``unit`` is what the unit's own settings forbid, and no dictionary file may use it."""


class Traces(Document):
    """What a product leaves on one system.

    An exact name in ``packages`` or ``apps`` is conclusive in a package manager's own record, unless it is listed in
    ``unverified`` (a name nobody has seen on a machine or in a public list) or holds a wildcard. All other traces
    are clues: two of different kinds confirm a product, one does not.
    """

    packages: tuple[Text, ...] = Field(default=(), description="软件包名称；带 * 的只算线索")
    apps: tuple[Text, ...] = Field(default=(), description="flatpak、snap、玲珑、/opt/apps 或 Appx 的应用标识")
    processes: tuple[Text, ...] = Field(default=(), description="进程映像文件名，可用 * 通配")
    services: tuple[Text, ...] = Field(default=(), description="服务名（Linux 不写 .service），可用 * 通配")
    paths: tuple[Text, ...] = Field(
        default=(), description="安装路径；最后一段可用 * 通配，~ 开头的在每个用户目录下查找"
    )
    signers: tuple[Text, ...] = Field(default=(), description="签名者的正则表达式")
    keys: tuple[Text, ...] = Field(default=(), description="Windows 卸载注册表键名或 ProductCode 的准确名称")
    inbox: int | None = Field(
        default=None,
        ge=7600,
        le=99999,
        description="仅 Windows：从这一内部版本号（build）起为系统自带；在 review 的终端上，没有人登录使用的不计",
    )
    unverified: tuple[Text, ...] = Field(
        default=(), description="上述名称中凭记忆写入、未见于实机或公开清单的；它们不能单独确认"
    )

    def all_names(self) -> tuple[str, ...]:
        """Every trace that ``unverified`` may name."""
        return (*self.packages, *self.apps, *self.processes, *self.services, *self.paths, *self.signers, *self.keys)

    @model_validator(mode="after")
    def _unverified_exist(self) -> Self:
        for name in self.unverified:
            if name not in self.all_names():
                raise ValueError(f"unverified 中的“{name}”不在本节的名称之中")
        return self


class AntivirusTraits(Document):
    """What makes a product an antivirus product."""

    vendor: Text = Field(description="厂商")
    domestic: Bool | None = Field(default=None, description="是否国产；一个条目含多个厂商的不写")
    realtime: tuple[Text, ...] = Field(
        default=(), description="Linux 上实时防护的进程名，运行即表示实时防护开启；不清楚的不写，判为无法判定"
    )


class Product(Document):
    """One product of the dictionary."""

    id: Slug
    name: Text
    category: Category
    severity: Severity
    roles: tuple[Role, ...] = Field(default=(Role.SETTLEMENT, Role.OFFICE), description="在哪些终端上禁止")
    review: tuple[Role, ...] = Field(
        default=(), description="在哪些终端上不一律禁止、命中后须人工核实（双用途、系统自带、可经批准使用）"
    )
    names: tuple[Text, ...] = Field(default=(), description="显示名称的正则表达式（不区分大小写、全角半角）")
    not_names: tuple[Text, ...] = Field(default=(), description="名称与此匹配的不算（例如输入法）")
    windows: Traces = Traces()
    linux: Traces = Traces()
    antivirus: AntivirusTraits | None = Field(default=None, description="杀毒软件才写")
    confidence: Literal["verified", "memory"] = Field(
        description="verified：名称见于公开清单或实机；memory：凭记忆，单独命中只能待核实"
    )
    source: Text = Field(description="识别线索的来源")
    checked: Day = Field(description="核对日期")
    note: str = ""

    @model_validator(mode="after")
    def _roles_apart(self) -> Self:
        if self.category == "unit":
            raise ValueError("类别 unit 只用于 site.yml 的 software.extra_forbidden")
        both = set(self.roles) & set(self.review)
        if both:
            raise ValueError(f"终端角色 {'、'.join(sorted(both))} 同时写在 roles 和 review 中")
        if not (self.names or self.windows.all_names() or self.linux.all_names()):
            raise ValueError("没有任何识别线索")
        return self

    def unverified(self, traces: Traces, name: str) -> bool:
        """Whether a trace of this product stands on memory alone."""
        return self.confidence == "memory" or name in traces.unverified


class DictionaryFile(Document):
    """One file of ``rules/software/``."""

    schema_: Literal["ybscan.software/v1"] = Field(alias="schema")
    id: Slug
    title: Text
    version: Text
    date: Day
    products: tuple[Product, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All products of all files, in file order."""

    products: tuple[Product, ...] = ()
    date: str = ""
    """ISO date of the oldest file."""
