"""Reading and drawing training data."""

import io
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npe_core.errors import InputError, UsageError
from npe_core.training.data import Mixture, load_images, load_pairs, parse_source, source_name, to_float, to_uint8
from npe_core.training.reading import (
    UNKNOWN,
    count_images,
    count_pairs,
    drawn,
    has_pairs,
    read_images,
    read_pairs,
    these,
)

CPU = torch.device("cpu")


def test_folder_zip_tar_and_npz_hold_the_same(pairs, tmp_path):
    files = sorted(pairs.rglob("*.png"))
    with zipfile.ZipFile(tmp_path / "pairs.zip", "w") as shard:
        for file in files:
            shard.write(file, file.relative_to(pairs))
    with tarfile.open(tmp_path / "pairs.tar", "w") as shard:
        for file in files:
            shard.add(file, str(file.relative_to(pairs)))
    images, masks, names = read_pairs(pairs, 32)
    assert names == list("012345")
    assert (images.shape, masks.shape) == ((6, 3, 32, 32), (6, 32, 32))
    assert images[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160, 200]
    assert masks[:, 5, 5].tolist() == [0, 1, 2, 3, 4, 5]
    np.savez(tmp_path / "pairs.npz", images=images.numpy(), masks=masks.numpy())
    for name in ("pairs.zip", "pairs.tar", "pairs.npz"):
        assert has_pairs(tmp_path / name)
        assert all(torch.equal(a, b) for a, b in zip(read_pairs(tmp_path / name, 32)[:2], (images, masks), strict=True))
        assert torch.equal(read_images(tmp_path / name, 32), images)


def test_resizing_keeps_ids_whole(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 10
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "images/a.png")
    Image.fromarray(mask).save(tmp_path / "masks/a.png")
    for size in (8, 20):
        assert set(read_pairs(tmp_path, size)[1].unique().tolist()) == {0, 10}


