"""What ages: until when systems are supported, and from which version on known holes are closed. Data, with sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from ybscan.model.rule import Bool, Day, Document, Int, Text

OsId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._+-]*$", max_length=60)]
"""``ID-VERSION_ID`` of os-release(5) in lower case."""

Programme = Literal["free", "licensed"]
"""Extended support: ``free`` for everybody who uses its package source, ``licensed`` only with a licence that was bought."""


class Sourced(Document):
    """An entry that says where it comes from and when it was last compared with that."""

    source: Text = Field(description="出处")
    checked: Day = Field(description="与出处核对的日期")
    verified: Bool = Field(default=True, description="是否与公开出处核对过；没有核对过的不能单独判为不符合")


class Release(Sourced):
    """A release of an operating system. Named by ``os`` on Linux, by ``build`` and edition on Windows."""

    name: Text
    os: OsId | None = Field(default=None, description="os-release 的 ID-VERSION_ID，小写")
    build: Int | None = Field(default=None, ge=1, description="Windows 的 CurrentBuild")
    server: Bool = Field(default=False, description="Windows Server（InstallationType 不是 Client）")
    editions: tuple[Text, ...] = Field(
        default=(), description="Windows 的 EditionID，可用 * 通配；不写表示该 build 的其他版本"
    )
    eol: Day = Field(description="标准支持（含安全更新）的最后一天")
    extended: Day | None = Field(default=None, description="延长支持的最后一天")
    programme: Programme | None = Field(default=None, description="延长支持：free 免费，licensed 须购买授权")
    programme_name: str = ""
    codename: str = Field(default="", description="软件源中的发行代号")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if (self.os is None) == (self.build is None):
            raise ValueError("应写 os 或 build 之一")
        if (self.extended is None) != (self.programme is None):
            raise ValueError("extended 和 programme 应同时写")
        if self.extended is not None and self.extended < self.eol:
            raise ValueError(f"延长支持的日期 {self.extended} 早于停止支持的日期 {self.eol}")
        return self


class PackageFix(Sourced):
    """The version of a distribution's own package from which on a hole is closed there (fixes are backported)."""

    os: OsId
    package: Text
    fixed: Text = Field(description="该发行版中已修复的软件包版本")
    advisory: Text = Field(description="漏洞编号")


class ProgramMinimum(Sourced):
    """The upstream version of a program from which on a hole is closed; for programs their maker's installer brings."""

    name: Text
    names: tuple[Text, ...] = Field(min_length=1, description="显示名称，可用 * 通配")
    fixed: Text = Field(description="已修复的版本")
    advisory: Text


class LifecycleFile(Document):
    """One file of ``rules/lifecycle/``."""

    schema_: Literal["ybscan.lifecycle/v1"] = Field(alias="schema")
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    title: Text
    version: Text
    releases: tuple[Release, ...] = ()
    packages: tuple[PackageFix, ...] = ()
    programs: tuple[ProgramMinimum, ...] = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not (self.releases or self.packages or self.programs):
            raise ValueError("没有任何条目")
        return self


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """All entries of all files, in file order."""

    releases: tuple[Release, ...] = ()
    packages: tuple[PackageFix, ...] = ()
    programs: tuple[ProgramMinimum, ...] = ()

    @property
    def date(self) -> date | None:
        """When the entry that was compared with its source the longest ago was so."""
        return min((e.checked for e in (*self.releases, *self.packages, *self.programs)), default=None)

    def linux(self, os_id: str) -> Release | None:
        """The release of that ``ID-VERSION_ID``."""
        return next((r for r in self.releases if r.os == os_id.lower()), None)

    def windows(self, *, build: int, edition: str, server: bool) -> Release | None:
        """The release of a build. One build has several dates: an entry that names the edition goes before one for the rest."""
        fitting = [r for r in self.releases if r.build == build and r.server == server]
        named = (r for r in fitting if any(fnmatchcase(edition.casefold(), e.casefold()) for e in r.editions))
        return next(named, None) or next((r for r in fitting if not r.editions), None)

    def fixes(self, os_id: str) -> Iterator[PackageFix]:
        """What is known about the packages of that system."""
        return (p for p in self.packages if p.os == os_id.lower())
