#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write an initramfs (cpio, "newc") of programs with their shared libraries.

usage: initramfs.py OUT [PATH=FILE ...]

Each FILE becomes PATH; what ldd names for it comes along. Folders are made as
needed. A PATH that ends in "/" becomes an empty folder.
"""
import os
import re
import subprocess
import sys


def libraries(path):
    """Shared libraries of a program, with its loader; none for anything else."""
    out = subprocess.run(["ldd", path], capture_output=True, text=True,
                         check=False).stdout
    return re.findall(r"(/\S+) \(0x", out)


def entry(number, path, mode, data, rdev=(0, 0)):
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1],
              len(name), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    return pad(head) + pad(data)


def pad(data):
    return data + bytes(-len(data) % 4)


def main():
    out, files = sys.argv[1], {}
    for arg in sys.argv[2:]:
        path, _, source = arg.partition("=")
        path = path.lstrip("/")
        if path.endswith("/"):
            files[path.rstrip("/")] = None
            continue
        files[path] = source
        for library in libraries(source):
            files.setdefault(library.lstrip("/"), library)
    for path in list(files):
        while os.path.dirname(path):
            path = os.path.dirname(path)
            files[path] = None
    parts = []
    for path in sorted(files):
        source = files[path]
        if source is None:
            parts.append(entry(len(parts) + 1, path, 0o040755, b""))
            continue
        with open(source, "rb") as f:
            data = f.read()
        mode = 0o100755 if os.access(source, os.X_OK) else 0o100644
        parts.append(entry(len(parts) + 1, path, mode, data))
    # The kernel's messages need somewhere to go before /dev is mounted.
    parts.append(entry(len(parts) + 1, "dev/console", 0o020600, b"", (5, 1)))
    parts.append(entry(0, "TRAILER!!!", 0, b""))
    with open(out, "wb") as f:
        f.write(b"".join(parts))


if __name__ == "__main__":
    main()
