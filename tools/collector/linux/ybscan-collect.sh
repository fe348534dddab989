#!/bin/sh
# Evidence collector of ybscan for Linux terminals that cannot run it (old Kylin and UOS, LoongArch).
#   sh ybscan-collect.sh [OUTPUT-FOLDER]
# POSIX sh with coreutils or busybox; nothing is installed. Reads; writes nothing outside the output folder. Without root
# it brings what an ordinary user may read, and says what it could not. Password hashes, keys and stored passwords are
# taken out before anything is written. Exit codes: 0 done, 2 usage, 3 the output folder cannot be written.
set -u
umask 077
LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
IFS=' 	
'
VERSION=1
NL='
'

# ---------------------------------------------------------------- what is brought
# A path ending in /** stands for a folder with all below it, names and contents; /* for the folder's own files;
# /- for names alone, /-- for names of all below it. Others are single files. Absent ones are told as absent.
WANTED='
/-
/etc/*  /etc/--
/etc/NetworkManager/**  /etc/apt/**  /etc/audit/**  /etc/chrony/**  /etc/cron.d/**  /etc/cron.hourly/**  /etc/cron.daily/**  /etc/cron.weekly/**
/etc/cron.monthly/**  /etc/deepin/**  /etc/init.d/*  /etc/dnf/**  /etc/default/**
/etc/environment.d/**  /etc/exports.d/**  /etc/firewalld/**  /etc/gdm/**  /etc/gdm3/**  /etc/greetd/**  /etc/lightdm/**
/etc/lxdm/**  /etc/modprobe.d/**  /etc/netplan/**  /etc/network/**  /etc/nut/**  /etc/pam.d/**  /etc/polkit-1/**
/etc/profile.d/**  /etc/samba/**  /etc/sddm.conf.d/**  /etc/security/**  /etc/ssh/**  /etc/sudoers.d/**  /etc/sysconfig/**
/etc/sysctl.d/**  /etc/systemd/**  /etc/timeshift/**  /etc/udev/**  /etc/ufw/**  /etc/usbguard/**  /etc/xdg/*  /etc/xdg/autostart/**
/etc/xdg/lightdm/**  /etc/xinetd.d/**  /etc/yum/**  /etc/yum.repos.d/**  /etc/zypp/repos.d/**  /etc/distro.repos.d/**
/etc/iptables/**  /etc/snapper/configs/**  /etc/chromium/**  /etc/chromium-browser/**  /etc/opt/**  /etc/firefox/**
/etc/dconf/profile/**  /etc/apcupsd/**  /etc/ups/**  /etc/wpa_supplicant/**  /etc/vsftpd/**  /etc/ntp/**  /etc/ntpsec/**
/etc/openntpd/**  /etc/ksmbd/**  /etc/rc.d/rc.local  /etc/sssd/**  /etc/ppp/**  /etc/zsh/**  /etc/.kyinfo/**
/usr/etc/pam.d/**  /usr/etc/ssh/**  /usr/lib/pam.d/**  /usr/share/pam.d/**  /usr/lib/os-release
/lib/modprobe.d/**  /usr/lib/modprobe.d/**  /usr/local/lib/modprobe.d/**  /run/modprobe.d/**
/lib/udev/rules.d/**  /usr/lib/udev/rules.d/**  /usr/local/lib/udev/rules.d/**  /run/udev/rules.d/**
/usr/share/polkit-1/**  /usr/local/share/polkit-1/**  /run/polkit-1/**
/usr/lib/systemd/system/**  /lib/systemd/system/**  /run/systemd/system/**  /usr/lib/systemd/user/**
/usr/lib/systemd/network/**  /lib/systemd/network/**  /run/systemd/network/**  /run/systemd/resolve/*
/usr/lib/systemd/journald.conf.d/**  /lib/systemd/journald.conf.d/**  /run/systemd/journald.conf.d/**
/usr/lib/systemd/timesyncd.conf.d/**  /lib/systemd/timesyncd.conf.d/**  /run/systemd/timesyncd.conf.d/**
/usr/lib/NetworkManager/**  /run/NetworkManager/*  /run/NetworkManager/conf.d/**  /run/NetworkManager/system-connections/**
/lib/netplan/**  /run/netplan/**  /usr/lib/firewalld/**  /usr/share/lightdm/lightdm.conf.d/**  /usr/lib/sddm/sddm.conf.d/**
/usr/share/applications/**  /usr/local/share/applications/**  /usr/share/xsessions/**  /usr/share/wayland-sessions/**
/usr/local/share/xsessions/**  /usr/local/share/dconf/profile/**  /var/lib/flatpak/exports/share/applications/**
/var/lib/snapd/desktop/applications/**  /var/lib/linglong/entries/share/applications/**  /opt/apps/*  /usr/share/usbmount/*
/var/spool/cron/**  /var/lib/samba/usershares/**  /var/lib/NetworkManager/timestamps  /var/lib/NetworkManager/NetworkManager.state
/var/lib/dpkg/status  /var/lib/dpkg/info/-  /var/lib/apt/extended_states  /usr/lib/systemd/-  /var/log/dpkg.log  /var/log/dpkg.log.1  /var/log/apt/*
/bin/-  /sbin/-  /usr/bin/-  /usr/sbin/-  /usr/local/-  /usr/local/bin/-  /usr/local/sbin/-  /usr/libexec/--  /usr/lib/-
/usr/lib64/-  /lib/-  /lib64/-  /usr/share/-  /usr/local/lib/-  /opt/-  /opt/apps/-  /home/-  /tmp/-  /var/tmp/-  /snap/-
/usr/lib/security/-  /usr/lib64/security/-  /lib/security/-  /lib64/security/-  /usr/lib/bluetooth/-  /usr/lib64/bluetooth/-
/usr/lib/gvfs/-  /usr/lib64/gvfs/-  /usr/lib/upower/-  /usr/lib/vino/-  /usr/share/deepin-defender/-  /usr/share/ksc-defender/-
/var/lib/flatpak/app/-  /var/lib/linglong/layers/-  /var/lib/pacman/local/-  /var/lib/rpm/-  /usr/lib/sysimage/--  /var/lib/snapd/snaps/-
/var/log/-  /var/log/audit/-  /var/log/journal/--  /timeshift/snapshots/-  /backup/snapshots/-  /backup/imgbackup/-
/recovery/backup/-  /run/timeshift/backup/timeshift/snapshots/-  /run/timeshift/backup/timeshift-btrfs/snapshots/-
/run/-  /run/systemd/-  /run/reboot-required  /var/run/reboot-required  /var/lib/wtmpdb/-  /dev/shm/-
/proc/cpuinfo  /proc/meminfo  /proc/modules  /proc/version  /proc/swaps  /proc/stat  /proc/self/mountinfo
/proc/net/route  /proc/net/ipv6_route  /proc/net/fib_trie  /proc/net/if_inet6
/proc/sys/net/ipv4/ip_forward  /proc/sys/net/ipv4/ip_local_port_range  /proc/sys/net/ipv4/conf/**  /proc/sys/net/ipv6/conf/**
/proc/sys/kernel/randomize_va_space  /proc/sys/kernel/modules_disabled  /proc/sys/net/ipv6/bindv6only
/sys/module/-  /sys/bus/-  /sys/bus/usb/drivers/-  /sys/bus/scsi/drivers/-  /sys/bus/usb/devices/-  /sys/firmware/-
/sys/class/bluetooth/-  /sys/class/firmware-attributes/-  /sys/class/power_supply/-  /sys/class/rfkill/-  /sys/block/-
/sys/class/net/-  /sys/class/block/-  /sys/dev/block/-
/sys/class/dmi/id/bios_date  /sys/class/dmi/id/product_name  /sys/class/dmi/id/sys_vendor  /sys/class/dmi/id/chassis_type
'
# Of each home folder: single names only, never a list of what people keep there.
HOME_FILES='.ICEauthority .Xauthority .bash_history .xsession-errors .local/share/recently-used.xbel
.ssh/authorized_keys .ssh/authorized_keys2'
HOME_FOLDERS='.config/autostart/** .config/systemd/user/** .local/share/applications/** .local/bin/- .local/share/- .local/share/flatpak/app/-
.config/dconf/-'
# Contents never taken, whatever asks for their folder: hashes, private keys, stored passwords.
withheld() {
    case $1 in
    /etc/shadow* | /etc/gshadow* | /etc/security/opasswd* | /etc/master.passwd* | /usr/etc/shadow*) return 0 ;;
    /etc/ssh/*key* | /etc/ssh/moduli | *.pem | *.key | *.p12 | *.pfx | *.jks | *.kdbx | *.gpg) return 0 ;;
    */chap-secrets* | */pap-secrets* | */upsd.users* | */upsmon.conf* | /etc/sssd/* | */auth.conf* | */keys-*) return 0 ;;
    */secret_key | */smbpasswd* | */*.tdb | /etc/krb5.keytab* | /etc/*netrc* | /etc/*.my.cnf | /etc/sasl*) return 0 ;;
    esac
    return 1
}
LIMIT=1048576

# ---------------------------------------------------------------- output
base=${1:-.}
case $base in -*) echo "用法：sh ybscan-collect.sh [结果文件夹]" >&2; exit 2 ;; esac
host=$(uname -n)
stamp=$(date -u +%Y%m%dT%H%M%SZ)
safe=$(printf %s "$host" | tr -c 'A-Za-z0-9._-' '_')
out=$base/ybscan-$safe-$stamp
if ! mkdir "$out" 2>/dev/null || ! mkdir "$out/data"; then
    echo "不能写入 $base，请把结果文件夹作为参数：sh ybscan-collect.sh 文件夹" >&2
    exit 3
fi
manifest=$out/manifest.partial
tree=$out/tree.list
number=0

# One line's text for the record format.
esc() { printf %s "$1" | sed 's/\\/\\\\/g' | tr '\n' ' '; }

part_done() { # name file
    printf '[part]\nname=%s\nfile=%s\nstatus=done\nbytes=%s\n' "$1" "$2" "$(wc -c <"$out/$2" | tr -d ' ')" >>"$manifest"
}

part_failed() { printf '[part]\nname=%s\nstatus=failed\ncode=%s\n' "$1" "$2" >>"$manifest"; }

say() { echo "  $1" >&2; }

# ---------------------------------------------------------------- names and metadata
# Lines of tree.list: "S mode uid gid size mtime device path" as stat has them (hexadecimal mode and device), "L path" with
# the link's target in the next line, "D path" for a folder whose names are all there, "A path" for what does not exist,
# "C number path" for contents, "E reason path" for contents that were not taken.
stat_of() { stat -c 'S %f %u %g %s %Y %D %n' "$@" 2>/dev/null; }

one() { # path: metadata of a single path, or that it is not there
    if [ -e "$1" ] || [ -L "$1" ]; then
        stat_of "$1" >>"$tree"
        if [ -L "$1" ]; then printf 'L %s\n%s\n' "$1" "$(readlink "$1")" >>"$tree"; fi
        return 0
    fi
    # Not there, unless a folder on the way may not be searched.
    up=$1
    while [ "$up" != / ]; do
        up=${up%/*}
        up=${up:-/}
        if [ -d "$up" ]; then
            if [ -x "$up" ]; then printf 'A %s\n' "$1" >>"$tree"; else printf 'E denied %s\n' "$1" >>"$tree"; fi
            return 1
        fi
        if [ -e "$up" ] || [ -L "$up" ]; then
            # A file, or a link that leads nowhere, on the way.
            if [ -L "$up" ]; then one "$up"; fi
            printf 'A %s\n' "$1" >>"$tree"
            return 1
        fi
    done
    return 1
}

names() { # folder depth: all names in it; depth 1 or empty for all below
    one "$1" || return 0
    [ -d "$1" ] || return 0
    here=$1
    if [ -L "$1" ]; then
        here=$(readlink -f "$1") || return 0
        one "$here"
    fi
    if [ "$2" = 1 ]; then set -- "$here" -maxdepth 1; else set -- "$here"; fi
    find "$@" ! -name "*$NL*" -exec stat -c 'S %f %u %g %s %Y %D %n' {} + >>"$tree" 2>/dev/null
    find "$@" -type l ! -name "*$NL*" -exec sh -c 'for i; do printf "L %s\n%s\n" "$i" "$(readlink "$i")"; done' sh {} + >>"$tree" 2>/dev/null
    # A name with a line break cannot be told: the folders are not complete then.
    if [ -z "$(find "$@" -name "*$NL*" 2>/dev/null)" ]; then
        if [ $# -gt 1 ]; then
            if [ -r "$here" ] && [ -x "$here" ]; then printf 'D %s\n' "$here" >>"$tree"; fi
        else
            find "$here" -type d -exec sh -c 'for i; do if [ -r "$i" ] && [ -x "$i" ]; then printf "D %s\n" "$i"; fi; done' sh {} + >>"$tree" 2>/dev/null
        fi
    fi
}

# ---------------------------------------------------------------- contents
mask() { # path: a filter that takes secrets out of its text
    address='s#://[^/[:space:]@"]*@#://***@#g'
    secret='s/^\([[:space:]]*[A-Za-z0-9_.-]*\([Pp][Ss][Kk]\|[Pp][Aa][Ss][Ss][Ww]\|[Pp][Aa][Ss][Ss][Pp][Hh][Rr]\|[Ww][Ee][Pp]\|[Pp][Rr][Ii][Vv][Aa][Tt][Ee][-_]*[Kk]\|[Ss][Ee][Cc][Rr][Ee][Tt]\|[Pp][Ii][Nn]\|[Tt][Oo][Kk][Ee][Nn]\)[A-Za-z0-9_.-]*[[:space:]]*[=:][[:space:]]*\).*$/\1***/'
    option='s/\([[:space:]]-p\)[^[:space:]-][^[:space:]]*/\1***/g; s/\(--*\(password\|passwd\|pass\|token\|secret\)[=[:space:]]\)[^[:space:]]*/\1***/g; s/\([A-Za-z_]*\(PASS\|PASSWD\|PASSWORD\|SECRET\|TOKEN\)[A-Za-z_]*=\)[^[:space:]]*/\1***/g; s/\(password=\|passwd=\|pwd=\)[^[:space:];,]*/\1***/g'
    case $1 in
    /etc/passwd* | /etc/group* | /usr/etc/passwd* | /usr/etc/group*)
        awk -F: -v OFS=: '{ if (NF > 2 && $2 != "" && $2 != "x" && $2 != "*" && $2 !~ /^!+\*?$/) { m = $2; sub(/[^!*].*/, "", m); $2 = m "[set]" } print }' ;;
    */system-connections/* | /etc/wpa_supplicant* | /etc/ppp/* | /etc/hostapd/* | /etc/samba/* | */netplan/* | /etc/nut/* | /etc/ups/* | /etc/sysconfig/*)
        sed -e "$address" -e "$secret" ;;
    *cron* | */systemd/* | *.desktop | /etc/profile* | /etc/init.d/* | /etc/rc* | /etc/environment* | /etc/default/*)
        sed -e "$address" -e "$option" ;;
    *)
        sed -e "$address" ;;
    esac
}

content() { # path: its text, if it is a regular file of sane size
    [ -f "$1" ] || return 0
    real=$1
    if [ -L "$1" ]; then
        real=$(readlink -f "$1") || return 0
        one "$real"
    fi
    if withheld "$1" || withheld "$real"; then
        printf 'E withheld %s\n' "$real" >>"$tree"
    elif ! [ -r "$real" ]; then
        printf 'E denied %s\n' "$real" >>"$tree"
    else
        number=$((number + 1))
        file=data/$(printf %06d "$number")
        most=$LIMIT
        case $real in /var/lib/dpkg/status | /var/lib/apt/*) most=$((LIMIT * 16)) ;; /var/log/*) most=$((LIMIT * 8)) ;; esac
        case $real in /proc/* | /sys/*) size=0 ;; *) size=$(wc -c <"$real" 2>/dev/null) || size= ;; esac
        if [ -z "$size" ]; then
            printf 'E denied %s\n' "$real" >>"$tree"
        elif [ "$size" -gt "$most" ]; then
            printf 'E too_large %s\n' "$real" >>"$tree"
        # A copy that ends early is none: the file is read whole before it is masked.
        elif text=$(cat "$real" 2>/dev/null && echo .) 2>/dev/null; then
            if [ "$size" -gt 0 ] && [ "$(tr -d '\000' <"$real" | wc -c)" -ne "$size" ]; then
                printf 'E binary %s\n' "$real" >>"$tree"
            else
                printf '%s' "${text%.}" | mask "$real" >"$out/$file" && printf 'C %s %s\n' "${file#data/}" "$real" >>"$tree"
            fi
        else
            printf 'E failed %s\n' "$real" >>"$tree"
        fi
    fi
}

follow() { # link: what it leads to, its metadata
    there=$(readlink -f "$1" 2>/dev/null) && one "$there"
    return 0
}

contents_below() { # folder depth
    here=$1
    if [ -L "$here" ]; then here=$(readlink -f "$here") || return 0; fi
    if [ "$2" = 1 ]; then set -- "$here" -maxdepth 1; else set -- "$here"; fi
    find "$@" \( -type f -o -type l \) ! -name "*$NL*" 2>/dev/null >"$out/work"
    while IFS= read -r item; do content "$item"; done <"$out/work"
}

want() { # pattern
    case $1 in
    */\*\*) folder=${1%/\*\*}; names "$folder" ""; if [ -d "$folder" ]; then contents_below "$folder" ""; fi ;;
    */\*) folder=${1%/\*}; names "$folder" 1; if [ -d "$folder" ]; then contents_below "$folder" 1; fi ;;
    */--) names "${1%/--}" "" ;;
    /-) names / 1 ;;
    */-) names "${1%/-}" 1 ;;
    *) if one "$1"; then content "$1"; fi ;;
    esac
}

