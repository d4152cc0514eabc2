"""What a host does in its sandbox: a process that has libav loaded, of which a fork does each request.

    python -I -S -c ... SOCKET DIRECTORY...

A request on SOCKET is HEAD and as many bytes of JSON (`Request`), with the descriptors for the fork: its
stderr, and those that its arguments name. The answers are a byte with a pidfd of the fork, and ANSWER once
that has ended and nothing else runs here.

The fork is what the program in the request would be as a process of its own. It has no socket and no way to
the host, which reads no media, keeps no descriptor, and ends when the agent hangs up.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import traceback
from typing import NoReturn, TypedDict

HEAD = struct.Struct("<I")
ANSWER = struct.Struct("<iQQ?")
"""How the fork ended, as wait says it; microseconds of CPU time, its own and the host's since the last one;
bytes of its largest resident set; whether all is as it was before."""
NUMBERS = 128
"""Descriptors have lower numbers in a fork."""
PRELOADED = ("av", "agent.prober", "agent.chunks.cutter")
"""What is loaded once for all forks; what a film needs once, its fork loads. It starts no threads, which a
fork would lack."""
_MOST_DESCRIPTORS = 16
_PR_SET_DUMPABLE = 4
_KEPT_BY_KERNEL = (("shmctl", 14, 0), ("msgctl", 12, 0), ("semctl", 19, 7))
"""What tells of memory, queues and semaphores of System V, which stay without a process: the function, what
it is asked (SHM_INFO, MSG_INFO, SEM_INFO), and which of the numbers that it tells is how many there are."""
_libc = ctypes.CDLL(None, use_errno=True)


class Request(TypedDict):
    """What a fork is to do."""

    text: str
    """A Python program."""
    argv: list[str]
    """What it finds behind its name."""
    numbers: list[int]
    """Under which it finds the descriptors behind its stderr."""
    limits: dict[str, tuple[int, int]]
    """The kernel's: the name of each in the module resource, soft and hard."""


def serve(number: int) -> None:
    """Does what is asked on the socket with this number, until nobody asks any more."""
    _be_the_first()
    for name in PRELOADED:
        importlib.import_module(name)
    _harden()
    with socket.socket(fileno=number) as line:
        before, spent = _condition(), 0
        while (received := _receive(line)) is not None:
            request, descriptors = received
            pid = os.fork()
            if pid == 0:
                _do(line, request, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            pidfd = os.pidfd_open(pid)
            socket.send_fds(line, [b"\0"], [pidfd])
            os.close(pidfd)
            status, peak, alone = _await(pid)
            line.sendall(ANSWER.pack(status, _spent() - spent, peak, alone and _condition() == before))
            spent = _spent()


def _be_the_first() -> None:
    """Who kills all that it can must be alone in its namespace."""
    if os.getpid() != 1:
        raise SystemExit("a host must be the first process of a sandbox")


def _harden() -> None:
    """Nothing of ours may be touched by a fork that was taken over."""
    # No ptrace, no /proc/1/mem, no pidfd_getfd: for none of our user, as the sandbox has no privileges.
    if _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    # Python has a handler; a signal without one is not for the first process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))  # POSIX's queues outlive who made them
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)
    gc.freeze()  # a fork that looks for garbage does not get a copy of all that


def _condition() -> tuple[object, ...]:
    """What a fork could change of the host, or leave behind without a process."""
    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    return (
        [resource.getrlimit(getattr(resource, name)) for name in names],
        os.getpriority(os.PRIO_PROCESS, 0),
        os.sched_getaffinity(0),
        os.sched_getscheduler(0),
        [_kept(*each) for each in _KEPT_BY_KERNEL],
    )


def _kept(function: str, command: int, place: int) -> int:
    """How many there are; negative: the kernel has no such things."""
    told = (ctypes.c_int * 64)()
    arguments = (0, 0, command) if function == "semctl" else (0, command)
    if getattr(_libc, function)(*arguments, ctypes.byref(told)) < 0:
        return -ctypes.get_errno()
    return told[place]


def _receive(line: socket.socket) -> tuple[Request, list[int]] | None:
    """The next request; None if there is none any more."""
    head, descriptors, _, _ = socket.recv_fds(line, HEAD.size, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if not head:
        return None
    head += _exactly(line, HEAD.size - len(head))
    return json.loads(_exactly(line, *HEAD.unpack(head))), descriptors


def _exactly(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise EOFError("the agent has hung up")
        data += piece
    return bytes(data)


def _await(pid: int) -> tuple[int, int, bool]:
    """How the fork ended, its peak in bytes, and whether nothing that it started was left. Now nothing is."""
    while True:
        one, status, usage = os.wait4(-1, 0)
        if one == pid:
            break
    _be_the_first()
    with contextlib.suppress(ProcessLookupError):  # the usual case
        os.kill(-1, signal.SIGKILL)
    left = 0
    with contextlib.suppress(ChildProcessError):
        while os.wait4(-1, 0):
            left += 1
    return status, usage.ru_maxrss * 1024, left == 0


def _spent() -> int:
    """Microseconds of CPU time, of the host and of all that it has reaped."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(each.ru_utime + each.ru_stime for each in both) * 1e6)


def _do(line: socket.socket, request: Request, descriptors: list[int]) -> NoReturn:
    """The fork: it holds itself to its limits before it does anything, and ends."""
    code = 1
    try:
        line.close()
        _arrange(descriptors, request["numbers"])
        for name, limit in request["limits"].items():
            resource.setrlimit(getattr(resource, name), limit)
        sys.argv = ["-c", *request["argv"]]
        exec(request["text"], {"__name__": "__main__"})  # noqa: S102 - the agent's own
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - told as by any Python, and not to the host's own code
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
        finally:
            os._exit(code)


def _arrange(received: list[int], numbers: list[int]) -> None:
    """Leaves nothing open but /dev/null, and what was received: as stderr, and under the numbers."""
    above = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, NUMBERS) for descriptor in received]
    os.closerange(3, NUMBERS)
    for descriptor, number in zip(above, [2, *numbers], strict=True):
        os.dup2(descriptor, number)
    os.closerange(NUMBERS, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
