"""Archives as people make them, and which mask is whose."""

import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from npe_core.errors import InputError
from npe_core.training.data import load_pairs
from npe_core.training.evaluation.segmentation import read_index
from npe_core.training.reading import count_images, count_unpaired, has_pairs, read_images, read_pairs
from npe_core.training.sources import named, open_source


def png(level, side=16, mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, (side, side), level).save(file, "PNG")
    return file.getvalue()


def grey(level):
    return png((level, level, level))


def written(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


PAIRS = {
    "images/a/001.png": grey(10),
    "images/b/001.png": grey(20),
    "masks/a/001.png": png(1, mode="L"),
    "masks/b/001.png": png(2, mode="L"),
}


def test_a_mask_belongs_to_the_image_of_the_same_path(tmp_path):
    images, masks, names = read_pairs(written(tmp_path, PAIRS), 16)
    assert names == ["a/001", "b/001"]
    assert images[:, 0, 0, 0].tolist() == [10, 20] and masks[:, 0, 0].tolist() == [1, 2]


@pytest.mark.parametrize("double", ["images/a/001.jpg", "masks/a/001.webp"])
def test_two_files_of_a_name_are_refused(tmp_path, double):
    written(tmp_path, {**PAIRS, double: grey(30)})
    with pytest.raises(InputError, match=r"a/001\.\w+ and 001\.\w+ have the same name"):
        read_pairs(tmp_path, 16)


def test_images_without_a_mask_are_counted(tmp_path):
    more = {"images/c/001.png": grey(30), "images/002.png": grey(40)}  # masks/a/001 and b/001 are of other images
    written(tmp_path, {**PAIRS, **more})
    assert count_unpaired(tmp_path) == 2
    (told,) = load_pairs([str(tmp_path)], 16, "cpu").describe()
    assert (told["examples"], told["without_mask"]) == (2, 2)
    for name in ("masks/a/001.png", "masks/b/001.png"):
        (tmp_path / name).unlink()
    written(tmp_path, {"masks/d/001.png": png(1, mode="L")})
    with pytest.raises(InputError, match="no pairs"):
        read_pairs(tmp_path, 16)


@pytest.mark.parametrize("above", ["./", "pairs/", "./pairs/", "/data/pairs/"])
@pytest.mark.parametrize("suffix", [".tar", ".zip", ".TAR", ".ZIP"])
def test_archives_of_a_folder_hold_pairs(tmp_path, above, suffix):
    path = tmp_path / f"pairs{suffix}"
    if suffix.lower() == ".tar":
        with tarfile.open(path, "w") as shard:
            for name, content in PAIRS.items():
                member = tarfile.TarInfo(above + name)
                member.size = len(content)
                shard.addfile(member, io.BytesIO(content))
    else:
        with zipfile.ZipFile(path, "w") as shard:
            for name, content in PAIRS.items():
                shard.writestr(above + name, content)
    assert has_pairs(path) and count_images(path) == 2
    images, masks, names = read_pairs(path, 16)
    assert images[:, 0, 0, 0].tolist() == [10, 20] and masks[:, 0, 0].tolist() == [1, 2]
    assert names == ["a/001", "b/001"]
    with open_source(path) as source:
        assert source.shown("masks/a/001.png") == f"{path}/{above}masks/a/001.png"


@pytest.mark.parametrize(
    ("members", "names"),
    [
        (["masks/a.png", "masks/b.png"], ["masks/a.png", "masks/b.png"]),  # masks alone do not become faces
        (["x/masks/a.png"], ["masks/a.png"]),
        (["x/a.png", "x/y/b.png"], ["a.png", "y/b.png"]),
        (["a.png", "x/b.png"], ["a.png", "x/b.png"]),
        (["x/a.png"], ["a.png"]),
        ([], []),
    ],
)
def test_only_what_all_members_lie_in_is_dropped(members, names):
    assert named(members) == dict(zip(names, members, strict=True))


def test_a_folder_named_like_a_picture_is_none(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as shard:
        shard.writestr("faces.png/", b"")
        shard.writestr("faces.png/a.png", grey(10))
    (tmp_path / "folder/faces.png").mkdir(parents=True)
    written(tmp_path, {"folder/faces.png/a.png": grey(10)})
    for path in (tmp_path / "a.zip", tmp_path / "folder"):
        assert read_images(path, 16)[:, 0, 0, 0].tolist() == [10]


def test_a_link_out_of_a_tar_is_told(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as shard:
        link = tarfile.TarInfo("a.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/elsewhere/b.png"
        shard.addfile(link)
    with pytest.raises(InputError, match=r"a\.tar .*a\.png is a link to /elsewhere/b\.png"):
        read_images(tmp_path / "a.tar", 16)


def test_a_zip_damaged_inside_its_lzma_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8).tobytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as shard:
        shard.writestr("a.png", noise)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[44] = 0xFF  # the first byte of what was compressed is 0
    (tmp_path / "a.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip") as shard, pytest.raises(lzma.LZMAError):
        shard.read("a.png")
    with pytest.raises(InputError, match=r"a\.zip"):
        read_images(tmp_path / "a.zip", 16)


def test_an_npz_may_be_called_so_in_capitals(tmp_path):
    with (tmp_path / "A.NPZ").open("wb") as file:
        np.savez(file, images=np.full((2, 3, 8, 8), 7, np.uint8))
    assert read_images(tmp_path / "A.NPZ", 8).shape == (2, 3, 8, 8)


def test_an_index_tells_faces_of_one_name_apart(tmp_path):
    index = tmp_path / "index.csv"
    index.write_text("\ufeffimage,label_kind\nimages/a/1.png,human\nb/1.png,made\nc/2.png,human\n", encoding="utf-8")
    found = read_index(index)
    assert {name: row["label_kind"] for name, row in found.items()} == {
        "a/1": "human",
        "b/1": "made",
        "c/2": "human",
        "2": "human",
    }
    index.write_bytes("name,source\nZo\xeb,x\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"index\.csv .*UTF-8"):
        read_index(index)
