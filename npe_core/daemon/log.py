"""The daemon's log: one JSON object a line for machines, one sentence a line for a person at a terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

LOGGER = logging.getLogger("npe.watch")


class JsonLines(logging.Formatter):
    """``{"time": ..., "level": ..., "event": ..., "job": ...}``"""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower()}
        entry |= {"event": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class Sentences(logging.Formatter):
    """``12:30:05 done ana-0a1b2c3d4e5f: ana.png, ana.json, 1.2 seconds``"""

    def format(self, record: logging.LogRecord) -> str:
        fields = dict(getattr(record, "fields", {}))
        job = fields.pop("job", None)
        told = ", ".join(v if isinstance(v, str) else f"{v:g} {what}" for what, v in fields.items())
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = f"{moment} {record.getMessage()}" + (f" {job}" if job else "") + (f": {told}" if told else "")
        return text + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def log(event: str, level: int = logging.INFO, exc_info: Any = None, **fields: str | float) -> None:
    """One line: what happened, to which job, and what there is to say about it."""
    LOGGER.log(level, event, extra={"fields": fields}, exc_info=exc_info)


def set_up(as_json: bool, stream: Any = None) -> logging.Handler:
    """Sends the log to stderr, or to ``stream``."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Sentences())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    # What watchdog has to say while it is being stopped is no event of ours, and would break the lines of JSON.
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    return handler
