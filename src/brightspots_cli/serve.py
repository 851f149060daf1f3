"""`brightspots serve`: the web application and its worker."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from brightspots_cli import platform


def command(
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    processes: Annotated[int, typer.Option(help="Web server processes.")] = 2,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also start the worker that does jobs.")
    ] = True,
) -> None:
    """Serve the web application, with the worker that does its jobs.

    Uses the embedded database in the home folder, or PostgreSQL where DATABASE_URL names one.
    Stop it with Ctrl-C.
    """
    platform.start(home)
    serve(host, port, processes=processes, worker=worker)


def serve(host: str, port: int, *, processes: int = 2, worker: bool = True) -> None:
    """Start web server and worker as children, and end both when either ends."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    web += ["--host", host, "--port", str(port), "--workers", str(processes)]
    web += [
        "--blocking-threads",
        "4",
        "--log-level",
        "warning",
        "brightspots_web.config.wsgi:application",
    ]
    commands = [web]
    if worker:
        commands.append([sys.executable, "-m", "brightspots_cli.worker"])
    # Each in a group of its own: what a child started ends with it, whatever state it is in.
    children = [
        subprocess.Popen(command, env=os.environ.copy(), start_new_session=True)
        for command in commands
    ]
    signal.signal(signal.SIGTERM, _interrupt)
    told = False
    try:
        while all(child.poll() is None for child in children):
            if not told and _answers(host, port):
                print(f"Brightspots is at http://{host}:{port}/  (Ctrl-C stops it)", flush=True)
                told = True
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass
    finally:
        _end(children)


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host if host != "0.0.0.0" else "127.0.0.1", port)) == 0  # noqa: S104 - compared, not bound


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        # A job at work does not end that soon: killed here, it is taken up at the next start.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
