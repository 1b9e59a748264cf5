"""The engine of the Neural Photo Editor: edits of exactly the marked pixels of a portrait."""

__version__ = "0.1.0"
