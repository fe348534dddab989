' Evidence collector of ybscan for Windows 7 to 11. Run by ybscan-collect.cmd:
'   cscript //nologo ybscan-collect.vbs OUTPUT-FOLDER [/domain]
' Uses only what Windows ships. Reads; writes nothing outside the output folder except one working file in the local
' temporary folder, deleted again: registry exports pass through it so that no secret ever touches the output medium.
' Exit codes: 0 done, 2 usage, 3 the output folder cannot be written, 4 finished with failed parts, 5 wrong bitness.
' This file is ASCII: it must read the same on every code page.
Option Explicit

Const VERSION = "1"
Const ABSENT_REG = -2147024894   ' 0x80070002 file not found
Const HKLM = &H80000002
Const HKU = &H80000003

Dim fso, shell, outDir, workFile, part, partName, partCount, partErrors, manifest, failures, step
Dim wmi, std, bias, domainAllowed, reSecretName, reClosedKey, reUrl, reOption, reAssign, reHexHint, reArguments

Set fso = CreateObject("Scripting.FileSystemObject")
Set shell = CreateObject("WScript.Shell")
failures = 0 : step = 0 : domainAllowed = False
Main

Sub Main()
  Dim base, i
  base = ""
  For i = 0 To WScript.Arguments.Count - 1
    If LCase(WScript.Arguments(i)) = "/domain" Then
      domainAllowed = True
    ElseIf base = "" Then
      base = WScript.Arguments(i)
    End If
  Next
  If base = "" Then WScript.Quit 2
  ' A 32-bit process would be shown the wrong half of the registry; the .cmd starts the right one.
  If Env("%PROCESSOR_ARCHITEW6432%") <> "%PROCESSOR_ARCHITEW6432%" Then WScript.Quit 5
  SetPatterns
  Connect
  If Not MakeOutput(base) Then WScript.Quit 3
  CollectAll
  CloseManifest
  MakeZip
  WScript.Echo outDir
  If failures > 0 Then WScript.Quit 4
  WScript.Quit 0
End Sub

Sub SetPatterns()
  ' Values that hold a secret by name; keys that hold nothing else; passwords in addresses and on command lines.
  Set reSecretName = Pattern("(^|[^a-z])(((alt)?default|svc|service|logon|proxy|admin|user|view_?only|read_?only|control" & _
    "|encrypted|stored|auto|root|sa|db|database)*_?(password|passwd|pwd|passphrase|secret|psk|privatekey)" & _
    "(_?(2|viewonly|hash|enc|encrypted))?|[a-z0-9_]*(token|api_?key))$")
  Set reClosedKey = Pattern("\\(ValidCommunities|TrapConfiguration)(\\|$)|\\BTHPORT\\Parameters\\(Keys|LocalServices)(\\|$)|\\Control\\Lsa\\(JD|Skew1|GBG|Data)(\\|$)")
  Set reUrl = Pattern("(://)[^/@\s:""]*:[^/@\s""]*@")
  Set reOption = Pattern("((^|[\s""=])[-/]{1,2}(p|pw|pwd|pass|passwd|password|passphrase|token|key|secret|apikey)[=:\s]\s*)[^\s].*")
  Set reAssign = Pattern("((password|passwd|pwd|passphrase|secret|token|apikey)\s*=\s*)[^\s].*")
  Set reHexHint = Pattern("3a,00,2f,00,2f|[57]0,00,([46]1,00,[57]3,00,[57]3|[57]7)|[57]4,00,[46]f,00,[46]b" & _
    "|[57]3,00,[46]5,00,[46]3,00,[57]2|[46]b,00,[46]5,00,[57]9|2[df],00,[57]0,00,(20|3d|3a)")
  Set reArguments = Pattern("<(Arguments|Data|Body)(\s[^>]*)?>[\s\S]*?</\1>")
End Sub

Function Pattern(text)
  Set Pattern = New RegExp
  Pattern.Pattern = text
  Pattern.IgnoreCase = True
  Pattern.Global = True
End Function

Sub Connect()
  On Error Resume Next
  Set wmi = Nothing
  Set wmi = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\cimv2")
  Set std = Nothing
  Set std = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\default:StdRegProv")
  bias = "+000"
  Err.Clear
End Sub

Function MakeOutput(base)
  On Error Resume Next
  Dim name, stamp
  MakeOutput = False
  stamp = Stamped(Now)
  name = "ybscan-" & SafeName(Env("%COMPUTERNAME%")) & "-" & Replace(Replace(stamp, ":", ""), "-", "")
  outDir = fso.BuildPath(fso.GetAbsolutePathName(base), name)
  fso.CreateFolder outDir
  If Err.Number <> 0 Then Exit Function
  fso.CreateFolder fso.BuildPath(outDir, "registry")
  fso.CreateFolder fso.BuildPath(outDir, "files")
  workFile = WorkPath()
  Set manifest = fso.CreateTextFile(fso.BuildPath(outDir, "manifest.partial"), True, True)
  If Err.Number <> 0 Then Exit Function
  MakeOutput = True
  manifest.WriteLine "ybscan-records 1 manifest"
  manifest.WriteLine "[collector]"
  manifest.WriteLine "kind=windows"
  manifest.WriteLine "version=" & VERSION
  manifest.WriteLine "host=" & Escaped(Env("%COMPUTERNAME%"))
  manifest.WriteLine "started=" & UtcNow()
  manifest.WriteLine "elevated=" & Elevated()
  manifest.WriteLine "process_bits=" & ProcessBits()
  manifest.WriteLine "codepage=" & CodePage()
End Function

' The working file must lie on a local fixed disk: a redirected temporary folder is not used.
Function WorkPath()
  On Error Resume Next
  Dim folder
  WorkPath = ""
  For Each folder In Array(Env("%TEMP%"), Env("%SystemRoot%\Temp"))
    Err.Clear
    If fso.GetDrive(fso.GetDriveName(folder)).DriveType = 2 And Err.Number = 0 Then
      WorkPath = fso.BuildPath(folder, fso.GetTempName())
      Exit Function
    End If
  Next
End Function

' Wine leaves a NUL at the end.
Function Env(text)
  Dim found
  found = shell.ExpandEnvironmentStrings(text)
  If InStr(found, Chr(0)) > 0 Then found = Left(found, InStr(found, Chr(0)) - 1)
  Env = found
End Function

