"""The parts that the editor's screen holds, each with one thing to do; ``screens/edit.py`` puts them together."""
