"""The unit's own settings: the document ``ybscan.site/v1``.

Every setting is optional and ``None`` when it is not written, so that "not configured" and "configured as empty"
stay apart: a check that needs a setting nobody made is unknown with the reason 未配置.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from ybscan.model.rule import Bool, Day, Document, Int, Name, Role, RuleId, Text

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


def _file_pattern(text: str) -> str:
    if "/" in text or "\\" in text:
        raise ValueError("文件名不能含路径分隔符，文件夹请写在 path 中")
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
    ip_mode: Literal["static", "dhcp-reserved"] = Field(
        default="static", description="地址方式：static 手工固定，dhcp-reserved 由 DHCP 按登记保留固定地址"
    )
    admission: tuple[Text, ...] | None = Field(
        default=None, description="批准的入网准入方式：802.1x，或准入客户端的产品名、进程名；确实没有准入措施时写空清单"
    )


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
    """The medical-insurance client and its local data."""

    programs: tuple[Text, ...] | None = Field(default=None, description="医保程序所在文件夹")
    databases: tuple[Text, ...] | None = Field(default=None, description="本地数据库文件或其文件夹")
    writers: tuple[Text, ...] | None = Field(default=None, description="批准改写本地数据库的普通账户")
    baseline: Text | None = Field(default=None, description="基线文件，由 ybscan baseline 生成")


class UploadMark(Document):
    """A log in which the client says that an upload succeeded."""

    title: Text = Field(description="业务名称，例如 结算数据上传")
    path: Text = Field(description="日志所在文件夹")
    pattern: Annotated[Text, AfterValidator(_file_pattern)] = Field(description="日志文件名，可用 * 通配")
    text: Annotated[Text, StringConstraints(min_length=2, max_length=200)] = Field(
        description="上传成功的那一行中固定出现的文字（不是正则表达式）"
    )


class UploadQueue(Document):
    """A folder in which files wait to be uploaded."""

    title: Text = Field(description="业务名称")
    path: Text = Field(description="待上传文件所在文件夹")
    pattern: Annotated[Text, AfterValidator(_file_pattern)] = Field(
        default="*", description="待上传文件名，可用 * 通配"
    )


class Upload(Document):
    """How the terminal shows that its data reached the medical-insurance centre."""

    marks: tuple[UploadMark, ...] | None = Field(default=None, description="上传成功的日志")
    queues: tuple[UploadQueue, ...] | None = Field(default=None, description="待上传队列")
    rest_weekdays: tuple[Annotated[Int, Field(ge=1, le=7)], ...] = Field(
        default=(), description="每周不营业的日子，1 为星期一，7 为星期日"
    )
    holidays: tuple[Day, ...] = Field(default=(), description="停业的日期")


class RecordFolder(Document):
    """A folder in which records have to be kept for a time."""

    title: Text = Field(description="记录名称，例如 购药明细")
    path: Text = Field(description="存放文件夹")
    pattern: Annotated[Text, AfterValidator(_file_pattern)] = Field(default="*", description="文件名，可用 * 通配")
    months: Annotated[Int, Field(ge=24, le=1200)] = Field(default=24, description="应保存多少个月，不少于 24")
    since: Day | None = Field(default=None, description="开始使用的日期；此前没有记录不算缺漏")


class Records(Document):
    """Electronic records kept on this terminal."""

    folders: tuple[RecordFolder, ...] | None = Field(default=None, description="记录存放位置")


class LinkGateway(Document):
    """A device or client that encrypts the way to the platform, as the unit's papers have it."""

    kind: Literal["tlcp", "ipsec", "ssl-vpn"] = Field(
        description="tlcp 国密 TLCP 网关，ipsec IPSec VPN，ssl-vpn SSL VPN"
    )
    product: Text = Field(description="产品名称")
    document: Text = Field(description="批准或验收文件编号")


class Encryption(Document):
    """What the unit's scheme says about encryption."""

    storage: Literal["required", "not-required"] | None = Field(
        default=None, description="单位方案是否要求本终端的磁盘加密：required 要求，not-required 不要求"
    )
    platform: Text | None = Field(
        default=None, description="医保平台地址，例如 https://ybpt.example:8443（也可写 http://、主机:端口）"
    )
    gateway: LinkGateway | None = Field(default=None, description="承担链路加密的网关或 VPN；没有时不写")


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


def _job(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class BackupLocation(Document):
    """A place where backups lie."""

    path: Text = Field(description="备份所在文件夹，例如 /backup/his、D:\\backup\\his、\\\\服务器\\共享\\his")
    pattern: Annotated[Text, AfterValidator(_file_pattern)] = Field(default="*", description="备份文件名，可用 * 通配")
    kind: Literal["full", "incremental", "log", "system"] = Field(
        default="full", description="full 全量，incremental 增量，log 日志，system 整个系统"
    )
    tier: Literal["daily", "weekly", "monthly", "yearly"] = Field(
        default="daily", description="备份层级：日、周、月、年"
    )
    min_bytes: Int = Field(default=1, ge=0, description="一份备份至少多大（字节），小于它视为无效")
    max_age: Duration | None = Field(default=None, description="最新一份最多多旧；不写时日备份用 backup.max_age")


class RestoreTest(Document):
    """A recovery drill, as the unit's ledger has it."""

    date: Day = Field(description="演练日期")
    person: Text = Field(description="负责人")
    document: Text = Field(description="记录编号")
    result: Literal["success", "failure"] = Field(description="success 恢复成功，failure 恢复失败")


class BackupJob(Document):
    """The scheduled job that makes the backups. Written as a plain name, every kind of the system is looked through."""

    name: Text = Field(description="systemd 定时器或服务名、cron 命令中的脚本名、Windows 计划任务名")
    kind: Literal["timer", "cron", "task"] | None = Field(
        default=None, description="timer systemd 定时器，cron，task Windows 计划任务"
    )
    max_age: Duration | None = Field(default=None, description="上次执行最多多久以前；不写时用 backup.max_age")


class Backup(Document):
    """Where the unit's backups lie and what makes them."""

    data: tuple[Text, ...] | None = Field(default=None, description="业务数据所在文件夹")
    locations: tuple[BackupLocation, ...] | None = Field(default=None, description="备份存放位置")
    jobs: tuple[Annotated[BackupJob, BeforeValidator(_job)], ...] | None = Field(default=None, description="备份任务")
    max_age: Duration = Field(default="24h", description="最新备份最多多旧")
    restore_tests: tuple[RestoreTest, ...] | None = Field(default=None, description="恢复演练记录")


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
    upload: Upload = Upload()
    records: Records = Records()
    encryption: Encryption = Encryption()
    usb: Usb = Usb()
    software: Software = Software()
    accounts: Accounts = Accounts()
    services: Services = Services()
    ports: Ports = Ports()
    backup: Backup = Backup()
    delegations: tuple[Delegation, ...] = ()
    params: dict[RuleId, dict[Name, Any]] = Field(default_factory=dict)
    waivers: Text | None = None
    rules: Text | None = Field(default=None, description="本单位自己的规则包文件夹，排在标准规则之后")
    answers: Text | None = Field(default=None, description="人工确认的答复文件，由 ybscan attest 生成")
    calendar: Text | None = Field(default=None, description="检查日历文件：因放假、调休改动的星期五")
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
