"""A program in the sandbox has no network, sees and writes only what is its own, and has no way up."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from agent.ffmpeg.process import Ended
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox
from tests.agent.caged import BASE, python
from tests.parts import missing


class Inside:
    """Runs Python programs in a sandbox, in the directory `own`."""

    def __init__(self, spawner: Spawner, sandbox: Sandbox, own: Path) -> None:
        self._spawner, self._sandbox, self.own = spawner, sandbox, own

    def run(self, body: str, *readable: Path, writable: bool = True) -> Ended:
        return python(
            self._spawner, self._sandbox, self.own, body, readable=list(readable), writable=writable
        )

    def says(self, body: str, *readable: Path, writable: bool = True) -> str:
        ended = self.run(body, *readable, writable=writable)
        assert ended.returncode == 0, ended
        return "\n".join(ended.log)


@pytest.fixture
def inside(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> Inside:
    own = tmp_path / "work" / "job-1"
    own.mkdir(parents=True)
    return Inside(spawner, sandbox, own)


TRY = "try:\n    {0}\n    say('done')\nexcept OSError as error: say(os.strerror(error.errno))"


def test_a_port_of_this_machine_cannot_be_reached(inside: Inside, spawner: Spawner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = TRY.format(f"socket.create_connection({server.getsockname()}, timeout=5)")
        assert python(spawner, Sandbox(), inside.own, body).log == ("done",)
        assert inside.says(body) in ("Connection refused", "Network is unreachable")


def test_there_is_no_way_to_any_network(inside: Inside) -> None:
    body = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    assert inside.says(TRY.format(body)) == "Network is unreachable"
    assert inside.says("say([name for _, name in socket.if_nameindex()])") == "['lo']"


def test_a_socket_without_a_name_on_disk_cannot_be_reached(inside: Inside, spawner: Spawner) -> None:
    name = f"\0ffrtmp-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        body = TRY.format(f"socket.socket(socket.AF_UNIX).connect({name!r})")
        assert python(spawner, Sandbox(), inside.own, body).log == ("done",)
        assert inside.says(body) == "Connection refused"


@pytest.mark.parametrize("path", ["/etc/passwd", "/root", "/home", "/var", "/run", "/sys", "/boot", "/opt"])
def test_the_machines_files_are_not_there(inside: Inside, path: str) -> None:
    """Only the way to this test's interpreter is, wherever it is installed."""
    walk = f"""
found = [{path!r}] if os.path.lexists({path!r}) else []
for top, folders, files in os.walk({path!r}):
    found += [os.path.join(top, name) for name in (*folders, *files)]
    folders[:] = [name for name in folders if os.path.join(top, name) != {str(BASE)!r}]
say(sorted(found))
"""
    way = sorted(str(folder) for folder in (BASE, *BASE.parents) if folder.is_relative_to(path))
    assert inside.says(walk) == str(way)


def test_the_agents_identity_and_other_jobs_are_not_there(inside: Inside, tmp_path: Path) -> None:
    state, other = tmp_path / "state" / "identity.json", tmp_path / "work" / "job-2" / "output.mp4"
    for file in (state, other):
        file.parent.mkdir()
        file.write_text("secret")
        assert inside.says(TRY.format(f"say(open({str(file)!r}).read())")) == "No such file or directory"
    assert inside.says(f"say(os.listdir({str(tmp_path)!r}), os.listdir({str(tmp_path / 'work')!r}))") == (
        "['work'] ['job-1']"
    )


def test_it_reads_and_writes_in_its_own_directory(inside: Inside) -> None:
    inside.says("open('made', 'w').write('here')")
    assert (inside.own / "made").read_text() == "here"
    assert inside.says("say(os.getcwd(), os.environ['HOME'])") == f"{inside.own} {inside.own}"


@pytest.mark.parametrize("folder", ["/", "/usr", "/etc", "/dev", "/dev/shm", "/proc", "/tmp", "..", "../.."])
def test_it_writes_nowhere_else(inside: Inside, folder: str) -> None:
    path = f"{folder}/ffrtmp-test-{os.getpid()}"
    said = inside.says(TRY.format(f"open({path!r}, 'w')"))
    assert said in ("Read-only file system", "No such file or directory")
    assert not (inside.own / path).exists()


def test_an_input_is_read_at_its_usual_place_and_not_written(inside: Inside, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "input.mp4").write_text("pictures")
    (media / "other.mp4").write_text("of somebody else")
    path = str(media / "input.mp4")
    assert inside.says(f"say(open({path!r}).read(), os.listdir({str(media)!r}))", media / "input.mp4") == (
        "pictures ['input.mp4']"
    )
    assert inside.says(TRY.format(f"open({path!r}, 'w')"), media / "input.mp4") == "Read-only file system"


def test_an_input_in_its_own_directory_is_not_written_either(inside: Inside) -> None:
    (inside.own / "input.mp4").write_text("pictures")
    assert inside.says(TRY.format("open('input.mp4', 'w')"), inside.own / "input.mp4") == (
        "Read-only file system"
    )
    inside.says("open('new', 'w')", inside.own.parent)
    assert (inside.own / "new").exists()


def test_without_a_directory_it_writes_nothing(inside: Inside) -> None:
    said = inside.says(TRY.format(f"open({str(inside.own / 'new')!r}, 'w')"), writable=False)
    assert said == "No such file or directory"


def test_it_sees_and_signals_no_other_process(inside: Inside) -> None:
    body = f"say(sorted(name for name in os.listdir('/proc') if name.isdigit()))\nos.kill({os.getpid()}, 0)"
    ended = inside.run(body)
    assert ended.log[0] == "['1']"
    assert ended.log[-1].startswith("ProcessLookupError")


def test_it_has_no_privileges_and_can_get_none(inside: Inside) -> None:
    lines = inside.says("say(open('/proc/self/status').read())").split("\n")
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert status["NoNewPrivs"] == "1"  # a setuid program gives nothing either
    kinds = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {kind: int(status[kind], 16) for kind in kinds} == dict.fromkeys(kinds, 0)


def test_it_makes_no_namespace_in_which_it_would_be_root(inside: Inside, sandbox: Sandbox) -> None:
    if "--disable-userns" not in sandbox.options:
        missing("this bubblewrap is older than 0.8 and cannot forbid nested user namespaces")
    body = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
    body += "say(libc.unshare(0x10000000), os.strerror(ctypes.get_errno()))"  # CLONE_NEWUSER
    assert inside.says(body) == "-1 No space left on device"  # as max_user_namespaces says it


def test_the_agents_terminal_is_not_its_own(inside: Inside) -> None:
    assert inside.says(TRY.format("open('/dev/tty')")) == "No such device or address"
    assert inside.says("say(os.getsid(0) == os.getpgid(0))") == "True"
