"""The systemd unit of the daemon."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from npe_core.daemon.folders import Folders

START = 120
"""Seconds that a daemon may take to load the models and to take up what a former one left."""

_UNIT = """\
# npe watch --print-unit > /etc/systemd/system/npe.service; docs/watch-folder.md has the rest.
[Unit]
Description=Neural Photo Editor: watch folder {name}
RequiresMountsFor={folders}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
User=npe
Group=npe
UMask=0007
{environment}ExecStart={command}
WatchdogSec=120
TimeoutStartSec={start}
TimeoutStopSec=60
# 4 is a device that failed and comes back with a new process; wrong usage and a second daemon do not get better.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 5

# The inbox is untrusted. The daemon reads pictures, writes its folders, and needs nothing else.
ReadWritePaths={writable}
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


def unit_text(folders: Folders, options: list[str], metrics: Path | None = None, weights: Path | None = None) -> str:
    """The unit for these folders; ``options`` are further words of the ``npe watch`` command line.

    ``metrics``: the file for Prometheus, where one is wanted. ``weights``: the folder that NPE_WEIGHTS names, if it is
    set.
    """
    first, *words = program()
    words += ["watch", "--inbox", str(folders.inbox), "--outbox", str(folders.outbox), "--failed", str(folders.failed)]
    if metrics is not None:
        words += ["--metrics", str(metrics)]
    later = (quoted(word).replace("$", "$$") for word in [*words, *options])  # in which systemd looks for variables
    own = [folders.inbox, folders.outbox, folders.failed]
    writable = own if metrics is None else [*own, metrics.parent]
    return _UNIT.format(
        name=str(folders.inbox).replace("%", "%%"),
        folders=" ".join(quoted(str(folder)) for folder in own),
        writable=" ".join(quoted(str(folder)) for folder in writable),
        environment="" if weights is None else f"Environment={quoted(f'NPE_WEIGHTS={weights}')}\n",
        command=" ".join([quoted(first), *later]),
        start=START,
    )


def program() -> list[str]:
    """The words that run ``npe``, the first by its whole path."""
    beside = Path(sys.executable).parent / "npe"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "npe_core"]


def quoted(word: str) -> str:
    """A word for a unit file: systemd's quotes, and its % doubled."""
    word = word.replace("%", "%%")
    if shlex.quote(word) == word:
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
