"""The hand of the person: what pointer, keyboard and colour do to the canvas."""
