"""The software detection dictionary: products and the traces they leave, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ybscan.model.rule import Day, Document, Role, Severity, Slug, Text

Category = Literal[
    "im", "remote-control", "netdisk", "download", "tunnel", "wifi-sharing", "browser", "entertainment", "game",
    "finance", "mining", "bundleware", "hacking", "virtualization", "outdated", "activator", "security",
]  # fmt: skip


class Traces(Document):
    """What a product leaves on one system. ``exact`` names are conclusive in a package manager's own record."""

    packages: tuple[Text, ...] = Field(default=(), description="软件包准确名称（包管理器登记即可确认）")
    names: tuple[Text, ...] = Field(default=(), description="显示名称的正则表达式（不区分大小写、全角半角）")
    processes: tuple[Text, ...] = Field(default=(), description="进程映像文件名，可用 * 通配")
    services: tuple[Text, ...] = Field(default=(), description="服务名，可用 * 通配")
    paths: tuple[Text, ...] = Field(default=(), description="安装路径，可用 * 通配")
    signers: tuple[Text, ...] = Field(default=(), description="签名者的正则表达式")
    apps: tuple[Text, ...] = Field(default=(), description="flatpak、snap、玲珑、/opt/apps 或 Appx 的应用标识")


class Product(Document):
    """One product of the dictionary."""

    id: Slug
    name: Text
    category: Category
    severity: Severity
    roles: tuple[Role, ...] = Field(default=(Role.SETTLEMENT, Role.OFFICE), description="在哪些终端上禁止")
    windows: Traces = Traces()
    linux: Traces = Traces()
    not_names: tuple[Text, ...] = Field(default=(), description="名称与此匹配的不算（例如输入法）")
    confidence: Literal["verified", "memory"]
    note: str = ""


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
