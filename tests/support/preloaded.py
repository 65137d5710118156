"""The command line, run in copies of one process that has imported its modules.

Run as a program, this is that process. It reads requests from the socket of which the descriptor
is its argument, forks for each and ends when the other end is closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import httpx

RUN_SECONDS = 60
MOST_BYTES = 128 * 1024


def run(arguments: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in this folder; nothing but `env` is in its environment."""
    request = json.dumps({"arguments": arguments, "env": dict(env), "folder": str(Path.cwd())})
    reading, writing = os.pipe()
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        os.fdopen(reading, "rb", buffering=0) as reply,
    ):
        with os.fdopen(writing, "wb") as replying:
            fds = [stream.fileno() for stream in (output, errors, replying)]
            socket.send_fds(_forking(dict(env)["PYTHONPATH"]), [request.encode()], fds)
        pid = int(reply.readline())
        if not select.select([reply], [], [], RUN_SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, RUN_SECONDS)
        status = int(reply.readline())
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            arguments, status, output.read().decode(), errors.read().decode()
        )


@cache
def _forking(path: str) -> socket.socket:
    """The socket of the process that forks, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _await_request(requests: socket.socket) -> None:
    """Return in a process that is to run the command line; in others, never."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, fds, _, _ = socket.recv_fds(requests, MOST_BYTES, 3)
        if not request:
            sys.exit()
        if os.fork() == 0:
            break
        for fd in fds:
            os.close(fd)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    requests.close()
    output, errors, reply = fds
    if pid := os.fork():
        os.write(reply, f"{pid}\n".encode())
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(reply, f"{status}\n".encode())
        os._exit(0)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(errors, sys.stderr.fileno())
    for fd in fds:
        os.close(fd)
    asked = json.loads(request)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[1:] = asked["arguments"]


if __name__ == "__main__":
    from supervisor_mcp import cli

    # Commands import what they need when they run.
    for module in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(module.name)
    importlib.import_module("supervisor_mcp.cli.main").command()
    # So does the first client.
    httpx.Client().close()
    # What all copies have in common, none of them looks through or frees when it ends.
    gc.collect()
    gc.freeze()
    _await_request(socket.socket(fileno=int(sys.argv[1])))
    # As a program does: what it leaves undone is done, or reported, when the interpreter ends.
    cli.main()
