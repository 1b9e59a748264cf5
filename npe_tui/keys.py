"""Every command of the editor in one table: its key, its name and what it does.

The bindings, the command palette, the help screen and ``docs/terminal.md`` are all made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

from npe_core.regions import REGIONS


@dataclass(frozen=True)
class Command:
    """Something a person can do in the editor."""

    name: str
    """What the config file calls it."""
    keys: str
    """As Textual writes them, separated by commas."""
    action: str
    title: str
    help: str
    group: str
    footer: bool = False
    """Whether the footer has room for it."""

    def bindings(self) -> list[Binding]:
        """For a screen's BINDINGS: the first key for the footer, the others without."""
        first, *others = self.keys.split(",")
        return [
            Binding(first, self.action, self.title, show=self.footer, id=self.name, tooltip=self.help),
            *(Binding(key, self.action, self.title, show=False) for key in others),
        ]

    @property
    def shown_keys(self) -> str:
        """For people, the first two: ``g F5``."""
        return " ".join(display(key) for key in self.keys.split(",")[:2])


REGION_KEYS = "0123456789a"
"""The key of each region: its id, in hexadecimal digits."""

COMMANDS: tuple[Command, ...] = (
    Command("enhance", "g,f5", "enhance", "Enhance", "Turn the paint into a photograph", "Run", True),
    Command("cancel", "escape", "cancel", "Cancel", "Stop what is running; close a panel; lift the pen", "Run"),
    Command("variants", "v", "variants", "Variants", "The same edit with four seeds, to choose from", "Run", True),
    Command("study", "t", "study", "Study", "The timestep study: what rising strength does", "Run"),
    Command("weaker", "comma", "timestep(-10)", "Weaker", "Ten timesteps less", "Run"),
    Command("stronger", "full_stop", "timestep(10)", "Stronger", "Ten timesteps more", "Run"),
    Command("smoother", "semicolon", "sharpness(-0.1)", "Smoother", "Sharpness: a tenth less invented detail", "Run"),
    Command("sharper", "colon", "sharpness(0.1)", "Sharper", "Sharpness: a tenth more invented detail", "Run"),
    Command("seed", "s", "new_seed", "New seed", "Draw another seed and keep it", "Run"),
    *(
        Command(
            f"region_{region.name}",
            key,
            f"region({region.id})",
            f"Fill {region.name}",
            f"Fill the {region.name} with the colour",
            "Pick",
        )
        for region, key in zip(REGIONS, REGION_KEYS, strict=True)
    ),
    Command("pick", "p", "tool('pick')", "Pick", "Tool: a click fills the region under it", "Pick", True),
    Command("piece", "w", "piece", "Whole or piece", "Pick whole regions, or the connected piece", "Pick"),
    Command("brush", "b", "tool('brush')", "Brush", "Tool: paint with the colour", "Paint", True),
    Command("marker", "k", "tool('marker')", "Marker", "Tool: mark only, to be imagined anew", "Paint"),
    Command("eraser", "e", "tool('eraser')", "Eraser", "Tool: take paint and mask away", "Paint", True),
    Command("dropper", "i", "tool('dropper')", "Dropper", "Tool: take a colour from the picture", "Paint"),
    Command("smaller", "left_square_bracket", "radius(0.8)", "Smaller", "A smaller brush", "Paint"),
    Command("larger", "right_square_bracket", "radius(1.25)", "Larger", "A larger brush", "Paint"),
    Command("softer", "left_curly_bracket", "hardness(-0.1)", "Softer", "A softer brush", "Paint"),
    Command("harder", "right_curly_bracket", "hardness(0.1)", "Harder", "A harder brush", "Paint"),
    Command("dab", "space", "dab", "Use tool", "Use the tool at the keyboard cursor", "Paint"),
    Command("pen", "enter", "pen", "Pen", "Put the brush down or lift it; the arrows draw", "Paint"),
    Command("undo", "u,ctrl+z", "undo", "Undo", "Take the last step back", "Paint", True),
    Command("redo", "r,ctrl+y", "redo", "Redo", "Do it again", "Paint"),
    Command("feather", "f", "mask('feather')", "Feather", "Soften the mask inwards by the brush's radius", "Mask"),
    Command("grow", "greater_than_sign", "mask('grow')", "Grow", "Widen the mask by half the radius", "Mask"),
    Command("shrink", "less_than_sign", "mask('shrink')", "Shrink", "Narrow the mask by half the radius", "Mask"),
    Command("invert", "tilde", "mask('invert')", "Invert", "Edit what was kept, keep what was edited", "Mask"),
    Command("clear", "delete", "mask('clear')", "Clear", "Take all paint and mask away", "Mask"),
    Command("compare", "c", "compare", "Before/after", "Show the photo as it was, and back", "See", True),
    Command("beside", "d", "beside", "Divider", "Before and after: divider, side by side, off", "See"),
    Command("divider_left", "left_parenthesis", "divider(-0.1)", "Divider left", "Move the divider", "See"),
    Command("divider_right", "right_parenthesis", "divider(0.1)", "Divider right", "Move the divider", "See"),
    Command("map", "m", "map", "Map", "Show the regions over the photo, and back", "See"),
    Command("outline", "n", "outline", "Outline", "Show or hide the edge of the mask", "See"),
    Command("zoom_in", "plus,equals_sign", "zoom(1.25)", "Zoom in", "Closer; the wheel zooms at the pointer", "See"),
    Command("zoom_out", "minus", "zoom(0.8)", "Zoom out", "Farther", "See"),
    Command("fit", "home", "fit", "Whole photo", "The whole photo", "See"),
    Command("actual", "end", "actual", "Pixel by pixel", "A dot for each pixel of the photo", "See"),
    Command("still", "f7", "still", "All pixels", "All pixels, in terminals with kitty's or iTerm2's graphics", "See"),
    Command("regions", "f2", "panel('regions')", "Panel: regions", "Go to the regions", "See"),
    Command("colours", "f3", "panel('colour')", "Panel: colour", "Go to the colours", "See"),
    Command("brushes", "f4", "panel('brush')", "Panel: brush", "Go to brush and mask", "See"),
    Command("strength", "f6", "panel('strength')", "Panel: strength", "Go to the strength", "See"),
    Command("open", "o", "open", "Open", "Open another photo", "File"),
    Command("face", "x", "face", "Face", "Choose another face of the photo", "File"),
    Command("save", "ctrl+s", "save", "Save", "Save the edited photo", "File", True),
    Command("save_as", "S", "save_as", "Save as", "Save the edited photo under another name", "File"),
    Command("save_paint", "P", "save_paint", "Save paint", "Save paint and mask, for npe edit --paint", "File"),
    Command("reload", "L", "reload", "Load models", "Try again to load the models", "File"),
)

APP_COMMANDS: tuple[Command, ...] = (
    Command("help", "f1,question_mark", "help", "Help", "All keys", "Program", True),
    Command("palette", "ctrl+p", "command_palette", "Palette", "Every command by its name", "Program"),
    Command("theme", "T", "next_theme", "Theme", "The next theme: dark, light, ansi", "Program"),
    Command("quit", "q,ctrl+q", "leave", "Quit", "Leave the editor", "Program", True),
)

VIEW_KEYS = [
    ("arrows", "Move the keyboard cursor by a dot; with Shift by eight"),
    ("^arrows", "Pan; so does a drag with the middle button, or right after Space"),
    ("Tab", "To the next control; arrows, Enter and digits work in all of them"),
]
"""What the picture itself does with keys: (keys, what they do)."""

_DISPLAY = {
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "comma": ",",
    "semicolon": ";",
    "colon": ":",
    "full_stop": ".",
    "tilde": "~",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
}


def display(key: str) -> str:
    """A key as people write it."""
    if key in _DISPLAY:
        return _DISPLAY[key]
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return key.upper() if key.startswith("f") and key[1:].isdigit() else key
