"""A real nginx with its RTMP module, on a free port of the loopback, with a configuration of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.parts import missing

_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
_CONFIGURATION = """\
load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
    access_log {directory}/access.log;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{
            live on;
            wait_key on;
            idle_streams on;
            allow publish 127.0.0.1;
        }}
        application closed {{
            live on;
            deny publish all;
        }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Nginx:
    """Can be killed and started again at the same port."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("nginx")
        modules = (Path(folder) / "ngx_rtmp_module.so" for folder in _MODULES)
        module = next((path for path in modules if path.exists()), None)
        if program is None or module is None:
            missing("nginx with its RTMP module is not installed (libnginx-mod-rtmp)")
        self.port = free_port()
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "nginx.conf").write_text(
            _CONFIGURATION.format(module=module, directory=directory, port=self.port)
        )
        self._argv = [program, "-p", str(directory), "-c", str(directory / "nginx.conf"),
                      "-e", str(directory / "error.log")]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, key: str, app: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{app}/{key}"

    @property
    def log(self) -> str:
        return (self.directory / "error.log").read_text()

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 20
        while not listens(self.port):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.02)  # between two looks

    def hang(self) -> None:
        """It takes nothing any more, and does not say so."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath)}
