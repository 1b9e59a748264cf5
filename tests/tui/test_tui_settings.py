"""Settings, recent files, named colours, strengths: what surrounds the editor and needs no screen."""

import importlib.util
from datetime import date
from pathlib import Path

import pytest

from npe_core.colour import parse_colour
from npe_core.editor.recipe import Recipe
from npe_core.errors import UsageError
from npe_core.regions import REGION_NAMES, REGIONS
from npe_core.strength import Strength, check_strength
from npe_tui import config
from npe_tui.config import Config
from npe_tui.document import edit_settings
from npe_tui.files.recent import Recent
from npe_tui.hand.palette import PALETTE, from_hsv, group_for, name_of, parse, to_hsv
from npe_tui.keys import APP_COMMANDS, COMMANDS, REGION_KEYS, region_keys, with_keys


def written(tmp_path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_a_file_and_over_it_the_environment(tmp_path):
    path = written(tmp_path, 'theme = "npe-light"\ntimestep = 300\n[keys]\nenhance = "ctrl+e"\n')
    loaded = config.load(path, {"NPE_TUI_TIMESTEP": "220", "NPE_TUI_HARDNESS": "0.5"})
    assert (loaded.theme, loaded.timestep, loaded.hardness) == ("npe-light", 220, 0.5)
    assert loaded.keys == {"enhance": "ctrl+e"}
    assert not loaded.tint and config.load(path, {"NPE_TUI_TINT": "True", "NPE_TUI_OPACITY": "0.5"}).tint
    with pytest.raises(UsageError, match="'NPE_TUI_TINT' is true or false, not 'yes'"):
        config.load(path, {"NPE_TUI_TINT": "yes"})


def test_the_environment_names_another_file(tmp_path):
    path = written(tmp_path, "radius = 3\n")
    assert config.load(None, {"NPE_TUI_CONFIG": str(path)}).radius == 3
    with pytest.raises(UsageError, match="no config file"):
        config.load(None, {"NPE_TUI_CONFIG": str(tmp_path / "none.toml")})


def test_what_is_wrong_is_told_with_where_it_may_be_set(tmp_path):
    with pytest.raises(UsageError, match=r"'rot' is not a colour.* See NPE_TUI_COLOUR\.$"):
        config.load(None, {"NPE_TUI_COLOUR": "rot"})
    path = written(tmp_path, 'colour = "rot"\n')
    with pytest.raises(UsageError, match=r"See .*config\.toml, NPE_TUI_STEPS\.$"):
        config.load(path, {"NPE_TUI_STEPS": "4", "NPE_TUI_CONFIG": "another"})
    with pytest.raises(UsageError, match=r"Did you mean 'theme'.*See NPE_TUI_THEMA"):
        config.load(None, {"NPE_TUI_THEMA": "npe-dark"})


def test_no_file_is_no_error():
    assert config.load(None, {}) == Config()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('them = "x"', "Did you mean 'theme'"),
        ("theme = 3", "is text, not 3"),
        ('timestep = "much"', "is a number, not 'much'"),
        ("timestep = true", "is a number"),
        ("hardness = 2.0", "between 0 and 1"),
        ("opacity = 0", "between 0.1 and 1"),
        ("tint = 1", "is true or false, not 1"),
        ("sharpness = 2", "between 0 and 1"),
        ("max_megapixels = nan", "between 0.01 and 1"),
        ("keys = 3", "is a table"),
        ('theme = "npe-lihgt"', "no theme 'npe-lihgt'. Did you mean 'npe-light'"),
        ('depth = "5bits"', "no depth '5bits'. Did you mean '5bit'"),
        ('depth = "25"', "no depth '25'"),
        ('graphics = "kity"', "no graphics protocol 'kity'. Did you mean 'kitty'"),
        ('device = "cuad:0"', "no device 'cuad'. Did you mean 'cuda'"),
        ('colour = "bluish"', "'bluish' is not a colour"),
        ('[keys]\nenhnce = "ctrl+e"', "no command 'enhnce'. Did you mean 'enhance'"),
        ("[keys]\nenhance = 5", "keys of 'enhance' are text"),
        ('[keys]\nenhance = "ctrl+plus+foo"', "no key 'ctrl\\+plus\\+foo', which 'enhance'"),
        ('[keys]\nenhance = "f99"', "no key 'f99'"),
        ('[keys]\nenhance = ""', "'enhance' has no key"),
        ('[keys]\nenhance = "b"', "Both 'enhance' and 'brush' would have the key 'b'"),
        ('[keys]\nweaker = "-"', "Both 'weaker' and 'zoom_out' would have the key 'minus'"),
        ("theme = ", "cannot be read"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path, text, told):
    with pytest.raises(UsageError, match=told):
        config.load(written(tmp_path, text), {})


def test_a_variable_that_is_no_number_is_said():
    with pytest.raises(UsageError, match="NPE_TUI_STEPS"):
        config.load(None, {"NPE_TUI_STEPS": "few"})


def test_strength_starts_where_the_engine_does():
    start, engine = edit_settings.initial(Config()), Recipe()
    assert (start.timestep, start.steps, start.sampler) == (engine.timestep, engine.steps, engine.sampler)
    assert start.sharpness == engine.sharpness


def test_presets_of_the_settings_join_the_built_in_ones():
    found = edit_settings.presets(Config(presets={"careful": {"timestep": 120, "steps": 20}}))
    assert list(found) == ["subtle", "dramatic", "careful"]
    assert (found["careful"].timestep, found["careful"].steps) == (120, 20)
    assert 200 <= found["subtle"].timestep <= 300 < 350 <= found["dramatic"].timestep <= 475
    for wrong, told in (
        (5, "is a table"),
        ({"timestep": 500}, "between 1 and 499"),
        ({"speed": 3}, "has 'speed'; it can have timestep, steps, sampler, sharpness"),
        ({"sampler": "euler"}, "dpmpp"),
        ({"sharpness": 1.5}, "between 0 and 1"),
        ({"timestep": "much"}, "'timestep' is a string, expected a whole number"),
        ({"steps": date(2026, 1, 1)}, "'steps' is a date, expected a whole number"),
    ):
        with pytest.raises(UsageError, match=f"The preset 'x'.*{told}"):
            edit_settings.presets(Config(presets={"x": wrong}))


@pytest.mark.parametrize("wrong", [{"timestep": 500}, {"timestep": 0}, {"steps": 0}, {"sampler": "euler"}])
def test_a_strength_is_refused_in_the_words_of_an_edit(wrong):
    told = []
    for refuse in (
        lambda values: edit_settings.initial(Config(**values)),
        lambda values: check_strength(**vars(Strength()) | values),
    ):
        with pytest.raises(UsageError) as caught:
            refuse(wrong)
        told.append(str(caught.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 2**63}, {"seed": "7"}, {"timestep": 500}, {"sharpness": 2.0}])
