"""The engine as the screens see it: its thread, the jobs given to it, and what it tells."""