Function SafeName(text)
  Dim re
  Set re = Pattern("[\\/:*?""<>|\s]")
  SafeName = re.Replace(text, "_")
End Function

' ---------------------------------------------------------------- values

' A date as local ISO text; never by CStr, which follows the locale.
Function Stamped(moment)
  Stamped = Year(moment) & "-" & Two(Month(moment)) & "-" & Two(Day(moment)) & "T" & Two(Hour(moment)) & ":" & _
    Two(Minute(moment)) & ":" & Two(Second(moment))
End Function

Function Two(number)
  Two = Right("0" & number, 2)
End Function

' UTC from Win32_OperatingSystem.LocalDateTime (yyyymmddHHMMSS.ffffff+bias); empty when WMI does not answer.
Function UtcNow()
  On Error Resume Next
  Dim item, raw, moment
  UtcNow = ""
  For Each item In wmi.ExecQuery("SELECT LocalDateTime FROM Win32_OperatingSystem")
    raw = item.Properties_("LocalDateTime").Value
    bias = Mid(raw, 22)
    moment = DateSerial(CLng(Mid(raw, 1, 4)), CLng(Mid(raw, 5, 2)), CLng(Mid(raw, 7, 2))) + _
      TimeSerial(CLng(Mid(raw, 9, 2)), CLng(Mid(raw, 11, 2)), CLng(Mid(raw, 13, 2)))
    moment = DateAdd("n", -CLng(bias), moment)
    If Err.Number = 0 Then UtcNow = Stamped(moment) & "Z"
  Next
  Err.Clear
End Function

' Only an elevated token may read the hive of LocalService.
Function Elevated()
  On Error Resume Next
  Dim value
  value = shell.RegRead("HKEY_USERS\S-1-5-19\Environment\TEMP")
  Elevated = "no"
  If Err.Number = 0 Then Elevated = "yes"
  Err.Clear
End Function

Function ProcessBits()
  Dim own
  own = Env("%PROCESSOR_ARCHITECTURE%")
  ProcessBits = "64"
  If LCase(own) = "x86" Then ProcessBits = "32"
End Function

Function CodePage()
  On Error Resume Next
  CodePage = ""
  CodePage = shell.RegRead("HKLM\SYSTEM\CurrentControlSet\Control\Nls\CodePage\OEMCP")
  Err.Clear
End Function

