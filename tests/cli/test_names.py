"""Names of files are written to a terminal as letters, whatever they would have it do."""

import numpy as np
import pytest
from PIL import Image

from npe_core.cli.app import run
from npe_core.cli.options import show_notes
from npe_core.filenames import printable, printable_lines
from npe_core.photo import Photo

EVIL = "\x1b]52;c;aGk=\x07\x9b31m\n.png"
SPELT = r"\x1b]52;c;aGk=\x07\x9b31m\n.png"


class Editor:
    """Upscales to the same picture."""

    def __init__(self, device):
        pass

    def upscale(self, picture, sharpness, advance):
        return picture


@pytest.mark.parametrize(("words", "code"), [((), 2), (("faces",), 2), (("upscale",), 0)])
def test_what_a_command_says_of_a_file_has_no_control_characters(words, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("npe_core.faces.find_faces", lambda image: [])
    monkeypatch.setattr("npe_core.editor.Editor", Editor)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(EVIL)
    out = ["-o", f"large {EVIL}"] if words[:1] == ("upscale",) else []
    assert run([*words, EVIL, *out]) == code
    told = capsys.readouterr()
    told = told.out + told.err
    assert SPELT in told and told.rstrip("\n").replace("\n", "").isprintable()
    if not code:
        assert Photo.open(tmp_path / f"large {EVIL}").size == (64, 64), "the file has its true name"


def test_a_note_has_no_control_characters(capsys):
    show_notes([f"about {EVIL}"])
    assert capsys.readouterr().err == "npe: note: about " + printable_lines(EVIL) + "\n"


def test_lines_stay_lines_and_spaces_of_any_width_and_joiners_what_they_are():
    assert printable_lines("a\x1b\nb\r\n") == "a\\x1b\nb\\r\n"
    name = "写真\u3000Screenshot 9.41\u202fAM\xa0می\u200cک 👩\u200d🎨.png"
    assert printable(name) == name and printable("a\u2028\u202e") == r"a\u2028\u202e"
