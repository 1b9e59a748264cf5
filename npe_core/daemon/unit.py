"""The systemd unit of the daemon."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from npe_core.daemon.folders import Folders

_UNIT = """\
# npe watch --print-unit > /etc/systemd/system/npe.service; docs/watch-folder.md has the rest.
[Unit]
Description=Neural Photo Editor: watch folder {inbox}
RequiresMountsFor={inbox} {outbox} {failed}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
User=npe
Group=npe
UMask=0007
ExecStart={command}
WatchdogSec=120
TimeoutStartSec=120
TimeoutStopSec=60
# 4 is a device that failed and comes back with a new process; wrong usage and a second daemon do not get better.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 5

# The inbox is untrusted. The daemon reads pictures, writes its three folders, and needs nothing else.
ReadWritePaths={inbox} {outbox} {failed}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
NoNewPrivileges=yes
CapabilityBoundingSet=
DevicePolicy=closed
DeviceAllow=char-nvidia* rw
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
MemoryMax=80%

[Install]
WantedBy=multi-user.target
"""


def unit_text(folders: Folders, options: list[str]) -> str:
    """The unit for these folders; ``options`` are further words of the ``npe watch`` command line."""
    words = [program(), "watch", "--inbox", str(folders.inbox), "--outbox", str(folders.outbox)]
    words += ["--failed", str(folders.failed), *options]
    paths = {name: quoted(str(getattr(folders, name))) for name in ("inbox", "outbox", "failed")}
    return _UNIT.format(command=" ".join(quoted(word) for word in words), **paths)


def program() -> str:
    """The ``npe`` command, by its whole path."""
    beside = Path(sys.executable).parent / "npe"
    return str(beside) if beside.exists() else shutil.which("npe") or "/usr/bin/env npe"


def quoted(word: str) -> str:
    """A word for a unit file: systemd's quotes, and its % and $ doubled."""
    word = word.replace("%", "%%").replace("$", "$$")
    if shlex.quote(word) == word:
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
