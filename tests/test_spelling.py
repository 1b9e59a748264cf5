"""Words that are in no list: the nearest one, whatever its case."""

import pytest

from npe_core.errors import UsageError
from npe_core.spelling import check, hint


@pytest.mark.parametrize(
    ("word", "words", "said"),
    [
        ("hiar", ["ears", "hair"], "Did you mean 'hair'?"),
        ("HIAR", ["ears", "hair"], "Did you mean 'hair'?"),
        ("ana-1f3c", ["Ana-1F3C9D", "Ben"], "Did you mean 'Ana-1F3C9D'?"),
        ("xyzzy", ["ears", "hair"], "None."),
        ("hair", [], "None."),
    ],
)
def test_the_nearest_word_is_named(word, words, said):
    assert hint(word, words, "None.") == said


def test_a_word_of_the_list_passes_and_another_names_its_kind():
    check("colour", "red", ["red", "green"])
    with pytest.raises(UsageError, match=r"There is no colour .blue.\. Choose from red, green\."):
        check("colour", "blue", ["red", "green"])
