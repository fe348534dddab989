"""The unit's own settings: the document ``ybscan.site/v1``.

Every setting is optional and ``None`` when it is not written, so that "not configured" and "configured as empty"
stay apart: a check that needs a setting nobody made is unknown with the reason 未配置.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ybscan.model.rule import Bool, Document, Int, Name, Role, RuleId, Text

_DURATION = re.compile(r"(\d{1,6})\s*(m|h|d|w)$")
_DURATION_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_duration(text: str) -> timedelta:
    """``90m``, ``24h``, ``7d`` or ``2w`` as a time span.

    Raises:
        ValueError: with a Chinese message, for anything else.
    """
    m = _DURATION.match(text.strip())
    if m is None:
        raise ValueError("时长应写成数字加单位，例如 90m、24h、7d、2w")
    return int(m[1]) * _DURATION_UNITS[m[2]]


def duration_text(span: timedelta) -> str:
    """A time span in Chinese, in the largest unit that fits exactly."""
    minutes = int(span.total_seconds() // 60)
    for size, word in ((1440, "天"), (60, "小时")):
        if minutes and minutes % size == 0:
            return f"{minutes // size} {word}"
    return f"{minutes} 分钟"


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"“{text[:60]}”不是 IP 地址") from None
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"“{text[:60]}”不是网段，应类似 10.20.0.0/16") from None
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
Port = Annotated[Int, Field(ge=1, le=65535)]


class Unit(Document):
    """Who reports."""

    name: Text = Field(description="单位全称")
    kind: Literal["hospital", "clinic", "pharmacy", "agency", "company"] = Field(description="单位类型")
    self: Text | None = Field(default=None, description="报告中的自称，例如 我院、我店、我局")


class People(Document):
    """Who signs; blank lines are printed otherwise."""

    inspector: Text | None = None
    reviewer: Text | None = None
    leader: Text | None = None


class Terminal(Document):
    """This terminal, where no register is given."""

    id: Text
    department: Text | None = None
    role: Role = Role.SETTLEMENT
    owner: Text | None = None
    hostname: Text | None = None
    mac: Text | None = None
    ip: Text | None = None


class NetworkSettings(Document):
    """The approved network."""

    gateways: tuple[Address, ...] | None = Field(default=None, description="批准的网关")
    networks: tuple[Network, ...] | None = Field(default=None, description="批准的网段")
    dns: tuple[Address, ...] | None = Field(default=None, description="批准的 DNS 服务器")
    vpn: tuple[Text, ...] | None = Field(default=None, description="批准的 VPN：接口名、连接名或产品名，可用 * 通配")
    proxies: tuple[Text, ...] | None = Field(default=None, description="批准的代理，主机:端口")
    hosts: dict[str, Address] | None = Field(default=None, description="批准的 hosts 条目：域名 → 地址")
    interfaces_allowed: tuple[Text, ...] | None = Field(default=None, description="批准启用的网络接口")


class Egress(Document):
    """The active Internet probe. Off unless the unit turns it on in writing."""

    active: Bool = False
    targets: tuple[Text, ...] = Field(default=(), description="探测目标，地址:端口")
    authorised_by: Text | None = Field(default=None, description="批准主动探测的文号，写入报告")


class TimeSettings(Document):
    servers: tuple[Text, ...] | None = None


class Antivirus(Document):
    products: tuple[Text, ...] | None = None
    max_signature_age_days: Int | None = Field(default=None, ge=1)


class Updates(Document):
    server: Text | None = None
    vendor_eol: dict[str, Text] | None = None


class Logs(Document):
    central: Bool | None = None
    archive: tuple[Text, ...] | None = None


class Data(Document):
    programs: tuple[Text, ...] | None = None
    databases: tuple[Text, ...] | None = None
    baseline: Text | None = None


class Usb(Document):
    """How removable media are handled."""

    profile: Literal["closed", "registered", "read-only"] = "closed"
    registered: tuple[Text, ...] | None = Field(default=None, description="已登记介质的序列号")


class RequiredSoftware(Document):
    """A program that has to be there, by any of its traces."""

    name: Text
    package: Text | None = None
    process: Text | None = None
    service: Text | None = None


class Software(Document):
    allowed: tuple[Text, ...] | None = Field(default=None, description="允许的软件，可用 * 通配")
    required: tuple[RequiredSoftware, ...] | None = None
    extra_forbidden: tuple[Text, ...] | None = Field(default=None, description="本单位另行禁止的软件，可用 * 通配")


class Accounts(Document):
    admins: tuple[Text, ...] | None = None
    service: tuple[Text, ...] | None = None
    left: tuple[Text, ...] | None = None


class Services(Document):
    needed: tuple[Text, ...] | None = None


class AllowedPort(Document):
    """A listener the unit approved."""

    proto: Literal["tcp", "udp"]
    port: Port
    from_: tuple[Network, ...] | None = Field(default=None, alias="from")
    reason: Text


class Ports(Document):
    allowed: tuple[AllowedPort, ...] | None = None


class BackupLocation(Document):
    """A place where backups lie."""

    path: Text = Field(description="备份所在文件夹")
    pattern: Text = Field(default="*", description="备份文件名，可用 * 通配")
    kind: Literal["full", "incremental", "log", "system"] = "full"
    tier: Literal["daily", "weekly", "monthly", "yearly"] = "daily"
    min_bytes: Int = Field(default=1, ge=0)
    max_age: Duration | None = None


class RestoreTest(Document):
    """A recovery drill, as the unit's ledger has it."""

    date: Text
    person: Text
    document: Text
    result: Literal["success", "failure"]


class BackupJob(Document):
    """The scheduled job that makes the backups: a systemd timer or service, a cron command, a Windows task."""

    name: Text
    kind: Literal["timer", "cron", "task"]


class Backup(Document):
    data: tuple[Text, ...] | None = Field(default=None, description="业务数据所在文件夹")
    locations: tuple[BackupLocation, ...] | None = None
    jobs: tuple[BackupJob, ...] | None = None
    max_age: Duration = "24h"
    restore_tests: tuple[RestoreTest, ...] | None = None


class Delegation(Document):
    """A declared endpoint-control product that owns a control."""

    owns: Name
    product: Text
    process: Text


class Site(Document):
    """The whole site file."""

    schema_: Literal["ybscan.site/v1"] = Field(default="ybscan.site/v1", alias="schema")
    unit: Unit | None = None
    people: People = People()
    terminals: Text | None = None
    terminal: Terminal | None = None
    network: NetworkSettings = NetworkSettings()
    egress: Egress = Egress()
    reach: tuple[Literal["backup-share", "domain", "directory", "ntp", "tls"], ...] = ()
    time: TimeSettings = TimeSettings()
    antivirus: Antivirus = Antivirus()
    updates: Updates = Updates()
    logs: Logs = Logs()
    data: Data = Data()
    usb: Usb = Usb()
    software: Software = Software()
    accounts: Accounts = Accounts()
    services: Services = Services()
    ports: Ports = Ports()
    backup: Backup = Backup()
    delegations: tuple[Delegation, ...] = ()
    params: dict[RuleId, dict[Name, Any]] = Field(default_factory=dict)
    waivers: Text | None = None
    state: Text | None = None


def setting(site: Site, dotted: str) -> Any:
    """The setting at ``section.key``; None when the site file does not have it.

    Raises:
        KeyError: no such setting exists in the document type.
    """
    here: Any = site
    for step in dotted.split("."):
        if here is None:
            return None
        if not isinstance(here, Document) or step not in type(here).model_fields:
            raise KeyError(dotted)
        here = getattr(here, step)
    return here
