@echo off
rem Collects the evidence of this terminal for ybscan: double-click, or  ybscan-collect.cmd [OUTPUT-FOLDER] [/domain]
rem This file is in GBK, the console's code page on Chinese Windows.
setlocal
title ybscan 采集
rem A 32-bit process sees the real system folder as Sysnative; 64-bit and 32-bit Windows have no such name.
set "CS=%SystemRoot%\System32\cscript.exe"
if exist "%SystemRoot%\Sysnative\cscript.exe" set "CS=%SystemRoot%\Sysnative\cscript.exe"
if not exist "%CS%" goto nohost
if not exist "%~dp0ybscan-collect.vbs" goto noscript
set "OUT=%~1"
set "MORE=%~2"
if /i "%OUT%"=="/domain" set "OUT=" & set "MORE=/domain"
rem No current folder is needed, so a share path without drive letter does as well.
if "%OUT%"=="" set "OUT=%~dp0."
echo 正在采集本机的安全检查信息，只读取，不修改任何设置，约需一至五分钟。
echo 请不要关闭本窗口。
:run
"%CS%" //nologo "%~dp0ybscan-collect.vbs" "%OUT%" %MORE%
set RC=%ERRORLEVEL%
if "%RC%"=="0" echo 采集完成。请把上面显示的文件夹（或同名的 zip）整个复制到检查用的电脑。
if "%RC%"=="4" echo 采集完成，有些内容未能取得（已记录原因，相应检查项将为“无法判定”）。请把上面显示的文件夹（或同名的 zip）整个复制到检查用的电脑。
if "%RC%"=="3" goto elsewhere
if not "%RC%"=="0" if not "%RC%"=="4" echo 采集没有完成（代码 %RC%）。
goto done
:elsewhere
echo 不能写入“%OUT%”。
if not "%~1"=="" goto done
set "OUT="
set /p "OUT=请输入存放结果的文件夹（直接回车则退出）："
if not "%OUT%"=="" goto run
goto done
:nohost
echo 本机没有 cscript.exe（Windows 脚本宿主被移除或停用），不能采集。
set RC=6
goto done
:noscript
echo 找不到 ybscan-collect.vbs，请把它与本文件放在同一文件夹中。
set RC=6
:done
if "%~1"=="" pause
exit /b %RC%