# ---------------------------------------------------------------- tools
tools=$out/tools.txt
tool_count=0
tool_number=0
limit=
if command -v timeout >/dev/null 2>&1; then limit='timeout 20'; fi

tool() { # NAME command arguments...: only reads, sends nothing, loads nothing
    name=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then
        { echo "[tool]"; echo "name=$name"; command_line "$@"; echo "code=missing"; } >>"$tools"
    else
        tool_number=$((tool_number + 1))
        # shellcheck disable=SC2086 # the time limit is a command and its argument, or nothing
        $limit "$@" >"$out/data/t$tool_number" 2>"$out/data/e$tool_number" </dev/null
        code=$?
        { echo "[tool]"; echo "name=$name"; command_line "$@"; echo "code=$code"; echo "out=data/t$tool_number"; echo "err=data/e$tool_number"; } >>"$tools"
    fi
    tool_count=$((tool_count + 1))
}

command_line() { shift; for a; do printf 'arg+=%s\n' "$(esc "$a")"; done; }

run_tools() {
    echo "ybscan-records 1 tools" >"$tools"
    tool IP ip -j -d link
    tool IP ip -j -d addr
    for family in -4 -6; do
        tool IP ip -j $family rule list
        tool IP ip -j $family rule
        tool IP ip -j $family route show table all
    done
    tool NFT nft -j list ruleset
    tool NFT nft -a list ruleset
    tool PKACTION pkaction --version
    tool SYSTEMCTL systemctl list-sockets --no-pager --no-legend --plain --all
    tool SYSTEMCTL systemctl list-unit-files --no-pager --no-legend --plain
    tool SYSTEMCTL systemctl list-unit-files --no-pager --no-legend --plain --type=service,socket
    tool SYSTEMCTL systemctl list-units --no-pager --no-legend --plain --all
    tool SYSTEMCTL systemctl list-units --no-pager --no-legend --plain --all --type=service,socket
    for unit in bluetooth upower.service firewalld usbguard; do tool SYSTEMCTL systemctl is-active "$unit"; done
    for module in usb-storage usb_storage uas; do tool MODPROBE modprobe -n -v "$module"; done
    for match in MESSAGE:_TRANSPORT=kernel USER_ID:MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66 \
        _COMM:MESSAGE_ID=c7a787079b354eaaa9e77b371893cd27; do
        tool JOURNALCTL journalctl --no-pager --quiet --output=json --output-fields="${match%%:*}" --since=@0 "${match#*:}"
    done
    tool AUDITCTL auditctl -s
    tool AUDITCTL auditctl -l
    for question in --state --list-all-zones --get-active-zones --get-default-zone; do tool FIREWALL_CMD firewall-cmd "$question"; done
    tool NMCLI nmcli -t -f TYPE,NAME connection show --active
    tool NMCLI nmcli -t -f DEVICE,UUID connection show --active
    tool NMCLI nmcli -t -f UUID,TYPE connection show
    tool RPM rpm -qa --qf "$RPM_FORMAT"
    tool RPM rpm -qa --qf "$RPM_TIMES"
    echo "[end] $tool_count" >>"$tools"
    part_done tools tools.txt
}
RPM_FORMAT='%{NAME}\t%{VERSION}\n'
RPM_TIMES='%{NAME}\t%{INSTALLTIME}\n'

