"""What only a person can know: the questions a report asks, and the answers it was given."""

from __future__ import annotations

from typing import Literal

from ybscan.model.rule import Document, Slug, Text

AttestedPart = Literal["organisation", "methods", "weekly", "manual", "advice"]
"""Where a report asks: who is responsible, how else was checked, every week, every report, remarks."""


class Question(Document):
    """One thing a person has to confirm."""

    id: Slug
    part: AttestedPart
    title: Text
    text: Text


class Answer(Document):
    """What a person confirmed. ``basis``: the document, ledger page or photograph it can be looked up in."""

    question: Slug
    text: Text
    basis: Text
    person: Text
    at: Text
    """An ISO date or time."""


QUESTIONS: tuple[Question, ...] = tuple(
    Question(id=id_, part=part, title=title, text=text)
    for part, id_, title, text in (
        ("organisation", "leading-group", "领导小组", "网络数据安全工作领导小组的组长、副组长和成员"),
        ("organisation", "office", "牵头部门", "牵头部门、系统管理员及其职责分工"),
        ("organisation", "meeting", "部署情况", "本次自查的部署会议或通知：时间、文号、内容"),
        ("organisation", "pledge", "责任落实", "安全责任书的签订范围和时间"),
        ("methods", "inspection", "现场检查", "机房、收费窗口等现场检查的时间、地点和检查人"),
        ("methods", "papers", "文档审查", "审查了哪些制度、台账和记录"),
        ("methods", "interviews", "人员访谈", "访谈了哪些岗位，了解到什么"),
        ("weekly", "media-ledger", "移动介质台账", "移动介质的登记、借用、归还是否与台账一致"),
        ("weekly", "visitors", "外来维护", "外来维护人员的登记和陪同情况"),
        ("weekly", "physical", "机房和现场", "门禁、供电、消防、温湿度及终端周边的情况"),
        ("weekly", "boundary", "网络边界", "边界防火墙、专线和交换机端口绑定有无变动"),
        ("weekly", "restore", "备份介质和恢复", "备份介质的存放；最近一次恢复演练的时间和结果"),
        ("weekly", "incidents", "事件和通报", "本周有无网络安全事件、投诉和上级通报"),
        ("manual", "policies", "制度", "制度的名称、修订时间和知晓范围"),
        ("manual", "training", "培训", "培训的时间、内容、应到和实到人数"),
        ("manual", "plan", "应急预案和演练", "应急预案的名称；演练的时间、科目和结果"),
        ("manual", "facilities", "机房设施", "门禁、不间断电源、防雷、消防设施的检查情况"),
        ("manual", "boundary-devices", "边界设备", "防火墙、专线、交换机端口绑定的配置核对情况"),
        ("manual", "offsite", "异地备份和恢复演练", "异地备份的地点和周期；恢复演练的时间和结果"),
        ("manual", "media", "介质管理", "移动介质台账、报废介质销毁记录"),
        ("manual", "maintenance", "外来维护", "外来维护人员的审批、登记和陪同记录"),
        ("manual", "passwords", "口令保管", "口令的登记、更换和保管手续"),
        ("manual", "applications", "应用系统权限", "业务系统账户的审批、复核和注销记录"),
        ("manual", "events", "事件和通报", "本期网络安全事件、投诉和上级通报的处理情况"),
        ("advice", "advice", "意见和建议", "对上级或本单位的意见和建议"),
    )
)
"""The questions every report asks. What nobody answered is printed as 【未确认】."""
