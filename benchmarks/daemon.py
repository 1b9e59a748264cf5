"""The daemon against the bare engine, and a soak that kills it: what the watch folder costs, and what it survives.

::

    python benchmarks/daemon.py speed --count 32          photos a second: daemon, bare engine, and their ratio
    python benchmarks/daemon.py soak --count 2000         memory from edit to edit, as an inbox that never empties
    python benchmarks/daemon.py soak --count 200 --kill   the same, with kill -9 at random moments
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
from pathlib import Path

from npe_core.daemon.measure import Speed, measure_speed

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PARAMETERS = {"regions": {"lips": "#b00020"}, "steps": 10}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "soak"])
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--kill", action="store_true", help="soak: kill -9 every 5 to 20 seconds")
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cut short"))
    parameters = PARAMETERS | {"steps": options.steps}
    photos = sorted(SAMPLES.glob("*.png"))
    if options.what == "speed":
        print_speed(measure_speed(photos, parameters, options.count, options.device, options.batch))
    else:
        soak(photos, parameters, options)


def print_speed(speed: Speed) -> None:
    print(f"bare engine {speed.engine:.3f} photos/s, daemon {speed.daemon:.3f} photos/s: {speed.ratio:.1%}")
    print(f"the daemon adds {1e3 * speed.overhead:.0f} ms to an edit; device {speed.device}, batch {speed.batch}")


# --- soak ----------------------------------------------------------------------------------------------------------


def soak(photos: list[Path], parameters: dict, options: argparse.Namespace) -> None:
    """Drops ``count`` jobs, never more than 20 ahead; follows memory, and at the end counts what came out."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "inbox").mkdir()
        command = [sys.executable, "-c", "from npe_core.cli import main; main()", "watch", "--device", options.device]
        command += ["--inbox", str(root / "inbox"), "--outbox", str(root / "outbox"), "--batch", str(options.batch)]
        memory: list[tuple[int, float]] = []
        kills = dropped = done = 0
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        next_kill = time.monotonic() + random.uniform(5, 20)
        try:
            while done < options.count:
                while dropped < min(options.count, done + 20):
                    drop(root / "inbox", photos[dropped % len(photos)], dropped, parameters)
                    dropped += 1
                time.sleep(0.5)
                done = len(list((root / "outbox" / ".done").glob("*"))) if (root / "outbox").exists() else 0
                memory.append((done, resident_mib(process.pid)))
                if process.poll() is not None:
                    raise SystemExit(f"the daemon ended with exit code {process.returncode}")
                if options.kill and time.monotonic() > next_kill:
                    process.kill()
                    process.wait()
                    kills += 1
                    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                    next_kill = time.monotonic() + random.uniform(5, 20)
        finally:  # cut short, it tells how far it came, however often it is told to end
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            process.send_signal(signal.SIGTERM)
            process.wait()
            tell(root, memory, done, kills)


def tell(root: Path, memory: list[tuple[int, float]], count: int, kills: int) -> None:
    published = len(list((root / "outbox").glob("*.png")))
    failed = len(list((root / "failed").glob("*")))
    left = len(list((root / "inbox").iterdir()))
    print(f"{count} jobs, {kills} kills: {published} published, {failed} failed, {left} files left in the inbox")
    if not kills:
        warm = [size for done, size in memory if count * 0.1 <= done < count * 0.3]
        end = [size for done, size in memory if done >= count * 0.8]
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
