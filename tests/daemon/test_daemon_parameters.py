"""NAME.json: every key of the contract, and what is said of one that is wrong."""

import json

import pytest

from npe_core.daemon.parameters import Parameters, read_parameters
from npe_core.errors import InputError


def test_every_key_of_the_contract():
    said = {"regions": {"hair": "#993300"}, "timestep": 350, "steps": 12, "sampler": "dpmpp", "seed": 7,
            "face": "largest", "upscale": True, "tint": True}  # fmt: skip
    assert read_parameters(json.dumps(said).encode(), "a.json") == Parameters(**said)
    assert read_parameters(b"{}", "a.json") == Parameters()
    assert read_parameters(b'\xef\xbb\xbf{"face": 2}', "a.json").face == 2
    assert read_parameters(b'{"regions": {"Hair": "930"}}', "a.json").regions == {"hair": "#993300"}
    assert read_parameters(b'{"regions": {"nose+Skin": "930"}}', "a.json").regions == {"skin+nose": "#993300"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_text_may_be_as_shells_of_other_systems_write_it(encoding):
    assert read_parameters('{"seed": 3}'.encode(encoding), "a.json").seed == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"timestap": 3}', "Did you mean 'timestep'?"),
        (b'{"colour": "#fff"}', "Did you mean 'color'?"),
        (b'{"xyzzy": 3}', "Known are regions"),
        (b'{"timestep": "300"}', "is a string, expected a whole number"),
        (b'{"sampler": 3}', "is a whole number, expected a string"),
        (b'{"tint": 1}', "is a whole number, expected true or false"),
        (b'{"timestep": true}', "is true or false, expected a whole number"),
        (b'{"timestep": 300.0}', "the number 300.0, expected a whole number"),
        (b'{"timestep": 500}', "between 1 and 499"),
        (b'{"steps": 0}', "between 1 and 250"),
        (b'{"seed": -1}', "seed"),
        (b'{"sampler": "euler"}', "dpmpp"),
        (b'{"face": "smallest"}', "'smallest'"),
        (b'{"face": 0}', "'0'"),
        (b'{"regions": ["hair"]}', "is a list, expected an object"),
        (b'{"regions": {"hair": 7}}', "must be a string such as"),
        (b'{"regions": {"hair": "brown"}}', "#RRGGBB"),
        (b'{"upscale": null}', "is null"),
        (b"[]", "a list, not an object"),
        (b"{'a': 1}", "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"seed": 1, "seed": 2}', "'seed' is there twice"),
        (b'{"regions": {"hair": "#993300", "hair": "#000000"}}', "'hair' is there twice"),
        (b'{"regions": {"hair": "#993300", "Hair": "#000000"}}', "a region is there twice"),
        (b'{"regions": {"skin+nose": "#993300", "nose": "#000000"}}', "a region is there twice"),
        (b'{"regions": {"skin+noze": "#993300"}}', "nose"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"seed": ' + b"9" * 4000 + b"}", "seed"),
        (b'{"face": ' + b"9" * 4000 + b"}", "1 to 9999"),
        (b'{"regions": {"' + b"h" * 60_000 + b'": "#993300"}}', "no region"),
        (b'{"regions": {"hair": "' + b"9" * 60_000 + b'"}}', "9999"),
    ],
)
def test_what_is_wrong_with_a_json(content, words):
    with pytest.raises(InputError, match=r"a\.json") as caught:
        read_parameters(content, "a.json")
    assert words in str(caught.value) and len(str(caught.value)) < 400