# ---------------------------------------------------------------- accounts, processes, sockets
# The state of each password, never its hash: what makes it locked and the scheme's name are kept.
accounts() {
    if [ -r /etc/shadow ]; then
        awk -F: -v OFS=: '{
            secret = $2; mark = secret; sub(/[^!*].*/, "", mark); rest = substr(secret, length(mark) + 1)
            if (rest != "") {
                scheme = ""
                if (match(rest, /^\$[a-z0-9]+\$/)) scheme = substr(rest, 1, RLENGTH)
                else if (length(rest) == 13) scheme = "*DES*********"
                rest = (scheme == "*DES*********") ? "xxxxxxxxxxxxx" : scheme "x"
            }
            $2 = mark rest; print
        }' /etc/shadow >"$out/shadow.txt" && part_done shadow shadow.txt
    elif [ -e /etc/shadow ]; then
        part_failed shadow denied
    else
        part_failed shadow missing
    fi
}

processes() {
    file=$out/processes.txt
    echo "ybscan-records 1 processes" >"$file"
    count=0
    for folder in /proc/[0-9]*; do
        # The name stands in brackets and may hold anything, brackets and blanks included.
        IFS= read -r line <"$folder/stat" 2>/dev/null || continue
        name=${line#*\(}
        rest=${line##*\) }
        name=${name%\)*}
        # shellcheck disable=SC2086 # fields of numbers
        set -- $rest
        exe=$(readlink "$folder/exe" 2>/dev/null) && state=known || state=none
        if [ "$state" = none ]; then
            if [ -r "$folder/exe" ] || [ "$1" = Z ] || [ $(($7 & 0x200000)) -ne 0 ]; then state=kernel; else state=denied; fi
        fi
        uid=$(stat -c %u "$folder" 2>/dev/null) || continue
        count=$((count + 1))
        printf '[process]\npid=%s\nppid=%s\nuid=%s\nname=%s\nstate=%s\nexe=%s\n' "${folder#/proc/}" "$2" "$uid" "$(esc "$name")" "$state" "$(esc "$exe")" >>"$file"
    done 2>/dev/null
    echo "[end] $count" >>"$file"
    part_done processes processes.txt
}

sockets() {
    file=$out/sockets.txt
    : >"$file"
    for table in tcp tcp6 udp udp6; do
        if [ -r /proc/net/$table ]; then
            awk -v t=$table 'NR > 1 { print t, $2, $3, $4, $10 }' /proc/net/$table >>"$file"
            echo "read $table" >>"$file"
        elif ! [ -e /proc/net/$table ]; then
            echo "none $table" >>"$file"
        fi
    done
    # shellcheck disable=SC2012 # names of descriptors are numbers
    ls -l /proc/[0-9]*/fd 2>/dev/null | awk '/^\/proc\// { split($1, p, "/"); pid = p[3] } /socket:\[/ { s = $NF; gsub(/[^0-9]/, "", s); print "owner", s, pid }' >>"$file"
    echo end >>"$file"
    part_done sockets sockets.txt
}

# ---------------------------------------------------------------- run
elevated=no
if [ "$(id -u)" = 0 ]; then elevated=yes; fi
bias=$(date +%z | sed 's/^\([+-]\)0*\([0-9]*\)\([0-9][0-9]\)$/\1 \2 \3/')
# shellcheck disable=SC2086 # sign, hours, minutes
set -- $bias
if [ $# -eq 3 ]; then minutes=$1$(($2 * 60 + ${3#0})); else minutes=$1${2:-0}; fi
{
    echo "ybscan-records 1 manifest"
    echo "[collector]"
    echo "kind=linux"
    echo "version=$VERSION"
    echo "host=$(esc "$host")"
    echo "started=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "elevated=$elevated"
    echo "kernel=$(esc "$(uname -r)")"
    echo "arch=$(esc "$(uname -m)")"
    echo "bias=$minutes"
} >"$manifest"
echo "正在采集本机的安全检查信息，只读取，不修改任何设置。" >&2
if [ $elevated = no ]; then echo "没有 root 权限：无权读取的内容在判定时一律为 无法判定。" >&2; fi
echo "ybscan-tree 1" >"$tree"
say "配置文件"
set -f
for pattern in $WANTED; do want "$pattern"; done
set +f
for place in /timeshift/snapshots/* /run/timeshift/backup/timeshift/snapshots/*; do
    if [ -d "$place" ] && one "$place/info.json"; then content "$place/info.json"; fi
done
# Folders of accounts, the system's own places left out.
awk -F: '$6 ~ /^\/./ { print $6 }' /etc/passwd 2>/dev/null | sort -u >"$out/homes"
while IFS= read -r home; do
    case $home in /bin | /sbin | /dev | /proc | /usr/* | /nonexistent) continue ;; esac
    if one "$home" && [ -d "$home" ]; then
        set -f
        for item in $HOME_FILES; do one "$home/$item" || :; done
        for item in $HOME_FOLDERS; do want "$home/$item"; done
        set +f
    fi
done <"$out/homes"
rm -f "$out/homes"
for place in /lib/*-linux-* /usr/lib/*-linux-*; do
    if [ -d "$place" ]; then
        one "$place"
        for item in security bluetooth gvfs upower plugins qt5 qt6 libexec; do want "$place/$item/-"; done
        for item in plugins/kf5/kio/mtp.so qt5/plugins/kf5/kio/mtp.so qt6/plugins/kf6/kio/mtp.so; do one "$place/$item" || :; done
    fi
done
for place in /lib64/* /usr/lib64/*; do
    if [ -L "$place" ]; then follow "$place"; fi
done
say "网络接口"
for card in /sys/class/net/*; do
    place=$(readlink -f "$card") || continue
    if ! [ -d "$place" ]; then continue; fi
    names "$place" 1
    for item in address addr_assign_type operstate carrier flags type uevent tun_flags ifindex iflink; do
        if one "$place/$item"; then content "$place/$item"; fi
    done
    for item in device bridge bonding wireless phy80211 master; do
        if [ -d "$place/$item" ]; then
            under=$(readlink -f "$place/$item") && names "$under" 1
            if [ "$item" = device ] && one "$under/driver"; then follow "$under/driver"; fi
            if [ -e "$under/uevent" ]; then content "$under/uevent"; fi
        fi
    done
done
say "磁盘与设备"
for disk in /sys/block/*; do
    place=$(readlink -f "$disk") || continue
    if ! [ -d "$place" ]; then continue; fi
    names "$place" 1
    for item in size removable ro dm/uuid queue/rotational partition; do
        if one "$place/$item"; then content "$place/$item"; fi
    done
    if [ -d "$place/slaves" ]; then names "$place/slaves" 1; fi
    if [ -d "$place/device" ]; then
        under=$(readlink -f "$place/device") && names "$under" 1
        for item in model vendor type; do if one "$under/$item"; then content "$under/$item"; fi; done
        one "$under/serial" || :
    fi
done
for device in /sys/bus/usb/devices/*; do
    place=$(readlink -f "$device") || continue
    if ! [ -d "$place" ]; then continue; fi
    names "$place" 1
    for item in idVendor idProduct bDeviceClass bInterfaceClass bInterfaceSubClass bInterfaceProtocol product manufacturer \
        authorized removable; do
        if [ -e "$place/$item" ]; then content "$place/$item"; fi
    done
done
rm -f "$out/work"
part_done tree tree.list
say "账户"
accounts
say "进程与端口"
processes
sockets
say "系统命令"
run_tools
{
    echo "[contents]"
    echo "count=$number"
    echo "[finished]"
    echo "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "bias=$minutes"
    echo "[end] complete"
} >>"$manifest"
mv "$manifest" "$out/manifest.txt"
if command -v tar >/dev/null 2>&1 && command -v gzip >/dev/null 2>&1; then
    if (cd "$base" && tar cf - "${out##*/}" | gzip -c >"${out##*/}.tar.gz.tmp") && mv "$out.tar.gz.tmp" "$out.tar.gz"; then
        echo "采集完成：$out.tar.gz" >&2
        echo "请把它（或同名文件夹）复制到检查用的电脑。" >&2
        exit 0
    fi
    rm -f "$out.tar.gz.tmp"
fi
echo "采集完成：$out" >&2
echo "请把整个文件夹复制到检查用的电脑。" >&2
