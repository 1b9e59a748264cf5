"""The terminal editor, a Textual app over ``npe_core``. Only ``worker`` imports torch, in its own thread."""