def test_a_palette_mask_gives_its_indices(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    mask = Image.fromarray(np.full((8, 8), 7, np.uint8), "L").convert("P")
    mask.putdata([7] * 64)
    mask.putpalette([0, 0, 0] * 7 + [200, 10, 10])
    mask.save(tmp_path / "masks/a.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "images/a.png")
    assert read_pairs(tmp_path, 8)[1].unique().tolist() == [7]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.zip", None),
        ("broken.zip", b"PK nonsense"),
        ("text.txt", b"hello"),
        ("bad.npz", b"no"),
        ("bad.tar", b"no"),
        ("empty.zip", b""),
        ("empty.npz", b""),
        ("empty.tar", b""),
    ],
)
def test_what_is_no_source_is_refused(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name) as refusal:
        read_images(tmp_path / name, 8)
    assert "\n" not in str(refusal.value) and ":." not in str(refusal.value)


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "half.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"half\.png"):
        read_images(tmp_path, 8)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_an_archive_that_is_damaged_inside_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_DEFLATED) as shard:
        shard.writestr("a.bmp", b"BM" + bytes(5000))
        shard.writestr("b.png", png(noise))
    content = bytearray((tmp_path / "bad.zip").read_bytes())
    content[36:44] = b"\xff" * 8  # inside what was deflated
    (tmp_path / "bad.zip").write_bytes(content)
    with tarfile.open(tmp_path / "bad.tar", "w") as shard:
        for name in "ab":
            member = tarfile.TarInfo(f"{name}.png")
            member.size = len(png(noise))
            shard.addfile(member, io.BytesIO(png(noise)))
    whole = (tmp_path / "bad.tar").read_bytes()
    (tmp_path / "bad.tar").write_bytes(whole[: len(whole) // 3])
    for name in ("bad.zip", "bad.tar"):
        with pytest.raises(InputError, match=name):
            read_images(tmp_path / name, 8)


def test_a_picture_of_too_many_pixels_is_refused(tmp_path):
    """Nothing but the header of 30,000 x 30,000 pixels: Pillow calls it a bomb, which is none of its file errors."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(InputError, match=r"bomb\.png"):
        read_images(tmp_path, 8)


GREY = np.full((16, 16), 3, np.uint8)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.arange(256, dtype=np.uint8).reshape(16, 16) % 19, "ids 11, 12, 13, 14, 15, ...; expected 0 to 10"),
        (np.full((16, 16), 254, np.uint8), "ids 254; expected 0 to 10"),
        (np.dstack([GREY] * 3), "mode RGB"),
        (GREY > 0, "mode 1"),
        (GREY.astype(np.uint16), "mode I;16"),
        (np.full((16, 20), 3, np.uint8), "20x16 pixels, its image 32x32"),
    ],
)
def test_a_file_that_is_no_mask_of_regions_is_refused(tmp_path, mask, words):
    for kind, array in (("images", np.zeros((32, 32, 3), np.uint8)), ("masks", mask)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a.png").write_bytes(png(array))
    with pytest.raises(InputError, match=r"masks/a\.png") as refusal:
        read_pairs(tmp_path, 8)
    assert words in str(refusal.value)


def test_all_regions_and_the_unknown_are_ids_at_any_scale(tmp_path):
    ids = np.array([*range(11), UNKNOWN], np.uint8).repeat(12).reshape(12, 12)
    for kind, array in (("images", np.zeros((25, 24, 3), np.uint8)), ("masks", ids)):  # rounded by a pixel
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a.png").write_bytes(png(array))
    assert read_pairs(tmp_path, 12)[1].unique().tolist() == [*range(11), UNKNOWN]


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        ((5, 3, 8, 8), np.zeros((3, 8, 8), np.uint8), "uint8 (3, 8, 8); expected uint8 (5, 8, 8)"),
        ((5, 3, 8, 8), np.zeros((5, 8, 8), np.float32), "float32 (5, 8, 8)"),
        ((5, 3, 8, 8), np.zeros((5, 4, 4), np.uint8), "(5, 4, 4)"),
        ((5, 3, 8, 8), np.full((5, 8, 8), 18, np.uint8), "ids 18"),
        ((0, 3, 8, 8), np.zeros((0, 8, 8), np.uint8), "N > 0"),
    ],
)
def test_arrays_that_are_no_pairs_are_refused(tmp_path, images, masks, words):
    np.savez(tmp_path / "pairs.npz", images=np.zeros(images, np.uint8), masks=masks)
    for size in (8, 16):
        with pytest.raises(InputError, match=r"pairs\.npz") as refusal:
            read_pairs(tmp_path / "pairs.npz", size)
        assert words in str(refusal.value)


@pytest.mark.parametrize("beliefs", [np.zeros((5, 3, 2, 2), np.uint8), np.zeros((5, 11, 2, 2), np.float32)])
def test_beliefs_of_another_shape_are_refused(tmp_path, beliefs):
    np.savez(tmp_path / "pairs.npz", images=np.zeros((5, 3, 8, 8), np.uint8), beliefs=beliefs)
    with pytest.raises(InputError, match=r"`beliefs` .*expected uint8 \(5, 11, h, w\)"):
        read_images(tmp_path / "pairs.npz", 8)


def test_pairs_are_chosen_as_pictures_are(pairs, tmp_path):
    images, masks, names = read_pairs(pairs, 32)
    np.savez(tmp_path / "all.npz", images=images.numpy(), masks=masks.numpy())
    for source in (pairs, tmp_path / "all.npz"):
        assert count_pairs(source) == 6
        some, own, called = read_pairs(source, 32, these([4, 1]))
        assert torch.equal(some, images[[4, 1]]) and torch.equal(own, masks[[4, 1]])
        assert called == [names[4], names[1]]


def test_reading_takes_little_more_memory_than_its_result(tmp_path):
    (tmp_path / "0.png").write_bytes(png(np.zeros((128, 128, 3), np.uint8)))
    for number in range(1, 128):
        (tmp_path / f"{number}.png").hardlink_to(tmp_path / "0.png")
    peaks = []
    for _ in range(3):  # the least: threads that other tests left may take some at the same time
        tracemalloc.start()
        images = read_images(tmp_path, 128)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert images.shape == (128, 3, 128, 128) and min(peaks) < 1.5 * images.numel()


def test_what_is_not_chosen_is_not_decoded(pairs, tmp_path):
    shutil.copytree(pairs / "images", tmp_path / "images")
    chosen = drawn(3, 7)(6)
    assert len(set(chosen)) == 3 and chosen != drawn(3, 8)(6)
    for number in set(range(6)) - set(chosen):
        (tmp_path / f"images/{number}.png").write_bytes(b"broken")
    np.savez(tmp_path / "all.npz", images=read_images(pairs, 32).numpy())
    for source in (tmp_path / "images", tmp_path / "all.npz"):
        assert count_images(source) == 6
        assert read_images(source, 32, drawn(3, 7))[:, 0, 0, 0].tolist() == [40 * number for number in chosen]


def test_sources_and_weights():
    assert parse_source("a/b.zip=0.25") == (Path("a/b.zip"), 0.25)
    assert parse_source("a=b/c.zip") == (Path("a=b/c.zip"), None)
    assert parse_source("a=b/c.zip=3") == (Path("a=b/c.zip"), 3.0)
    with pytest.raises(UsageError, match="above 0"):
        parse_source("a.zip=0")


def test_source_names_say_nothing_of_the_machine(tmp_path):
    assert source_name(tmp_path / "faces" / "val.zip") == "faces/val.zip"


def test_shares_are_kept_and_examples_stay_together(pairs):
    mixture = load_pairs([f"{pairs}=3", f"{pairs}=1"], 32, CPU)
    assert mixture.shares == (0.75, 0.25)
    images, masks, beliefs = mixture.draw(64, torch.Generator().manual_seed(1))
    assert torch.equal(images[:, 0, 0, 0], 40 * masks[:, 0, 0])
    assert beliefs.shape == (64, 11, 8, 8) and not beliefs.any()  # there are none


def test_a_source_of_which_nothing_is_known_is_refused(tmp_path):
    arrays = {"images": np.zeros((2, 3, 8, 8), np.uint8), "beliefs": np.full((2, 11, 2, 2), 23, np.uint8)}
    masks = np.full((2, 8, 8), UNKNOWN, np.uint8)
    np.savez(tmp_path / "none.npz", masks=masks, **arrays)
    masks[1, 0, 0] = 3
    np.savez(tmp_path / "one.npz", masks=masks, **arrays)
    assert len(load_pairs([str(tmp_path / "one.npz")], 8, CPU)) == 2
    with pytest.raises(InputError, match=r"none\.npz teaches nothing"):
        load_pairs([str(tmp_path / "one.npz"), str(tmp_path / "none.npz")], 8, CPU)


def test_every_set_has_its_share_of_the_draws():
    sets = [(torch.zeros(3, 1, dtype=torch.uint8),), (torch.ones(500, 1, dtype=torch.uint8),)]
    mixture = Mixture.of(sets, [0.8, 0.2], CPU)
    (drawn,) = mixture.draw(20_000, torch.Generator().manual_seed(0))
    assert abs(float(drawn.float().mean()) - 0.2) < 0.01  # 3.5 standard deviations
    assert Mixture.of(sets, [None, None], CPU).shares[1] == pytest.approx(500 / 503)


def test_all_examples_of_a_set_are_drawn_alike():
    mixture = Mixture.of([(torch.arange(10, dtype=torch.uint8)[:, None],)], [None], CPU)
    (drawn,) = mixture.draw(20_000, torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn[:, 0].long(), minlength=10)
    assert counts.min() > 1800 and counts.max() < 2200


def test_the_generator_decides_what_is_drawn(pairs):
    mixture = load_images([str(pairs)], 32, CPU)
    one, same, other = (mixture.draw(16, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_bytes_survive_the_way_to_floats_and_back():
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_float(values)), values)
    assert float(to_float(values).min()) == -1 and float(to_float(values).max()) == 1