Function Escaped(value)
  Dim text
  text = Replace("" & value, "\", "\\")
  text = Replace(text, vbCr, "\r")
  Escaped = Replace(text, vbLf, "\n")
End Function

' Passwords in addresses and on command lines, taken out of a text.
Function Masked(text)
  Masked = text
  If InStr(text, "://") > 0 Then Masked = reUrl.Replace(Masked, "$1***@")
  Masked = reOption.Replace(Masked, "$1***")
  Masked = reAssign.Replace(Masked, "$1***")
End Function

' ---------------------------------------------------------------- parts

Sub Begin(name)
  On Error Resume Next
  partName = name
  partCount = 0
  partErrors = 0
  step = step + 1
  WScript.Echo "[" & Two(step) & "] " & name
  Set part = fso.CreateTextFile(fso.BuildPath(outDir, name & ".txt"), True, True)
  part.WriteLine "ybscan-records 1 " & name
  Err.Clear
End Sub

Sub Record(kind)
  partCount = partCount + 1
  part.WriteLine "[" & kind & "]"
End Sub

Sub Put(name, value)
  If IsNull(value) Or IsEmpty(value) Then
    part.WriteLine name & ":null"
  ElseIf IsArray(value) Then
    PutList name, value
  ElseIf VarType(value) = 11 Then
    ' CStr would write the word of the locale.
    part.WriteLine name & "=" & Abs(CLng(value))
  Else
    part.WriteLine name & "=" & Escaped(value)
  End If
End Sub

Sub PutList(name, values)
  On Error Resume Next
  Dim one
  part.WriteLine name & ":list"
  For Each one In values
    part.WriteLine name & "+=" & Escaped(one)
  Next
  If Err.Number <> 0 Then PutError name, Err.Number
  Err.Clear
End Sub

Sub PutError(what, number)
  partCount = partCount + 1
  partErrors = partErrors + 1
  part.WriteLine "[error]"
  part.WriteLine "what=" & Escaped(what)
  part.WriteLine "code=" & Hex(number)
End Sub

Sub Finish()
  On Error Resume Next
  part.WriteLine "[end] " & partCount
  part.Close
  Listed partName, partName & ".txt", partErrors
  Err.Clear
End Sub

Sub Listed(name, file, errors)
  On Error Resume Next
  Dim status
  status = "done"
  If errors > 0 Then
    status = "partial"
    failures = failures + 1
  End If
  manifest.WriteLine "[part]"
  manifest.WriteLine "name=" & Escaped(name)
  manifest.WriteLine "file=" & Escaped(file)
  manifest.WriteLine "status=" & status
  manifest.WriteLine "bytes=" & fso.GetFile(fso.BuildPath(outDir, file)).Size
  Err.Clear
End Sub

Sub Failed(name, number)
  failures = failures + 1
  manifest.WriteLine "[part]"
  manifest.WriteLine "name=" & Escaped(name)
  manifest.WriteLine "status=failed"
  manifest.WriteLine "code=" & Hex(number)
End Sub

' The last line first counts when the whole run is over: until then the file has another name.
Sub CloseManifest()
  On Error Resume Next
  manifest.WriteLine "[finished]"
  manifest.WriteLine "at=" & UtcNow()
  manifest.WriteLine "bias=" & bias
  manifest.WriteLine "[end] complete"
  manifest.Close
  fso.MoveFile fso.BuildPath(outDir, "manifest.partial"), fso.BuildPath(outDir, "manifest.txt")
  Err.Clear
End Sub

' Every row of a query as a record with the named properties; a class or namespace that does not answer is an error.
Sub Query(service, kind, properties, condition)
  On Error Resume Next
  Dim item, rows, name, names, value, source
  names = Split(properties, " ")
  source = names(0)
  Set rows = service.ExecQuery("SELECT * FROM " & source & condition)
  If Err.Number = 0 Then value = rows.Count   ' An unknown class shows only when rows are fetched.
  If Err.Number <> 0 Then
    PutError source, Err.Number
    Exit Sub
  End If
  For Each item In rows
    If Err.Number <> 0 Then Exit For
    Record kind
    For Each name In names
      If name <> source Then
        value = Null
        value = item.Properties_(name).Value
        Err.Clear
        Put name, value
      End If
    Next
  Next
  If Err.Number <> 0 Then PutError source, Err.Number
  Err.Clear
End Sub

Function Space(path)
  On Error Resume Next
  Set Space = Nothing
  Set Space = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\" & path)
  If Err.Number <> 0 Then PutError path, Err.Number
  Err.Clear
End Function

Sub CollectAll()
  SystemPart
  AccountsPart
  PolicyPart
  AdministratorsPart
  RunningParts
  NetworkPart
  DevicesPart
  SecurityPart
  TasksPart
  WirelessPart
  EventsPart "System", Array(20001, 20003)
  EventsPart "Security", Array(1102, 4719)
  EventsPart "Microsoft-Windows-Partition/Diagnostic", Array(1006)
  EventsPart "Microsoft-Windows-DriverFrameworks-UserMode/Operational", Array(2003)
  EventsPart "Microsoft-Windows-Backup", Array(4)
  FilesPart
  ToolPart "netstat", "%SystemRoot%\System32\netstat.exe", "-ano"
  SeceditPart
  RegistryParts
  If workFile <> "" Then RemoveWork
End Sub

Sub SystemPart()
  Begin "system"
  Query wmi, "os", "Win32_OperatingSystem Caption Version BuildNumber OSArchitecture LocalDateTime LastBootUpTime CSName ProductType OperatingSystemSKU SystemDrive", ""
  Query wmi, "computer", "Win32_ComputerSystem PartOfDomain Domain Workgroup DomainRole Manufacturer Model AdminPasswordStatus PowerOnPasswordStatus SystemType", ""
  Query wmi, "hotfix", "Win32_QuickFixEngineering HotFixID InstalledOn", ""
  Finish
End Sub

' LocalAccount=TRUE: without it the query asks the domain.
Sub AccountsPart()
  On Error Resume Next
  Dim item, user, name
  Begin "accounts"
  For Each item In wmi.ExecQuery("SELECT * FROM Win32_UserAccount WHERE LocalAccount=TRUE")
    If Err.Number <> 0 Then Exit For
    Record "user"
    For Each name In Array("Name", "SID", "Disabled", "Lockout", "PasswordRequired", "PasswordExpires", "FullName", "Description")
      Put name, item.Properties_(name).Value
    Next
    Err.Clear
    Set user = Nothing
    Set user = GetObject("WinNT://./" & item.Properties_("Name").Value & ",user")
    If Err.Number <> 0 Then
      part.WriteLine "adsi=" & Hex(Err.Number)
      Err.Clear
    Else
      AccountTimes user
    End If
  Next
  If Err.Number <> 0 Then PutError "Win32_UserAccount", Err.Number
  Err.Clear
  Finish
End Sub

' ADSI gives dates in local time; a property that was never set is an error and is written with its number.
Sub AccountTimes(user)
  On Error Resume Next
  Dim name, value
  For Each name In Array("UserFlags", "PasswordAge", "PasswordExpired", "LastLogin", "AccountExpirationDate")
    Err.Clear
    value = user.Get(name)
    If Err.Number <> 0 Then
      part.WriteLine name & ".error=" & Hex(Err.Number)
    ElseIf VarType(value) = 7 Then
      Put name, Stamped(value)
    Else
      Put name, value
    End If
  Next
  Err.Clear
End Sub

Sub PolicyPart()
  On Error Resume Next
  Dim computer, name, value
  Begin "policy"
  Set computer = GetObject("WinNT://.,computer")
  If Err.Number <> 0 Then
    PutError "WinNT://.", Err.Number
  Else
    Record "policy"
    For Each name In Array("MinPasswordLength", "MaxPasswordAge", "MinPasswordAge", "PasswordHistoryLength", "MaxBadPasswordsAllowed", "AutoUnlockInterval", "LockoutObservationInterval")
      Err.Clear
      value = Null
      value = computer.Get(name)
      If Err.Number <> 0 Then part.WriteLine name & ".error=" & Hex(Err.Number) Else Put name, value
    Next
  End If
  Err.Clear
  Finish
End Sub

' On a domain member the names of domain accounts would be asked of the domain controller: only with /domain.
Sub AdministratorsPart()
  On Error Resume Next
  Dim item, group, joined
  Begin "administrators"
  joined = True
  For Each item In wmi.ExecQuery("SELECT PartOfDomain FROM Win32_ComputerSystem")
    joined = item.Properties_("PartOfDomain").Value
  Next
  If joined And Not domainAllowed Then
    Record "not_permitted"
  Else
    Err.Clear
    For Each item In wmi.ExecQuery("SELECT Name FROM Win32_Group WHERE LocalAccount=TRUE AND SID='S-1-5-32-544'")
      Set group = GetObject("WinNT://./" & item.Properties_("Name").Value & ",group")
      Record "group"
      Put "SID", "S-1-5-32-544"
      Members group
    Next
    If Err.Number <> 0 Then PutError "Win32_Group", Err.Number
  End If
  Err.Clear
  Finish
End Sub

Sub Members(group)
  On Error Resume Next
  Dim member, sid
  For Each member In group.Members
    If Err.Number <> 0 Then Exit For
    sid = ""
    sid = SidText(member.Get("objectSid"))
    If Err.Number <> 0 Or sid = "" Then
      PutError "member", Err.Number
      Err.Clear
    Else
      Record "member"
      Put "SID", sid
      Put "Name", member.Name
      Put "Class", member.Class
    End If
  Next
  If Err.Number <> 0 Then PutError "members", Err.Number
  Err.Clear
End Sub

' A binary SID as S-1-...; see the SID structure.
Function SidText(octets)
  Dim i, n, j, number, raw
  raw = octets
  n = AscB(MidB(raw, 2, 1))
  SidText = "S-" & AscB(MidB(raw, 1, 1)) & "-" & AscB(MidB(raw, 8, 1))
  For i = 0 To n - 1
    number = 0
    For j = 3 To 0 Step -1
      number = number * 256 + AscB(MidB(raw, 9 + i * 4 + j, 1))
    Next
    SidText = SidText & "-" & number
  Next
End Function

Sub RunningParts()
  Begin "services"
  Query wmi, "service", "Win32_Service Name State ProcessId", ""
  Query wmi, "driver", "Win32_SystemDriver Name State", ""
  Finish
  Begin "processes"
  ' Never CommandLine: it may hold passwords.
  Query wmi, "process", "Win32_Process ProcessId ParentProcessId Name ExecutablePath", ""
  Finish
  Begin "shares"
  Query wmi, "share", "Win32_Share Name Path Type", ""
  Finish
End Sub

Sub NetworkPart()
  Dim modern
  Begin "network"
  Query wmi, "adapter", "Win32_NetworkAdapter Index InterfaceIndex Name Description NetConnectionID NetConnectionStatus NetEnabled MACAddress GUID PNPDeviceID ServiceName AdapterTypeID PhysicalAdapter", ""
  Query wmi, "config", "Win32_NetworkAdapterConfiguration Index InterfaceIndex IPEnabled IPAddress IPSubnet DHCPEnabled", ""
  Query wmi, "route4", "Win32_IP4RouteTable Destination Mask NextHop InterfaceIndex Metric1", ""
  Set modern = Space("StandardCimv2")
  If Not modern Is Nothing Then
    Query modern, "route", "MSFT_NetRoute AddressFamily DestinationPrefix NextHop InterfaceIndex RouteMetric Store", ""
    Query modern, "link", "MSFT_NetAdapter InterfaceGuid NdisPhysicalMedium PermanentAddress ConnectorPresent Virtual InterfaceOperationalStatus", ""
    Query modern, "forwarding", "MSFT_NetIPInterface InterfaceIndex AddressFamily Forwarding Store", ""
  End If
  FirewallProfiles
  Finish
End Sub

' INetFwPolicy2: profile bits 1 domain, 2 private, 4 public; NET_FW_ACTION 0 block, 1 allow.
Sub FirewallProfiles()
  On Error Resume Next
  Dim policy, kind, active
  Set policy = CreateObject("HNetCfg.FwPolicy2")
  If Err.Number = 0 Then active = policy.CurrentProfileTypes
  If Err.Number <> 0 Then
    PutError "HNetCfg.FwPolicy2", Err.Number
    Exit Sub
  End If
  For Each kind In Array(1, 2, 4)
    Dim enabled, inbound
    enabled = Null : inbound = Null
    enabled = policy.FirewallEnabled(kind)
    inbound = policy.DefaultInboundAction(kind)
    If Err.Number <> 0 Then
      PutError "HNetCfg.FwPolicy2 " & kind, Err.Number
      Err.Clear
    Else
      Record "firewall"
      Put "profile", kind
      Put "active", CLng(active And kind)
      Put "enabled", CLng(enabled)
      Put "inbound", inbound
    End If
  Next
End Sub

Sub DevicesPart()
  Dim storage
  Begin "devices"
  Query wmi, "device", "Win32_PnPEntity DeviceID Name ClassGuid Service ConfigManagerErrorCode HardwareID CompatibleID", ""
  Finish
  Begin "disks"
  Query wmi, "disk", "Win32_DiskDrive Index DeviceID InterfaceType PNPDeviceID MediaType Model Size SerialNumber MediaLoaded", ""
  Query wmi, "disc", "Win32_CDROMDrive Id Drive PNPDeviceID Name MediaLoaded", ""
  Query wmi, "partition", "Win32_DiskPartition DeviceID DiskIndex BootPartition", ""
  Query wmi, "letter", "Win32_LogicalDiskToPartition Antecedent Dependent", ""
  Query wmi, "volume", "Win32_LogicalDisk DeviceID DriveType FileSystem Size FreeSpace", " WHERE DriveType<>4"
  Set storage = Space("Microsoft\Windows\Storage")
  If Not storage Is Nothing Then Query storage, "bus", "MSFT_Disk Number BusType IsSystem IsBoot", ""
  Finish
End Sub

Sub SecurityPart()
  Dim centre
  Begin "products"
  Set centre = Space("SecurityCenter2")
  If Not centre Is Nothing Then
    Query centre, "antivirus", "AntiVirusProduct displayName productState pathToSignedProductExe", ""
    Query centre, "antispyware", "AntiSpywareProduct displayName productState pathToSignedProductExe", ""
    Query centre, "firewall", "FirewallProduct displayName productState pathToSignedProductExe", ""
  End If
  Finish
  Begin "licence"
  Query wmi, "licence", "SoftwareLicensingProduct Description LicenseStatus PartialProductKey KeyManagementServiceMachine DiscoveredKeyManagementServiceMachineName", " WHERE ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL"
  Finish
  Begin "restore"
  Set centre = Space("default")
  If Not centre Is Nothing Then Query centre, "point", "SystemRestore CreationTime", ""
  Finish
End Sub

Sub TasksPart()
  On Error Resume Next
  Dim service, root
  Begin "tasks"
  Set service = CreateObject("Schedule.Service")
  If Err.Number = 0 Then service.Connect
  If Err.Number = 0 Then Set root = service.GetFolder("\")
  If Err.Number <> 0 Then
    PutError "Schedule.Service", Err.Number
  Else
    TaskFolder root
  End If
  Err.Clear
  Finish
End Sub

' 1: hidden tasks too. The definition goes without arguments and message texts: these may hold passwords.
Sub TaskFolder(folder)
  On Error Resume Next
  Dim task, child, action, trigger
  For Each task In folder.GetTasks(1)
    If Err.Number <> 0 Then Exit For
    Record "task"
    Put "path", task.Path
    Put "enabled", CLng(task.Enabled)
    Put "last_run", Stamped(task.LastRunTime)
    Put "next_run", Stamped(task.NextRunTime)
    Put "last_result", Hex(task.LastTaskResult)
    If Err.Number <> 0 Then part.WriteLine "times.error=" & Hex(Err.Number)
    Err.Clear
    Put "xml", reArguments.Replace(task.Xml, "")
    If Err.Number <> 0 Then part.WriteLine "definition.error=" & Hex(Err.Number)
    Err.Clear
  Next
  If Err.Number <> 0 Then PutError folder.Path, Err.Number
  Err.Clear
  For Each child In folder.GetFolders(0)
    If Err.Number <> 0 Then Exit For
    TaskFolder child
  Next
  If Err.Number <> 0 Then PutError folder.Path, Err.Number
  Err.Clear
End Sub

' Of the wireless profiles only the element SSID/name is taken; the files hold (encrypted) keys.
Sub WirelessPart()
  On Error Resume Next
  Dim base, card, file
  Begin "wireless"
  base = Env("%ProgramData%\Microsoft\Wlansvc\Profiles\Interfaces")
  ' A folder that may not be seen does not seem to exist either.
  If Not fso.FolderExists(base) And Elevated() = "no" Then
    PutError base, &H80070005
  ElseIf Not fso.FolderExists(base) Then
    Record "none"
  Else
    For Each card In fso.GetFolder(base).SubFolders
      For Each file In card.Files
        If LCase(fso.GetExtensionName(file.Name)) = "xml" Then WirelessProfile card.Name, file.Path
      Next
      If Err.Number <> 0 Then PutError card.Name, Err.Number
      Err.Clear
    Next
    If Err.Number <> 0 Then PutError base, Err.Number
  End If
  Err.Clear
  Finish
End Sub

Sub WirelessProfile(card, path)
  On Error Resume Next
  Dim xml, node
  Set xml = CreateObject("Msxml2.DOMDocument.6.0")
  xml.async = False
  xml.resolveExternals = False
  xml.validateOnParse = False
  If Err.Number = 0 Then xml.load path
  Set node = Nothing
  Set node = xml.selectSingleNode("/*[local-name()='WLANProfile']/*[local-name()='SSIDConfig']/*[local-name()='SSID']/*[local-name()='name']")
  If Err.Number <> 0 Or node Is Nothing Then
    PutError "profile", Err.Number
  Else
    Record "profile"
    Put "card", card
    Put "ssid", node.text
  End If
  Err.Clear
End Sub

' The events with these ids, 500 at most, newest first; of the log's oldest and newest record the time. Older systems lack
' some channels: the list of all of them tells those from a channel that could not be read.
Sub EventsPart(channel, ids)
  On Error Resume Next
  Dim text, condition, id, listed
  Begin "events-" & Replace(Replace(LCase(channel), "microsoft-windows-", ""), "/", "-")
  condition = ""
  For Each id In ids
    If condition <> "" Then condition = condition & " or "
    condition = condition & "EventID=" & id
  Next
  Record "channel"
  Put "name", channel
  For Each id In ids
    part.WriteLine "id+=" & id
  Next
  Put "limit", 500
  If Said("wevtutil gl " & channel & " /f:xml", text) Then
    Record "state"
    Put "enabled", Inside("<channel [^>]*\benabled=['""](true|false)['""]", text)
  End If
  listed = Said("wevtutil el", text)
  If listed Then listed = InStr(1, vbLf & Replace(text, vbCr, "") & vbLf, vbLf & "System" & vbLf, vbTextCompare) > 0
  If listed Then listed = InStr(1, vbLf & Replace(text, vbCr, "") & vbLf, vbLf & channel & vbLf, vbTextCompare) = 0
  If listed Then
    Record "absent"
  ElseIf Not Said("wevtutil qe " & channel & " /c:1 /rd:false /f:xml", text) Then
    PutError channel, 0
  Else
    EventRecords "oldest", text
    If Said("wevtutil qe " & channel & " /c:1 /rd:true /f:xml", text) Then EventRecords "newest", text
    If Said("wevtutil qe " & channel & " ""/q:*[System[(" & condition & ")]]"" /c:500 /rd:true /f:xml", text) Then
      EventRecords "event", text
      Record "searched"
    Else
      PutError channel & " query", 0
    End If
  End If
  Err.Clear
  Finish
End Sub

Sub EventRecords(kind, text)
  Dim re, one
  Set re = Pattern("<Event [\s\S]*?</Event>")
  For Each one In re.Execute(text)
    Record kind
    ' Of a record of any kind the time is all that is needed.
    If kind = "event" Then
      Put "xml", one.Value
    Else
      Put "time", Inside("TimeCreated SystemTime=['""]([^'""]*)", one.Value)
    End If
  Next
End Sub

Function Inside(expression, text)
  Dim found
  Inside = Null
  Set found = Pattern(expression).Execute(text)
  If found.Count > 0 Then Inside = found(0).SubMatches(0)
End Function

' What a system command prints; False when it fails or is not there. Through the working file: a pipe may block.
Function Said(command, text)
  On Error Resume Next
  Dim code, source
  Said = False
  text = ""
  If workFile = "" Then Exit Function
  RemoveWork
  code = shell.Run(Env("%SystemRoot%\System32\cmd.exe") & " /d /c """ & Env("%SystemRoot%\System32\") & command & _
    " > """ & workFile & """ 2>nul""", 0, True)
  If Err.Number = 0 And code = 0 Then
    Set source = fso.OpenTextFile(workFile, 1)
    text = source.ReadAll
    source.Close
    ' Reading an empty file is an error of its own; the command did answer then.
    Said = fso.FileExists(workFile)
  End If
  Err.Clear
  RemoveWork
End Function

Sub FilesPart()
  On Error Resume Next
  Dim path
  Begin "files"
  path = Env("%SystemRoot%\System32\drivers\etc\hosts")
  Record "file"
  Put "path", path
  If Not fso.FileExists(path) Then
    part.WriteLine "state=absent"
  Else
    fso.CopyFile path, fso.BuildPath(outDir, "files\hosts")
    If Err.Number <> 0 Then
      part.WriteLine "state=" & Hex(Err.Number)
    Else
      part.WriteLine "state=copied"
      part.WriteLine "member=files/hosts"
      Put "bytes", fso.GetFile(path).Size
    End If
  End If
  Err.Clear
  Phonebooks
  Finish
End Sub

' Of the dial-up and VPN phone books only the names between brackets.
Sub Phonebooks()
  On Error Resume Next
  Dim path, text, line
  For Each path In Array("%ProgramData%\Microsoft\Network\Connections\Pbk\rasphone.pbk", "%APPDATA%\Microsoft\Network\Connections\Pbk\rasphone.pbk")
    path = Env(path)
    Record "phonebook"
    Put "path", path
    If Not fso.FileExists(path) Then
      part.WriteLine "state=absent"
    Else
      Set text = fso.OpenTextFile(path, 1)
      Do While Err.Number = 0 And Not text.AtEndOfStream
        line = text.ReadLine
        If Left(line, 1) = "[" Then part.WriteLine "entry+=" & Escaped(Mid(line, 2, Len(line) - 2))
      Loop
      text.Close
      If Err.Number = 0 Then part.WriteLine "state=read" Else part.WriteLine "state=" & Hex(Err.Number)
      Err.Clear
    End If
  Next
End Sub

' A command's output as it is, in the console's code page.
Sub ToolPart(name, program, arguments)
  On Error Resume Next
  Dim target, code
  step = step + 1
  WScript.Echo "[" & Two(step) & "] " & name
  target = fso.BuildPath(outDir, name & ".out")
  code = shell.Run("%SystemRoot%\System32\cmd.exe /d /c """"" & program & """ " & arguments & " > """ & target & """ 2>nul""", 0, True)
  If Err.Number <> 0 Or code <> 0 Or Not fso.FileExists(target) Then
    Failed name, code
  Else
    Listed name, name & ".out", 0
  End If
  Err.Clear
End Sub

' Passwords are no part of a security template. Its log goes to the output folder, so Windows' own keeps no line of it.
Sub SeceditPart()
  On Error Resume Next
  Dim target, log, code
  step = step + 1
  WScript.Echo "[" & Two(step) & "] secedit"
  target = fso.BuildPath(outDir, "secedit.inf")
  log = fso.BuildPath(outDir, "secedit.log")
  code = shell.Run("""%SystemRoot%\System32\secedit.exe"" /export /cfg """ & target & """ /areas SECURITYPOLICY USER_RIGHTS /log """ & log & """ /quiet", 0, True)
  If Err.Number <> 0 Or Not fso.FileExists(target) Then
    Failed "secedit", code
  Else
    Listed "secedit", "secedit.inf", 0
  End If
  Err.Clear
End Sub

' ---------------------------------------------------------------- registry

Sub RegistryParts()
  Dim cv, nt, wow, sid, text, line, key
  cv = "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\"
  nt = "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\"
  wow = "HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\"
  For Each key In Array( _
      "HKLM\SYSTEM\CurrentControlSet\Services", _
      "HKLM\SYSTEM\CurrentControlSet\Enum", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Class", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Network", _
      "HKLM\SYSTEM\CurrentControlSet\Control\DeviceClasses", _
      "HKLM\SYSTEM\CurrentControlSet\Control\StorageDevicePolicies", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Remote Assistance", _
      "HKLM\SYSTEM\CurrentControlSet\Control\SecureBoot", _
      "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders", _
      "HKLM\SYSTEM\CurrentControlSet\Control\ComputerName", _
      "HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation", _
      "HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Lsa", _
      "HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin", _
      "HKLM\SYSTEM\CurrentControlSet\Control\Print\Printers", _
      "HKLM\SYSTEM\MountedDevices", _
      "HKLM\SOFTWARE\Policies", _
      cv & "Policies", cv & "Uninstall", cv & "Run", cv & "RunOnce", cv & "RunOnceEx", cv & "RunServices", cv & "RunServicesOnce", _
      cv & "Internet Settings", cv & "Authentication", cv & "WindowsUpdate", cv & "Explorer\AutoplayHandlers", _
      cv & "Explorer\StartupApproved", cv & "Explorer\User Shell Folders", cv & "Appx\AppxAllUserStore\Applications", _
      wow & "Uninstall", wow & "Run", wow & "RunOnce", wow & "RunOnceEx", wow & "Internet Settings", cv & "WSMAN", _
      nt & "ProfileList", nt & "NetworkList", nt & "Image File Execution Options", nt & "SystemRestore", _
      "HKLM\SOFTWARE\Microsoft\PolicyManager\current", _
      "HKLM\SOFTWARE\Microsoft\Windows Portable Devices", _
      "HKLM\SOFTWARE\Microsoft\Windows Defender", _
      "HKLM\SOFTWARE\Microsoft\Security Center", _
      "HKLM\SOFTWARE\Microsoft\Windows Script Host\Settings")
    Tree key
  Next
  Named nt, "ProductName|CurrentBuild|CurrentBuildNumber|UBR|EditionID|InstallationType|DisplayVersion|ReleaseId|CurrentVersion|CSDVersion|InstallDate|SystemRoot"
  ' Never exported: DefaultPassword may lie there in clear. Its presence alone is told.
  Named nt & "Winlogon", "AutoAdminLogon|ForceAutoLogon|AutoLogonCount|DefaultUserName|DefaultDomainName|AltDefaultUserName|AltDefaultDomainName|AutoLogonSID|Shell|Userinit|ScRemoveOption|DisableCAD|CachedLogonsCount|LegalNoticeCaption|LegalNoticeText|DontDisplayLastUserName|?DefaultPassword|?AltDefaultPassword"
  Named cv, "ProgramFilesDir|ProgramFilesDir (x86)|ProgramW6432Dir|CommonFilesDir"
  Named "HKLM\SOFTWARE\Microsoft\Cryptography", "MachineGuid"
  Named nt & "Windows", "AppInit_DLLs|LoadAppInit_DLLs"
  Named "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager", "PendingFileRenameOperations|ProtectionMode|SafeDllSearchMode"
  Named "HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType"
  Named "HKLM\SYSTEM\Select", "Current|Default|LastKnownGood"
  ' Its subkeys are addresses of people: only whether there are any is told.
  key = "HKU\.DEFAULT\Software\Microsoft\IdentityCRL\StoredIdentities"
  If Subkeys(key, text) = 0 And Not IsArray(text) Then Tree key Else Named key, "?Count"
  Named "HKLM\SOFTWARE\Microsoft\Ole", "EnableDCOM"
  Named "HKLM\SOFTWARE\Microsoft\Internet Explorer", "Version|svcVersion"
  Users
End Sub

' The hives that are loaded; classes (_Classes) are not needed.
Sub Users()
  Dim text, line, sid, key, re
  If Not Said("reg.exe query HKU", text) Then
    Failed "registry-users", 0
    Exit Sub
  End If
  manifest.WriteLine "[users]"
  Set re = Pattern("^HKEY_USERS\\(S-1-[0-9-]+)$")
  For Each line In Split(Replace(text, vbCr, ""), vbLf)
    line = Trim(line)
    If re.Test(line) Then manifest.WriteLine "sid+=" & Mid(line, 12)
  Next
  For Each line In Split(Replace(text, vbCr, ""), vbLf)
    line = Trim(line)
    If re.Test(line) Then
      sid = Mid(line, 12)
      For Each key In Array("Control Panel\Desktop", "Network", "Environment", "Printers\Connections", "Software\Policies", _
          "Software\Microsoft\Windows\CurrentVersion\RunOnceEx", "Software\Microsoft\Windows\CurrentVersion\RunServices", _
          "Software\Microsoft\Windows\CurrentVersion\Policies", "Software\Microsoft\Windows\CurrentVersion\Run", _
          "Software\Microsoft\Windows\CurrentVersion\RunOnce", "Software\Microsoft\Windows\CurrentVersion\Uninstall", _
          "Software\Microsoft\Windows\CurrentVersion\Internet Settings", _
          "Software\Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers", _
          "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved", _
          "Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2", _
          "Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders")
        If Len(sid) > 8 Or key <> "Network" Then Tree "HKU\" & sid & "\" & key
      Next
      Named "HKU\" & sid & "\Software\Microsoft\Windows NT\CurrentVersion\Windows", "Load|Run"
      Named "HKU\" & sid & "\Software\Microsoft\Windows NT\CurrentVersion\Winlogon", "Shell"
      Tree "HKU\" & sid & "_Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
      TopKeys sid
    End If
  Next
End Sub

' The names at the top of a hive: they show that it is loaded and may be read.
Sub TopKeys(sid)
  Dim text, line
  If Not Said("reg.exe query ""HKU\" & sid & """", text) Then Exit Sub
  manifest.WriteLine "[hive]"
  manifest.WriteLine "sid=" & sid
  For Each line In Split(Replace(text, vbCr, ""), vbLf)
    If InStr(1, line, "HKEY_USERS\" & sid & "\", vbTextCompare) = 1 Then manifest.WriteLine "key+=" & Escaped(Mid(line, Len(sid) + 13))
  Next
End Sub

Function LongKey(key)
  LongKey = Replace(Replace(key, "HKLM\", "HKEY_LOCAL_MACHINE\", 1, 1), "HKU\", "HKEY_USERS\", 1, 1)
End Function

' What StdRegProv says about a key: 0 there, 2 absent, 5 denied, -1 it does not answer. Names of subkeys in names.
Function Subkeys(key, names)
  On Error Resume Next
  Dim hive, path, code
  names = Null
  Subkeys = -1
  hive = HKLM
  If Left(key, 4) = "HKU\" Then hive = HKU
  path = Mid(key, InStr(key, "\") + 1)
  code = std.EnumKey(hive, path, names)
  If Err.Number = 0 Then Subkeys = code
  Err.Clear
End Function

Function OpenReg(name)
  step = step + 1
  WScript.Echo "[" & Two(step) & "] " & name
  partName = "registry/" & Right("00" & step, 3) & ".reg"
  Set part = fso.CreateTextFile(fso.BuildPath(outDir, Replace(partName, "/", "\")), True, True)
  part.WriteLine "Windows Registry Editor Version 5.00"
  part.WriteLine ""
  part.WriteLine ";ybscan key [" & LongKey(name) & "]"
  partErrors = 0
End Function

Sub CloseReg()
  part.WriteLine ";ybscan end"
  part.Close
  Listed "registry", partName, partErrors
End Sub

' One key with all below it: exported to the local working file, filtered from there, completeness checked against WMI.
Sub Tree(key)
  On Error Resume Next
  Dim code, names, seen, why
  OpenReg key
  why = Subkeys(key, names)
  If why = 2 Then
    part.WriteLine ";ybscan absent"
  ElseIf why = 5 Then
    part.WriteLine ";ybscan error 5 [" & LongKey(key) & "]"
    partErrors = 1
  ElseIf workFile = "" Then
    part.WriteLine ";ybscan error 3 [" & LongKey(key) & "]"
    partErrors = 1
  Else
    RemoveWork
    Err.Clear
    code = shell.Run("""%SystemRoot%\System32\reg.exe"" export """ & key & """ """ & workFile & """ /y", 0, True)
    If code <> 0 Or Err.Number <> 0 Or Not fso.FileExists(workFile) Then
      part.WriteLine ";ybscan error " & (1000 + code) & " [" & LongKey(key) & "]"
      partErrors = 1
    Else
      Set seen = CreateObject("Scripting.Dictionary")
      Filter seen
      If why = 0 Then
        Verify key, seen
        part.WriteLine ";ybscan verified"
      End If
    End If
    RemoveWork
  End If
  Err.Clear
  CloseReg
End Sub

Sub RemoveWork()
  On Error Resume Next
  If fso.FileExists(workFile) Then fso.DeleteFile workFile, True
  Err.Clear
End Sub

' reg.exe leaves out what it may not read and says nothing: each key is asked for once more.
Sub Verify(key, seen)
  Dim names, code, child
  code = Subkeys(key, names)
  If code = 2 Then Exit Sub
  If code <> 0 Then
    part.WriteLine ";ybscan error " & code & " [" & LongKey(key) & "]"
    Exit Sub
  End If
  If reClosedKey.Test(key) Then Exit Sub
  If Not seen.Exists(LCase(LongKey(key))) Then part.WriteLine ";ybscan error 1 [" & LongKey(key) & "]"
  If Not IsArray(names) Then Exit Sub
  For Each child In names
    Verify key & "\" & child, seen
  Next
End Sub

' From the working file to the evidence, value by value, secrets taken out on the way.
Sub Filter(seen)
  On Error Resume Next
  Dim source, line, closed
  Set source = fso.OpenTextFile(workFile, 1, False, -1)
  closed = False
  If Not source.AtEndOfStream Then line = source.ReadLine   ' the header is written already
  Do While Not source.AtEndOfStream And Err.Number = 0
    line = source.ReadLine
    If Left(line, 1) = "[" Then
      closed = reClosedKey.Test(Mid(line, 2, Len(line) - 2))
      seen(LCase(Mid(line, 2, Len(line) - 2))) = 1
      If closed Then part.WriteLine ";ybscan closed " & line Else part.WriteLine line
    ElseIf line = "" Then
      part.WriteLine ""
    Else
      Do While Unfinished(line) And Not source.AtEndOfStream
        line = Joined(line, source.ReadLine)
      Loop
      If Not closed Then part.WriteLine Filtered(line)
    End If
  Loop
  If Err.Number <> 0 Then
    part.WriteLine ";ybscan error " & Err.Number & " [*]"
    partErrors = partErrors + 1
  End If
  Err.Clear
  source.Close
End Sub

' A value goes on in the next line: hex after a backslash, text until its closing quote.
Function Unfinished(line)
  Dim tail
  If HexAt(line) > 0 Then
    Unfinished = (Right(line, 1) = "\")
  ElseIf TextAt(line) > 0 Then
    tail = Replace(Mid(line, TextAt(line)), "\\", "")
    tail = Replace(tail, "\""", "")
    Unfinished = (Right(tail, 1) <> """" Or Len(tail) < 2)
  Else
    Unfinished = False
  End If
End Function

Function Joined(line, more)
  If HexAt(line) > 0 Then
    Joined = Left(line, Len(line) - 1) & Trim(more)
  Else
    Joined = line & vbCrLf & more
  End If
End Function

' Where the data begins in  "name"=hex...  and in  "name"="...  ; 0 for other values.
Function HexAt(line)
  HexAt = 0
  If Mid(line, NameEnd(line) + 1, 4) = "=hex" Then HexAt = NameEnd(line) + 2
End Function

Function TextAt(line)
  TextAt = 0
  If Mid(line, NameEnd(line) + 1, 2) = "=""" Then TextAt = NameEnd(line) + 2
End Function

' The position of the quote that closes the name; 1 for the default value's @.
Function NameEnd(line)
  Dim i
  NameEnd = 1
  If Left(line, 1) <> """" Then Exit Function
  i = 2
  Do While i <= Len(line)
    If Mid(line, i, 1) = "\" Then
      i = i + 1
    ElseIf Mid(line, i, 1) = """" Then
      NameEnd = i
      Exit Function
    End If
    i = i + 1
  Loop
End Function

Function Filtered(line)
  Dim name, data, text
  name = Mid(line, 2, NameEnd(line) - 2 + Abs(NameEnd(line) = 1))
  Filtered = line
  If TextAt(line) > 0 Then
    data = Mid(line, TextAt(line) + 1, Len(line) - TextAt(line) - 1)
    If reSecretName.Test(name) Then
      If data <> "" Then Filtered = Left(line, TextAt(line)) & "***"""
    ElseIf data <> "" Then
      text = Masked(data)
      If text <> data Then Filtered = Left(line, TextAt(line)) & text & """"
    End If
  ElseIf HexAt(line) > 0 Then
    data = Mid(line, InStr(HexAt(line), line, ":") + 1)
    If reSecretName.Test(name) Then
      If data <> "" Then Filtered = Left(line, NameEnd(line)) & "=""***"""
    ElseIf reHexHint.Test(data) Then
      text = HexText(data)
      If Masked(text) <> text Then Filtered = Left(line, NameEnd(line)) & "=""" & Replace(Replace(Masked(text), "\", "\\"), """", "\""") & """"
    End If
  End If
End Function

' UTF-16 in hex as text; what is not ASCII becomes a question mark, which is enough to look for passwords.
Function HexText(data)
  Dim bytes, i, low
  HexText = ""
  bytes = Split(Replace(data, " ", ""), ",")
  For i = 0 To UBound(bytes) - 1 Step 2
    low = CLng("&H" & bytes(i))
    If bytes(i + 1) <> "00" Or low > 126 Then
      HexText = HexText & "?"
    ElseIf low >= 32 Then
      HexText = HexText & Chr(low)
    Else
      HexText = HexText & " "
    End If
  Next
End Function

' Single values of a key that is not exported; "?name" tells only whether there is one.
Sub Named(ByVal key, wanted)
  On Error Resume Next
  Dim name, value, names, why, bare
  If Right(key, 1) = "\" Then key = Left(key, Len(key) - 1)
  OpenReg key
  why = Subkeys(key, names)
  If why = 2 Then
    part.WriteLine ";ybscan absent"
  ElseIf why = 5 Then
    part.WriteLine ";ybscan error 5 [" & LongKey(key) & "]"
    partErrors = 1
  Else
    part.WriteLine ";ybscan named"
    part.WriteLine "[" & LongKey(key) & "]"
    For Each name In Split(wanted, "|")
      bare = Replace(name, "?", "")
      Err.Clear
      value = shell.RegRead(LongKey(key) & "\" & bare)
      If Err.Number = ABSENT_REG Then
        part.WriteLine ";ybscan no """ & bare & """"
      ElseIf Err.Number <> 0 Then
        part.WriteLine ";ybscan unread " & Hex(Err.Number) & " """ & bare & """"
        partErrors = 1
      Else
        NamedValue bare, value, Left(name, 1) = "?"
      End If
      value = Empty
    Next
  End If
  Err.Clear
  CloseReg
End Sub

Sub NamedValue(name, value, secret)
  If secret Then
    If VarType(value) = 8 And value = "" Then
      part.WriteLine """" & name & """="""""
    Else
      part.WriteLine """" & name & """=""***"""
    End If
  ElseIf VarType(value) = 8 Then
    part.WriteLine """" & name & """=""" & Replace(Replace(Masked(value), "\", "\\"), """", "\""") & """"
  ElseIf IsNumeric(value) And Not IsArray(value) Then
    part.WriteLine """" & name & """=dword:" & Right("0000000" & LCase(Hex(value)), 8)
  Else
    part.WriteLine ";ybscan unread 0 """ & name & """"
  End If
End Sub

' ---------------------------------------------------------------- zip

' By the shell's own compressed folders; where that does not work the folder stays as it is.
Sub MakeZip()
  On Error Resume Next
  Dim path, app, file, i, size
  path = outDir & ".zip"
  Set app = CreateObject("Shell.Application")
  If Err.Number <> 0 Then Exit Sub
  Set file = fso.CreateTextFile(path, True, False)
  file.Write "PK" & Chr(5) & Chr(6) & String(18, Chr(0))
  file.Close
  If app.NameSpace(path) Is Nothing Or Err.Number <> 0 Then
    Err.Clear
    fso.DeleteFile path, True
    Exit Sub
  End If
  app.NameSpace(path).CopyHere outDir, 1556
  ' Copying goes on in the background; the file may be opened for appending once it is done.
  size = -1
  For i = 1 To 600
    WScript.Sleep 500
    If app.NameSpace(path).Items.Count > 0 And fso.GetFile(path).Size > 22 Then
      If fso.GetFile(path).Size = size Then
        Err.Clear
        Set file = fso.OpenTextFile(path, 8)
        If Err.Number = 0 Then
          file.Close
          Exit Sub
        End If
      End If
      size = fso.GetFile(path).Size
    End If
    Err.Clear
    If i > 20 And size < 23 Then Exit For
  Next
  fso.DeleteFile path, True
End Sub
