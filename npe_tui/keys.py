"""Every command of the editor in one table: its key, its name and what it does.

The bindings, the command palette, the help screen and ``docs/terminal.md`` are all made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from textual.binding import Binding, InvalidBinding
from textual.keys import REPLACED_KEYS, Keys, key_to_character

from npe_core import spelling
from npe_core.errors import UsageError
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

    @property
    def binding(self) -> Binding:
        """For BINDINGS; the settings replace its keys by its name, all together."""
        is_told = self.name in KEY_LINE
        return Binding(self.keys, self.action, self.title, show=is_told, id=self.name, tooltip=self.help)

    @property
    def shown_keys(self) -> str:
        """For people, the first two: ``g F5``."""
        return " ".join(display(key) for key in keys_of(self)[:2])


REGION_KEYS = "0123456789a"
"""The key of each region: its id, in hexadecimal digits."""

KEY_LINE = (
    "enhance",
    "save",
    "help",
    "quit",
    "pick",
    "brush",
    "eraser",
    "undo",
    "compare",
    "open",
    "variants",
    "study",
    "stronger",
    "weaker",
    "colours",
    "strength",
    "brushes",
    "regions",
    "face",
    "marker",
    "redo",
)
"""Names of the commands that the line at the bottom tells of, as many as there is room for: the important first."""

COMMANDS: tuple[Command, ...] = (
    Command("enhance", "g,f5", "enhance", "Enhance", "Turn the paint into a photograph", "Run"),
    Command(
        "cancel", "escape", "cancel", "Cancel", "Stop what is running; close a panel; lift the pen, leave a fill", "Run"
    ),
    Command("variants", "v", "variants", "Variants", "The same edit with four seeds, to choose from", "Run"),
    Command("study", "t", "study", "Study", "The timestep study: what rising strength does", "Run"),
    Command("weaker", "comma", "timestep(-10)", "Weaker", "Ten timesteps less", "Run"),
    Command("stronger", "full_stop", "timestep(10)", "Stronger", "Ten timesteps more", "Run"),
    Command("smoother", "semicolon", "sharpness(-0.1)", "Smoother", "Sharpness: a tenth less invented detail", "Run"),
    Command("sharper", "colon", "sharpness(0.1)", "Sharper", "Sharpness: a tenth more invented detail", "Run"),
    Command("seed", "s", "new_seed", "New seed", "Draw another seed, for the next picture", "Run"),
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
    Command("pick", "p", "tool('pick')", "Pick", "Tool: a click fills the region under it", "Pick"),
    Command("piece", "w", "picks", "Whole, piece, several", "Pick whole regions, pieces, or several as one", "Pick"),
    Command("brush", "b", "tool('brush')", "Brush", "Tool: paint with the colour", "Paint"),
    Command("marker", "k", "tool('marker')", "Marker", "Tool: mark only, to be imagined anew", "Paint"),
    Command("eraser", "e", "tool('eraser')", "Eraser", "Tool: take paint and mask away", "Paint"),
    Command("dropper", "i", "tool('dropper')", "Dropper", "Tool: take a colour from the picture", "Paint"),
    Command("smaller", "left_square_bracket", "radius(0.8)", "Smaller", "A smaller brush", "Paint"),
    Command("larger", "right_square_bracket", "radius(1.25)", "Larger", "A larger brush", "Paint"),
    Command("softer", "left_curly_bracket", "hardness(-0.1)", "Softer", "A softer brush", "Paint"),
    Command("harder", "right_curly_bracket", "hardness(0.1)", "Harder", "A harder brush", "Paint"),
    Command("tint", "l", "tint", "Flat or tint", "Brush: flat colour, or one with the photo's light", "Paint"),
    Command("dab", "space", "dab", "Use tool", "Use the tool at the keyboard cursor", "Paint"),
    Command("pen", "enter", "pen", "Pen", "Put the brush down or lift it; the arrows draw", "Paint"),
    Command("undo", "u,ctrl+z", "undo", "Undo", "Take the last step back", "Paint"),
    Command("redo", "r,ctrl+y", "redo", "Redo", "Do it again", "Paint"),
    Command("feather", "f", "mask('feather')", "Feather", "Soften the mask inwards by the brush's radius", "Mask"),
    Command("grow", "greater_than_sign", "mask('grow')", "Grow", "Widen the mask by half the radius", "Mask"),
    Command("shrink", "less_than_sign", "mask('shrink')", "Shrink", "Narrow the mask by half the radius", "Mask"),
    Command("invert", "tilde", "mask('invert')", "Invert", "Edit what was kept, keep what was edited", "Mask"),
    Command("clear", "delete", "mask('clear')", "Clear", "Take all paint and mask away", "Mask"),
    Command("compare", "c", "compare", "Before/after", "Show the photo as it was, and back", "See"),
    Command("beside", "d", "beside", "Divider", "Before and after: divider, side by side, off", "See"),
    Command("divider_left", "left_parenthesis", "divider(-0.1)", "Divider left", "Move the divider", "See"),
    Command("divider_right", "right_parenthesis", "divider(0.1)", "Divider right", "Move the divider", "See"),
    Command("map", "m", "map", "Map", "Show the regions over the photo, and back", "See"),
    Command("outline", "n", "outline", "Outline", "Show or hide the edge of the mask", "See"),
    Command("zoom_in", "plus,equals_sign", "zoom(1.25)", "Zoom in", "Closer; the wheel zooms at the pointer", "See"),
    Command("zoom_out", "minus", "zoom(0.8)", "Zoom out", "Farther", "See"),
    Command("fit", "home", "fit", "Whole photo", "The whole photo", "See"),
    Command("actual", "end", "actual", "Pixel by pixel", "A dot for each pixel of the photo", "See"),
    Command(
        "still", "f7", "still", "All pixels", "All pixels, by kitty's or iTerm2's graphics; any key goes back", "See"
    ),
    Command("regions", "f2", "panel('regions')", "Panel: regions", "Go to the regions", "See"),
    Command("colours", "f3", "panel('colour')", "Panel: colour", "Go to the colours", "See"),
    Command("brushes", "f4", "panel('brush')", "Panel: brush", "Go to brush and mask", "See"),
    Command("strength", "f6", "panel('strength')", "Panel: strength", "Go to the strength", "See"),
    Command("open", "o", "open", "Open", "Open another photo", "File"),
    Command("face", "x", "face", "Face", "Choose another face of the photo", "File"),
    Command("save", "ctrl+s", "save", "Save", "Save the edited photo", "File"),
    Command("save_as", "S", "save_as", "Save as", "Save the edited photo under another name", "File"),
    Command("save_paint", "P", "save_paint", "Save paint", "Save paint and mask, for npe edit --paint", "File"),
    Command("reload", "L", "reload", "Load models", "Try again to load the models", "File"),
)

APP_COMMANDS: tuple[Command, ...] = (
    Command("help", "f1,question_mark", "help", "Help", "All keys", "Program"),
    Command("palette", "ctrl+p", "command_palette", "Palette", "Every command by its name", "Program"),
    Command("theme", "T", "next_theme", "Theme", "The next theme: dark, light, ansi", "Program"),
    Command("quit", "q,ctrl+q", "leave", "Quit", "Leave the editor", "Program"),
)

ZOOM = ("zoom_in", "zoom_out", "fit", "actual", "still")
"""Names of the commands that every picture knows, not only the editor's."""

