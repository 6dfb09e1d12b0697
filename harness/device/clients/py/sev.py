#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of /dev/sev, written from the layout of linux/psp-sev.h: the standard
library's fcntl.ioctl and ctypes for addresses.

usage: sev.py [--device PATH] COMMAND [ARG...]

  status                    one JSON object
  reset | pek-gen | pdh-gen
  csr FILE
  import PEK OCA
  export PDH CHAIN
  id FILE
  snp-status                one JSON object
  snp-commit
  snp-config HEX MASK       REPORTED_TCB in memory order; 1 hides the chip id
  snp-vlek FILE             a hashstick of 432 bytes
  ext-set NUMBER FILE|-     SNP_SET_EXT_CONFIG of the older ABIs; -: drop
  ext-get NUMBER FILE
  raw NUMBER [HEX]          any command; prints errno, error, bytes

Exit status: 0; 1 with one line when the ioctl fails.
"""
import ctypes
import errno
import fcntl
import json
import os
import struct
import sys

ISSUE_CMD = 0xC0105300
KEEP = 0x5A5A5A5A
CERT = 2084


def buffer(data):
    return (ctypes.c_ubyte * max(len(data), 1)).from_buffer_copy(
        bytes(data) or b"\0")


def at(buf):
    return ctypes.addressof(buf)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(bytes(data))


class Device:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def raw(self, number, inner, error=KEEP):
        """(errno, error, inner as written back)."""
        inner = buffer(inner) if inner is not None else None
        envelope = bytearray(struct.pack("<IQI", number,
                                         at(inner) if inner else 0, error))
        code = 0
        try:
            fcntl.ioctl(self.fd, ISSUE_CMD, envelope)
        except OSError as e:
            code = e.errno
        return code, struct.unpack_from("<I", envelope, 12)[0], inner

    def issue(self, number, inner=None):
        code, error, inner = self.raw(number, inner, 0)
        if code != 0:
            sys.exit("sev: command %d: %s, firmware 0x%x" %
                     (number, errno.errorcode[code], error))
        if error != 0:
            sys.exit("sev: success with error 0x%x" % error)
        return bytes(inner) if inner is not None else b""

    def status(self):
        names = ("api_major", "api_minor", "state", "flags", "build",
                 "guest_count")
        return dict(zip(names, struct.unpack("<BBBIBI",
                                             self.issue(1, bytes(12)))))

    def one(self, number, size):
        blob = buffer(bytes(size))
        inner = self.issue(number, struct.pack("<QI", at(blob), size))
        return bytes(blob)[:struct.unpack_from("<I", inner, 8)[0]]

    def export(self):
        pdh, chain = buffer(bytes(CERT)), buffer(bytes(3 * CERT))
        self.issue(5, struct.pack("<QIQI", at(pdh), CERT, at(chain), 3 * CERT))
        return bytes(pdh), bytes(chain)

    def cert_import(self, pek, oca):
        a, b = buffer(pek), buffer(oca)
        self.issue(6, struct.pack("<QIQI", at(a), len(pek), at(b), len(oca)))

    def snp_status(self):
        names = ("api_major", "api_minor", "state", "rmp", "build_id", "flags",
                 "guest_count", "current_tcb", "reported_tcb")
        values = struct.unpack("<BBBBIII8s8s", self.issue(9, bytes(32)))
        return {n: v.hex() if isinstance(v, bytes) else v
                for n, v in zip(names, values)}

    def snp_config(self, tcb, mask):
        self.issue(11, bytes.fromhex(tcb) + struct.pack("<I", mask) +
                   bytes(52))

    def snp_vlek(self, stick):
        blob = buffer(stick)
        self.issue(12, struct.pack("<IB3xQ", 16, 0, at(blob)))

    def ext_set(self, number, certs):
        blob = buffer(certs) if certs is not None else None
        self.issue(number, struct.pack("<QQI4x", 0, at(blob) if blob else 0,
                                       len(certs or b"")))

    def ext_get(self, number, size=16384):
        blob = buffer(bytes(size))
        self.issue(number, struct.pack("<QQI4x", 0, at(blob), size))
        return bytes(blob)


def show_raw(dev, number, data="-"):
    code, error, inner = dev.raw(int(number, 0),
                                 None if data == "-" else bytes.fromhex(data))
    print(errno.errorcode.get(code, "ok"), "keep" if error == KEEP else
          "0x%x" % error, bytes(inner).hex() if inner is not None else "-")


COMMANDS = {
    "status": lambda d: print(json.dumps(d.status())),
    "reset": lambda d: d.issue(0),
    "pek-gen": lambda d: d.issue(2),
    "pdh-gen": lambda d: d.issue(4),
    "csr": lambda d, path: write(path, d.one(3, CERT)),
    "import": lambda d, pek, oca: d.cert_import(read(pek), read(oca)),
    "export": lambda d, *paths: [write(p, b) for p, b in
                                 zip(paths, d.export())],
    "id": lambda d, path: write(path, d.one(8, 64)),
    "snp-status": lambda d: print(json.dumps(d.snp_status())),
    "snp-commit": lambda d: d.issue(10),
    "snp-config": lambda d, tcb, mask: d.snp_config(tcb, int(mask)),
    "snp-vlek": lambda d, path: d.snp_vlek(read(path)),
    "ext-set": lambda d, n, path: d.ext_set(
        int(n), None if path == "-" else read(path)),
    "ext-get": lambda d, n, path: write(path, d.ext_get(int(n))),
    "raw": show_raw,
}


def main(argv):
    path = "/dev/sev"
    if argv[:1] == ["--device"]:
        path, argv = argv[1], argv[2:]
    COMMANDS[argv[0]](Device(path), *argv[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
