"""Makes docs/images/demo.cast and demo.svg: real commands against a real master and two agents, recorded.

Run it when a command looks different (`make terminal-demo`). The recording (asciinema v2) is what the
commands wrote, byte by byte; only the typing is played. The picture is drawn from it.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shlex
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from scripts import demo
from scripts.terminal_svg import svg

ROOT = Path(__file__).resolve().parent.parent
CAST, PICTURE = ROOT / "docs/images/demo.cast", ROOT / "docs/images/demo.svg"
COLUMNS, LINES = 120, 24
MOST_BYTES = 150_000
TITLE = "ffrtmp in a terminal"
DESCRIPTION = (
    "A recorded session: a job is submitted and waited for with a bar, a ladder with a bar for each of "
    "its parts, then the whole farm is shown live by ffrtmp top, and the results are listed."
)
_PROMPT = "\x1b[32m$\x1b[0m "


@dataclass(frozen=True, slots=True)
class Scene:
    """A command, and the keys that are pressed so many seconds after it wrote something."""

    command: str
    keys: Sequence[tuple[float, str]] = ()
    shown: bool = True
    """Whether it is part of the recording."""


SCENES = (
    Scene("ffrtmp jobs submit 720p-h264 -p duration=6 --wait"),
    Scene("ffrtmp jobs submit 480p30-h264 -p ladder=480p,360p,240p -p duration=8 --wait"),
    Scene("ffrtmp -q jobs submit 1080p-h264 -p duration=15 --priority high", shown=False),
    Scene("ffrtmp -q jobs submit 720p-h264 -p duration=30", shown=False),
    Scene("ffrtmp -q jobs submit 1080p-h264 -p duration=20 --priority low", shown=False),
    Scene("ffrtmp -q jobs submit 480p-h264 -p duration=20", shown=False),
    Scene("ffrtmp top", ((4.0, "s"), (6.0, "q"))),
    Scene("ffrtmp jobs list --limit 6"),
)


@dataclass(slots=True)
class Recording:
    """What was written, and when, in seconds."""

    events: list[tuple[float, str]] = field(default_factory=list)
    now: float = 0.0

    def write(self, text: str, after: float) -> None:
        """So long after what was written last."""
        self.now += after
        self.events.append((self.now, text))

    def type(self, command: str) -> None:
        """Somebody types it."""
        self.write(_PROMPT, 0.4)
        for word in shlex.split(command):
            self.write(f"{word} ", 0.12)
        self.write("\r\n", 0.3)

    def cast(self) -> str:
        """As asciinema v2 has it."""
        head = {"version": 2, "width": COLUMNS, "height": LINES, "title": TITLE}
        lines = [json.dumps([round(at, 3), "o", text], ensure_ascii=False) for at, text in self.events]
        return "\n".join([json.dumps(head), *lines]) + "\n"


def main() -> int:
    """Record and draw; 1 if a command failed or the files are too large."""
    recording = Recording()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        demo.OUTPUT = Path(name)
        url = farm(stack)
        environment = {**os.environ, "HOME": name, "FFRTMP_MASTER": url, "TERM": "xterm-256color"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment["COLORTERM"] = "truecolor"
        play("ffrtmp scenarios -q", environment, Recording(), ())  # trusts the master, and says so
        for scene in SCENES:
            into = recording if scene.shown else Recording()
            if scene.shown:
                recording.type(scene.command)
            code = play(scene.command, environment, into, scene.keys)
            if code != 0:
                print(f"{scene.command}: exit code {code}\n{into.events[-1:]}", file=sys.stderr)
                return 1
    recording.write(_PROMPT, 0.5)
    cast = recording.cast()
    picture = svg(cast, TITLE, DESCRIPTION)
    sizes = {CAST: len(cast.encode()), PICTURE: len(picture.encode())}
    for path, size in sizes.items():
        print(f"{path.relative_to(ROOT)}: {size:,} bytes")
    if max(sizes.values()) > MOST_BYTES:
        print(f"too large: {MOST_BYTES:,} bytes at most", file=sys.stderr)
        return 1
    CAST.write_text(cast)
    PICTURE.write_text(picture)
    return 0


def farm(stack: ExitStack) -> str:
    """A master and two agents, for as long as the stack lives; where the master is."""
    port = demo.free_port()
    url = f"https://localhost:{port}"
    master = stack.enter_context(demo.process("master", "ffrtmp-master", "--port", str(port)))
    client = demo.until(lambda: demo.connect(port), "the master does not answer", master)
    for name in ("worker-1", "worker-2"):
        arguments = ["--register", "--master", url, "--allow-master-as-worker", "--yes", "--name", name]
        arguments += ["--max-concurrent-jobs", "1", "--drain-timeout", "100ms"]
        arguments += ["--work-dir", str(demo.OUTPUT / "files")]
        agent = stack.enter_context(demo.process(name, "ffrtmp-agent", *arguments))
        demo.until(lambda name=name: demo.registered(client, name), f"{name} does not register", agent)  # type: ignore[misc]  # mypy cannot type a default in a lambda
    return url


def play(
    command: str, environment: dict[str, str], recording: Recording, keys: Sequence[tuple[float, str]]
) -> int:
    """Runs it in a terminal of its own and records what it writes; its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = shlex.split(command)
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606  # nosec B606 # no shell is wanted
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    begun = last = time.monotonic()
    first, pending, left = True, b"", list(keys)
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        now = time.monotonic()
        if first:
            begun = now
        if left and now - begun >= left[0][0]:
            os.write(terminal, left.pop(0)[1].encode())
        if not ready:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # it has ended
            break
        if not data:
            break
        pending += data
        text = pending.decode("utf-8", "ignore")
        if text.encode() == pending:  # else a character is still to come whole
            # That Python takes its time to start is nothing to look at.
            recording.write(text, 0.2 if first else now - last)
            first, pending, last = False, b"", now
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    raise SystemExit(main())
