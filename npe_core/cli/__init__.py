"""The ``npe`` command: thin, and quick to start (torch and pillow are imported inside the commands that need them)."""

from npe_core.cli.app import main

__all__ = ["main"]
