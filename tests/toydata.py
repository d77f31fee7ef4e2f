"""A small data set, in a wheel and on a server of this machine, so that faults can be made at will."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from sharpwave.data.catalog import Archive, DataFile, Wheel

SHAPES = {
    "train-images-idx3-ubyte": (6, 4, 3),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (2, 4, 3),
    "t10k-labels-idx1-ubyte": (2,),
}


@dataclass
class Server:
    """What the server gives, what it was asked for, and whether it stops in the middle of a file."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    stalls: bool = False
    stalled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path[1:] in state.files else 404)
            self.end_headers()

        def do_GET(self) -> None:
            state.downloads.append(self.path[1:])
            body = state.files[self.path[1:]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            if state.stalls:
                state.stalled.set()
                state.ended.wait(60)
            else:
                self.wfile.write(body[half:])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        state.address = f"http://127.0.0.1:{http.server_port}/"
        try:
            yield state
        finally:
            state.ended.set()
            http.shutdown()
            thread.join()


def make_toy(server: Server, directory: Path) -> Archive:
    """Random images, put on the server and into a wheel in the directory."""
    generator = np.random.default_rng(0)
    files = []
    wheel = directory / "toydata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, shape in SHAPES.items():
            header = struct.pack(f">HBB{len(shape)}I", 0, 0x08, len(shape), *shape)
            raw = header + generator.integers(0, 256, shape, dtype=np.uint8).tobytes()
            files.append(DataFile(name, shape, hashlib.sha256(raw).hexdigest()))
            server.files[f"{name}.gz"] = gzip.compress(raw)
            packed.writestr(f"toydata/{name}.gz", gzip.compress(raw))
        information = "toydata-1.0.dist-info"
        packed.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: toydata\nVersion: 1.0\n")
        packed.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{information}/RECORD", "")
    return Archive(
        "toy", (files[0], files[1], files[2], files[3]), server.address, Wheel(str(wheel), "toydata"), "made here"
    )