VIEW_KEYS = [
    ("arrows", "Move the keyboard cursor by a dot; with Shift by eight"),
    ("^arrows", "Pan; so does a drag with the middle or the right button"),
    ("Tab", "To the next control; arrows, Enter, Space and digits are then for it alone"),
]
"""What the picture itself does with keys: (keys, what they do)."""

_MODIFIERS = frozenset(["ctrl", "shift", "alt", "meta", "super", "hyper"])
_KEYS = frozenset([*REPLACED_KEYS, *(key.value for key in Keys)])
"""Keys that no Unicode name tells."""


def with_keys(commands: tuple[Command, ...], keymap: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands with the keys of the settings: name -> keys, instead of the built-in ones."""
    return tuple(replace(command, keys=keymap.get(command.name, command.keys)) for command in commands)


def key_to(name: str, keymap: Mapping[str, str]) -> str:
    """The first key of a command, for messages: what it is now, not what it was built in as."""
    (command,) = with_keys(tuple(one for one in (*COMMANDS, *APP_COMMANDS) if one.name == name), keymap)
    return display(keys_of(command)[0])


def check(keymap: Mapping[str, object]) -> None:
    """Raises UsageError for a command or a key that there is not, and for a key that two commands would have."""
    names = [command.name for command in (*COMMANDS, *APP_COMMANDS)]
    for name, keys in keymap.items():
        spelling.check("command", name, names)
        if not isinstance(keys, str):
            raise UsageError(f'The keys of {name!r} are text, for example {name} = "ctrl+e,f5", not {keys!r}.')
    owners: dict[str, str] = {}
    for command in with_keys((*COMMANDS, *APP_COMMANDS), keymap):  # type: ignore[arg-type]  # all are text
        for key in keys_of(command):
            if owners.setdefault(key, command.name) != command.name:
                raise UsageError(f"Both {owners[key]!r} and {command.name!r} would have the key {key!r}: change one.")


def region_keys(keymap: Mapping[str, str]) -> list[str]:
    """The first key of each region, a space where that is more than a character."""
    shown = [display(keys_of(fill)[0]) for fill in with_keys(COMMANDS, keymap) if fill.name.startswith("region_")]
    return [key if len(key) == 1 else " " for key in shown]


def keys_of(command: Command) -> list[str]:
    """The names of its keys. Raises UsageError for a key that there is not."""
    try:
        keys = [binding.key for binding in Binding.make_bindings([command.binding])]
    except InvalidBinding:
        raise UsageError(f"The command {command.name!r} has no key; leave it out to keep the built-in ones.") from None
    for key in keys:
        *modifiers, last = key.split("+")
        if not (_MODIFIERS.issuperset(modifiers) and (last in _KEYS or key_to_character(last))):
            raise UsageError(f"There is no key {key!r}, which {command.name!r} should have.")
    return keys


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