def test_parameters_that_no_edit_has_are_not_taken_up(wrong):
    made = {"timestep": 250, "steps": 4, "sampler": "lcm", "sharpness": 1.0, "seed": 7}
    assert edit_settings.of_parameters(made) == edit_settings.EditSettings(**made)
    assert edit_settings.of_parameters(made | wrong) is None


def test_a_weak_edit_has_as_many_steps_as_it_has_room_for():
    weak = edit_settings.initial(Config(timestep=3, steps=20))
    assert weak.steps == 20 and weak.strength == Strength(3, 3)


def test_sharpness_of_the_settings_and_of_a_preset(tmp_path):
    settings = config.load(written(tmp_path, "sharpness = 0.5\n[presets.soft]\nsharpness = 0\n"), {})
    assert edit_settings.initial(settings).sharpness == 0.5
    found = edit_settings.presets(settings)
    assert found["subtle"].sharpness == 0.5 and found["soft"].sharpness == 0
    whole = edit_settings.initial(config.load(None, {"NPE_TUI_SHARPNESS": "1"})).sharpness
    assert (whole, type(whole)) == (1.0, float)  # a whole number would not be read back from a saved file


@pytest.mark.parametrize("text", ['colour = "#ABC"', 'colour = "aabbcc"'])
def test_a_colour_may_be_written_as_anywhere_else(tmp_path, text):
    assert config.load(written(tmp_path, text), {}).colour == "#aabbcc"


def test_a_key_may_go_from_one_command_to_another(tmp_path):
    text = '[keys]\nweaker = "-, ctrl+minus"\nzoom_out = "f9"\nquit = "Q,ctrl+@"\n'
    keymap = config.load(written(tmp_path, text), {}).keys
    shown = {command.name: command.shown_keys for command in with_keys((*COMMANDS, *APP_COMMANDS), keymap)}
    assert (shown["weaker"], shown["zoom_out"], shown["quit"]) == ("- ^minus", "F9", "Q ^@")
    assert shown["zoom_in"] == "+ ="


def test_the_legend_has_the_keys_of_the_settings():
    keys = region_keys({"region_hair": "h", "region_lips": "ctrl+l"})
    assert "".join(keys) == "01234 6h89a"


