"""Rules, packs and waivers as documents: frozen, strict, unknown keys forbidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from ybscan.model.expression import Expression

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,11}-[0-9]{2,3}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
ClauseId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Int = Annotated[int, Strict()]
Bool = Annotated[bool, Strict()]


def _iso(value: object) -> object:
    if not isinstance(value, (str, date)):
        raise ValueError("日期应写成 2026-12-31 的形式")
    return value


Day = Annotated[date, BeforeValidator(_iso)]


class Document(BaseModel):
    """What all our documents share: frozen, no unknown keys. Numbers and booleans use the strict types above."""

    # Validators are built when a document is first read: --help and most scans need few of them.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Severity(StrEnum):
    """How grave a 不符合 is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def text(self) -> str:
        """In Chinese, as the report prints it."""
        return {"critical": "严重", "high": "高", "medium": "中", "low": "低"}[self.value]


class Role(StrEnum):
    """What a terminal is used for."""

    SETTLEMENT = "settlement"
    OFFICE = "office"
    INTERNET = "internet"

    @property
    def text(self) -> str:
        """In Chinese, as the report prints it."""
        return {"settlement": "医保结算终端", "office": "办公终端", "internet": "互联网终端"}[self.value]


OsName = Literal["linux", "windows"]
SiteMay = Literal["raise", "lower", "extend", "replace", "never"]


class Param(Document):
    """A number or list of the rule that a site may tighten."""

    label: Text = Field(description="参数的中文名称")
    default: str | int | float | bool | tuple[str, ...] | tuple[int, ...] = Field(description="默认值")
    site_may: SiteMay = Field(
        description="单位可以怎样收紧：raise 只能调高，lower 只能调低，extend 只能增加，replace 可以改换，never 不能改"
    )
    unit: str = Field(default="", description="单位，例如“位”“天”")
    source: str = Field(default="", description="默认值的出处；惯例值写“惯例”")


class CheckDocument(Document):
    """What is expected on some systems and in some roles. The first check of a rule that fits the terminal counts."""

    os: tuple[OsName, ...] = Field(min_length=1, description="适用的操作系统")
    roles: tuple[Role, ...] = Field(default=(), description="适用的终端角色；不写表示全部")
    when: dict[str, Any] | None = Field(default=None, description="适用条件；确知不成立时为“不适用”")
    expect: dict[str, Any] = Field(description="符合的条件")


class Remediation(Document):
    """What to do about a 不符合: what to click and the exact command."""

    windows: str = ""
    linux: str = ""


class RuleDocument(Document):
    """One rule file: one question to the terminal, one finding."""

    schema_: Literal["ybscan.rule/v1"] = Field(alias="schema", description="文件类型")
    id: RuleId = Field(description="规则编号，例如 PWD-01")
    title: Text = Field(description="规则名称")
    severity: Severity = Field(description="不符合时的风险等级")
    clauses: tuple[ClauseId, ...] = Field(default=(), description="依据的条款编号，见 rules/catalog")
    rationale: Text = Field(description="为什么检查")
    method: Text = Field(description="怎样检查，写入报告的“检查方法”")
    params: dict[Name, Param] = Field(default_factory=dict, description="参数")
    delegable: Name | None = Field(default=None, description="可以委托给终端管控产品的控制范围，例如 usb")
    checks: tuple[CheckDocument, ...] = Field(min_length=1, description="各系统上的检查条件")
    remediation: Remediation = Field(description="整改办法")
    notes: str = Field(default="", description="已知的误报、漏报，供核实时参考")


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its conditions parsed."""

    os: tuple[OsName, ...]
    roles: tuple[Role, ...]
    when: Expression | None
    expect: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the engine uses it: its document, with the conditions parsed and its place known."""

    id: str
    title: str
    severity: Severity
    clauses: tuple[str, ...]
    rationale: str
    method: str
    params: Mapping[str, Param]
    delegable: str | None
    checks: tuple[Check, ...]
    remediation: Remediation
    notes: str
    pack: str
    file: str


class Pack(Document):
    """A rule pack's ``pack.yml``."""

    schema_: Literal["ybscan.pack/v1"] = Field(alias="schema", description="文件类型")
    id: Slug = Field(description="规则包编号，与文件夹同名")
    title: Text = Field(description="规则包名称")
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){1,3}$")] = Field(description="版本号")
    order: tuple[RuleId, ...] = Field(min_length=1, description="规则在报告中的次序")
    position: Int = Field(default=500, ge=0, le=999, description="规则包在报告中的次序，小的在前")


class Waiver(Document):
    """An approved exception: the FAIL stays visible, and returns after ``expires``."""

    rule: RuleId
    terminals: tuple[Text, ...] = Field(min_length=1, description='终端编号；"*" 表示全部')
    reason: Text
    approver: Text
    document: Text
    approved: Day
    expires: Day
    revoked: Day | None = Field(default=None, description="撤销日期；自这一天起不再有效")
    revoked_by: Text | None = Field(default=None, description="撤销人和原因")

    def holds(self, today: date) -> bool:
        """Whether the waiver is in force on ``today``: both end days included, the day it was revoked not."""
        return self.approved <= today <= self.expires and (self.revoked is None or today < self.revoked)

    def covers(self, rule: str, terminal: str, today: date) -> bool:
        """Whether the waiver holds for this rule and terminal on ``today``."""
        return rule == self.rule and ("*" in self.terminals or terminal in self.terminals) and self.holds(today)


class WaiverFile(Document):
    """The unit's waivers."""

    schema_: Literal["ybscan.waivers/v1"] = Field(alias="schema")
    waivers: tuple[Waiver, ...]
