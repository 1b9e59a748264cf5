"""A soak of the watch folder: thousands of edits by one daemon, or one that is killed again and again.

::

    python benchmarks/soak.py --count 2000 --steps 1      memory from edit to edit, as an inbox that never empties
    python benchmarks/soak.py --count 200 --kill          kill -9 at random moments

The results are taken away as soon as they appear, and it is counted that each came once. Told to end (SIGTERM), it
counts what there is by then. ``npe bench daemon`` measures the speed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from npe_core.defaults import STEPS

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PARAMETERS = {"regions": {"lips": "#b00020"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--kill", type=float, nargs="?", const=20.0, metavar="SECONDS",
                        help="kill -9 within so many seconds of each start")  # fmt: skip
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--no-upscale", dest="upscale", action="store_false", help="without super-resolution")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cut short"))
    soak(sorted(SAMPLES.glob("*.png")), PARAMETERS | {"steps": options.steps, "upscale": options.upscale}, options)


def soak(photos: list[Path], parameters: dict, options: argparse.Namespace) -> None:
    """Drops ``count`` jobs, never more than 20 ahead; follows memory, and at the end counts what came out."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("inbox", "outbox", "failed"):
            (root / folder).mkdir()
        command = [sys.executable, "-c", "from npe_core.cli import main; main()", "watch", "--device", options.device]
        command += ["--inbox", str(root / "inbox"), "--outbox", str(root / "outbox"), "--batch", str(options.batch)]
        memory: list[tuple[int, float]] = []
        fetched: Counter[str] = Counter()
        kills = dropped = done = 0
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        kill_at = float("inf")
        try:
            while done < options.count:
                while dropped < min(options.count, done + 20):
                    drop(root / "inbox", photos[dropped % len(photos)], dropped, parameters)
                    dropped += 1
                time.sleep(0.5)
                fetch(root / "outbox", fetched)
                done = len(list((root / "outbox").glob(".done/*"))) + len(list((root / "failed").iterdir()))
                memory.append((done, resident_mib(process.pid)))
                if process.poll() is not None:
                    raise SystemExit(f"the daemon ended with exit code {process.returncode}")
                if options.kill and kill_at == float("inf") and is_doomed(root, process.pid):
                    kill_at = time.monotonic() + random.uniform(0, options.kill)
                if time.monotonic() > kill_at:
                    process.kill()
                    process.wait()
                    fetch(root / "outbox", fetched)
                    kills += 1
                    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                    kill_at = float("inf")
        finally:  # cut short, it tells how far it came, however often it is told to end
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            process.send_signal(signal.SIGTERM)
            process.wait()
            fetch(root / "outbox", fetched)
            tell(root, memory, fetched, dropped, kills)


def is_doomed(root: Path, pid: int) -> bool:
    """Once its models are loaded; now and then one must die before."""
    try:
        status = json.loads((root / "outbox/.spool/status.json").read_text())
    except FileNotFoundError:
        status = {}
    return (status.get("pid") == pid and bool(status["device"])) or random.random() < 0.005


def fetch(outbox: Path, fetched: Counter[str]) -> None:
    """Takes away what is there, the photo after its report."""
    for path in sorted(outbox.iterdir()):
        if not path.name.startswith("."):
            fetched[path.name] += 1
            path.unlink()


def tell(root: Path, memory: list[tuple[int, float]], fetched: Counter[str], dropped: int, kills: int) -> None:
    photos = Counter({name: times for name, times in fetched.items() if name.endswith(".png")})
    failed = Counter(json.loads(path.read_text())["code"] for path in (root / "failed").glob("*/reason.json"))
    left = len(list((root / "inbox").glob("*.png")))
    more = photos.total() - len(photos) + sum("~" in name for name in photos)
    missing = dropped - len(photos) - failed.total() - left
    whole = all(fetched[f"{name.removesuffix('.png')}.json"] == 1 for name in photos)
    print(
        f"{dropped} jobs, {kills} kills: {len(photos)} results, {more} of them more than once, "
        f"{'each' if whole else 'NOT each'} with one report; {failed.total()} failed {dict(failed)}, "
        f"{left} left in the inbox, {missing} missing"
    )
    if not kills:
        last = memory[-1][0]
        warm = [size for done, size in memory if last * 0.1 <= done < last * 0.3]
        end = [size for done, size in memory if done >= last * 0.8]
        if warm and end:
            before, after = sum(warm) / len(warm), sum(end) / len(end)
            print(
                f"memory {before:.0f} MiB (edits 10 to 30 %), {after:.0f} MiB (80 to 100 %): {after / before - 1:+.1%}"
            )


def drop(inbox: Path, photo: Path, number: int, parameters: dict) -> None:
    (inbox / f"{number:06}.json").write_text(json.dumps(parameters | {"seed": number}))
    shutil.copy(photo, inbox / f"{number:06}.png.part")
    (inbox / f"{number:06}.png.part").rename(inbox / f"{number:06}.png")


def resident_mib(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


if __name__ == "__main__":
    main()
