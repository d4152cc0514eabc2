"""The sandbox that ffmpeg runs in: no network, and nothing to see but its inputs and its directory.

bubblewrap (`bwrap`) builds it, from namespaces that the kernel gives to any user, where it does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.ffmpeg.spawner import Spawner

if TYPE_CHECKING:
    from agent.hosts.pool import Family

Mode = Literal["auto", "required", "off"]
"""Whether a sandbox is wanted: if this machine allows it, in any case, or not at all."""

_UNSHARED = ("--unshare-user", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL")
_NO_NESTING = ("--disable-userns",)
"""Bubblewrap 0.8 and later: no namespaces within, which keeps much of the kernel out of reach."""
_PROC = ("--proc", "/proc")
"""A /proc that knows only what runs inside. Some containers allow none; encoders can do without."""
_OPTIONS = ((*_PROC, *_NO_NESTING), _NO_NESTING, _PROC, ())
"""What not every bwrap and not every machine can do, the best first."""
_ONE_CHILD = ("--as-pid-1",)
"""The program is bwrap's own child, so that bwrap waits for it: only then wait4 counts its CPU time."""
_LATER = ("setpriv", "--pdeathsig", "clear", "--")
"""Comes before bwrap, which has itself killed with the agent, but not before its child can do without it:
killed earlier, it would leave a child that waits forever."""
_IF_ANSWERED = ("/bin/sh", "-c", 'echo && read -r answer && exec "$@" </dev/null', "sh")
"""Comes first inside, where the kernel has been told to kill us with bwrap. But bwrap may have died
before, with its agent: then nobody answers. Inside nothing else tells whether a parent lives."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_LINKER = ("/etc/ld.so.cache", "/etc/alternatives")
"""What the dynamic linker reads, and where Debian's links to some libraries lead."""
_DEVICES = ("dri", "nvidia*")
_TRIAL_SECONDS = 10.0


class SandboxError(RuntimeError):
    """A sandbox is required, and this machine has none; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What protects this machine from its ffmpegs. Without arguments: nothing but the limits."""

    bwrap: Path | None = None
    options: tuple[str, ...] = ()
    """What bwrap can do here beyond what it can everywhere."""
    unshare: Path | None = None
    """Where bwrap does not work: cuts off the network, and no more."""
    lack: str = "there is no sandbox"
    """Why bwrap is not used."""
    family: Family | None = None
    """Whose hosts read files; None: what reads one is started for it alone."""

    @property
    def is_whole(self) -> bool:
        """Whether it gives all the protections that there are."""
        return self.bwrap is not None

    @property
    def has_monitor(self) -> bool:
        """Whether what is started is a monitor, and the program its child, which greets (see `Spawner`)."""
        return self.bwrap is not None

    def describe(self) -> str:
        """One sentence for the log: what protects this machine, and how to get what is missing."""
        limits = "limits of memory, CPU time and file size"
        if self.bwrap is not None:
            return f"ffmpeg runs in a sandbox: no network, no files but its own, {limits}"
        if self.unshare is not None:
            return f"ffmpeg runs without network and with {limits}, but can read files: {self.lack}"
        return f"ffmpeg runs with {limits}, but can reach the network and read files: {self.lack}"

    def wrap(
        self,
        argv: Sequence[str],
        directory: Path | None,
        readable: Sequence[Path] = (),
        *,
        devices: bool = False,
        network: bool = False,
    ) -> list[str]:
        """The command line that runs `argv` in namespaces of its own, without privileges.

        It has no network, but with `network`, which is for what sends and receives and does nothing else.

        It sees, each at its usual path: the program `argv[0]` and the system's libraries
        (read-only), `directory` (read-write, its working directory; None: it can write
        nowhere), each of `readable` (read-only), and with `devices` the GPUs. Without bwrap
        it sees what the agent sees; without any sandbox the command line is `argv`.
        """
        if self.bwrap is not None:
            program = Path(shutil.which(argv[0]) or argv[0]).absolute()
            shown = [*_system(program), *_devices(devices)]
            binds = [("--ro-bind", path) for path in readable]
            if directory is not None:
                binds.append(("--bind", directory))
            for how, path in sorted(binds, key=lambda bind: len(bind[1].parts)):  # what is within comes later
                shown += [how, str(path), str(path)]
            shown += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(directory or "/")]
            start = [*_IF_ANSWERED, str(program), *argv[1:]]
            unshared = [*_UNSHARED, *(("--share-net",) if network else ())]
            return [*_LATER, str(self.bwrap), *unshared, *_ONE_CHILD, *self.options, *shown, "--", *start]
        if self.unshare is not None:
            net = () if network else ("--net",)
            return [str(self.unshare), "--user", *net, "--ipc", "--", *argv]
        return list(argv)


def _system(program: Path) -> list[str]:
    """What any program needs to start."""
    shown = ["--dev", "/dev"]
    for name in _SYSTEM:
        if Path(name).is_symlink():  # to its place below /usr
            shown += ["--symlink", str(Path(name).readlink()), name]
        else:
            shown += ["--ro-bind-try", name, name]
    libraries = [entry for entry in os.environ.get("LD_LIBRARY_PATH", "").split(":") if entry.startswith("/")]
    for name in (*_LINKER, *libraries):
        shown += ["--ro-bind-try", name, name]
    if not any(program.is_relative_to(name) for name in _SYSTEM):
        shown += ["--ro-bind", str(program), str(program)]
    return shown


def _devices(wanted: bool) -> list[str]:
    """The GPUs, and where libraries look for them."""
    if not wanted:
        return []
    nodes = [str(node) for pattern in _DEVICES for node in sorted(Path("/dev").glob(pattern))]
    return [*(word for node in nodes for word in ("--dev-bind", node, node)), "--ro-bind", "/sys", "/sys"]


def detect(spawner: Spawner, mode: Mode = "auto") -> Sandbox:
    """The best sandbox that works here, found by trying. SandboxError if one is required and none does."""
    if mode == "off":
        return Sandbox(lack="--sandbox off was given")
    bwrap, unshare = (shutil.which(name) for name in ("bwrap", "unshare"))
    why = "bwrap was not found; install the package bubblewrap"
    if bwrap is not None:
        for options in _OPTIONS:
            sandbox = Sandbox(Path(bwrap), options)
            problem = _problem(spawner, sandbox)
            if problem is None:
                return sandbox
        why = f"bwrap does not work here: {problem}"
    if mode == "required":
        raise SandboxError(f"--sandbox required: {why}")
    if unshare is not None:
        less = Sandbox(unshare=Path(unshare), lack=why)
        if _problem(spawner, less) is None:
            return less
    return Sandbox(lack=why)


def _problem(spawner: Spawner, sandbox: Sandbox) -> str | None:
    """None if a program runs in it, else what was said."""
    with tempfile.TemporaryDirectory(prefix="ffrtmp-sandbox-") as name:
        directory = Path(name)
        try:
            argv = sandbox.wrap(["true"], directory)
            spawner.output(argv, directory, _TRIAL_SECONDS, greets=sandbox.has_monitor)
        except OSError as error:
            return str(error)
    return None