def test_a_drawn_seed_leaves_room_for_variants():
    drawn = edit_settings.EditSettings(250, 10, "dpmpp").with_seed()
    assert 0 <= drawn.seed < 2**31 - 4
    assert drawn.with_seed() is drawn


def test_hsv_goes_there_and_back():
    for swatches in PALETTE.values():
        for swatch in swatches:
            assert from_hsv(*to_hsv(swatch.colour)) == swatch.colour


def test_a_colour_is_written_in_digits_or_by_its_name():
    assert parse("#8b2500") == parse("8B2500") == parse("auburn") == parse("Auburn  hair") == "#8b2500"
    assert parse("#abc") == "#aabbcc"
    assert parse("brown", "eyes") == parse("brown eyes", "hair") == "#5c3a1e"
    assert parse("brown", "recent") == parse("brown hair", "eyes") == "#6b4423"
    for swatches in PALETTE.values():
        for swatch in swatches:
            assert parse(name_of(swatch.colour)) == swatch.colour
    for wrong in ("", "#8b25", "auburnish"):
        with pytest.raises(UsageError, match="is no colour"):
            parse(wrong)


def test_a_part_of_a_name_is_enough_where_one_colour_has_it():
    assert name_of(parse("plat")) == "platinum hair"
    assert name_of(parse("ash b", "hair")) == "ash blond hair"
    assert name_of(parse("honey", "lips")) == "honey blond hair"
    assert name_of(parse("dark", "eyes")) == "dark brown eyes", "the group that is offered goes before the others"
    assert parse("fed") == "#ffeedd", "and a colour in digits before a part of a name"
    for text, group, told in (
        ("blond", "hair", "'blond' could be dark blond, honey blond or ash blond."),
        ("Blond hair", "eyes", "'Blond hair' could be dark blond, honey blond or ash blond."),
        ("dark", "recent", "'dark' could be dark brown hair, dark blond hair or dark brown eyes."),
    ):
        with pytest.raises(UsageError) as caught:
            parse(text, group)
        assert str(caught.value) == told
    for wrong in ("hair", "lond", "z", " "):
        with pytest.raises(UsageError, match="is no colour"):
            parse(wrong, "hair")


def test_every_region_has_swatches_and_every_swatch_a_name():
    assert {group_for(name) for name in REGION_NAMES} <= set(PALETTE)
    assert name_of("#8b2500") == "auburn hair" and name_of("#123456") is None
    for swatches in PALETTE.values():
        assert len({parse_colour(swatch.colour) for swatch in swatches}) == len(swatches)


def test_recent_files_are_kept_newest_first_and_forgotten_when_gone(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.touch(), second.touch()
    recent = Recent(tmp_path / "state")
    for path in (first, second, first):
        recent.add_photo(path)
    again = Recent(tmp_path / "state")
    assert again.photos == [first, second]
    first.unlink()
    assert again.photos == [second]


def test_two_sessions_keep_each_others_recent_colours(tmp_path):
    one, other = Recent(tmp_path), Recent(tmp_path)
    one.add_colour("#111111")
    other.add_colour("#222222")
    one.add_colour("#333333")
    assert one.colours == Recent(tmp_path).colours == ["#333333", "#222222", "#111111"]


def test_a_colour_that_is_picked_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr("os.fsync", flushed.append)
    Recent(tmp_path).add_colour("#112233")
    assert Recent(tmp_path).colours == ["#112233"] and not flushed


def test_damaged_recent_files_are_no_obstacle(tmp_path):
    (tmp_path / "recent.json").write_text('["not", "an object"]')
    recent = Recent(tmp_path)
    recent.add_colour("#112233")
    assert Recent(tmp_path).colours == ["#112233"]


def test_every_command_has_a_name_and_a_key_of_its_own():
    names = [command.name for command in (*COMMANDS, *APP_COMMANDS)]
    keys = [key for command in (*COMMANDS, *APP_COMMANDS) for key in command.keys.split(",")]
    assert len(set(names)) == len(names) and len(set(keys)) == len(keys)
    assert len(REGION_KEYS) == len(REGIONS) and [int(key, 16) for key in REGION_KEYS] == [r.id for r in REGIONS]


def test_the_page_about_the_editor_has_the_keys_as_they_are():
    source = Path(__file__).parents[2] / "docs" / "make_terminal_pages.py"
    specification = importlib.util.spec_from_file_location("make_terminal_pages", source)
    pages = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(pages)
    page = pages.PAGE.read_text(encoding="utf-8")
    assert pages.with_tables(page) == page, "run python docs/make_terminal_pages.py"
