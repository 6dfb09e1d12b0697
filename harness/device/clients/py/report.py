#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of /dev/sev-guest: the standard library's fcntl.ioctl and ctypes for
addresses."""
import argparse
import ctypes
import errno
import fcntl
import os
import struct
import sys

GET_REPORT = 0xC0205300
GET_DERIVED_KEY = 0xC0205301
GET_EXT_REPORT = 0xC0205302
INVALID_LEN = 1 << 32
REPORT_AT = 32


def die(code, text):
    print("report: " + text, file=sys.stderr)
    sys.exit(code)


def request(fd, number, version, req, resp):
    """Returns (errno, exitinfo2)."""
    envelope = bytearray(struct.pack("<B7xQQQ", version, ctypes.addressof(req),
                                     ctypes.addressof(resp), 0))
    try:
        result = fcntl.ioctl(fd, number, envelope)
    except OSError as e:
        return e.errno, struct.unpack_from("<Q", envelope, 24)[0]
    if result != 0:
        die(1, "the ioctl returned %d" % result)
    return 0, 0


def refused(what, err, info):
    die(1, "%s: %s, exitinfo2 0x%x" % (what, os.strerror(err), info))


def check_status(what, resp):
    status = struct.unpack_from("<I", resp)[0]
    if status:
        die(2, "%s: firmware status 0x%x" % (what, status))


def save(path, data):
    try:
        with open(path, "wb") as out:
            out.write(data)
    except OSError as e:
        die(1, str(e))


def report_request(o):
    return struct.pack("<64sI28x", o.report_data, o.vmpl)


def plain_report(fd, o):
    req = ctypes.create_string_buffer(report_request(o), 96)
    resp = ctypes.create_string_buffer(4000)
    err, info = request(fd, GET_REPORT, o.msg_version, req, resp)
    if err:
        refused("SNP_GET_REPORT", err, info)
    return resp.raw


def ext_report(fd, o):
    """The certificates may grow between the question for their length and the
    next."""
    req = ctypes.create_string_buffer(report_request(o), 112)
    resp = ctypes.create_string_buffer(4000)
    certs = ctypes.create_string_buffer(0)
    for attempt in range(3):
        err, info = request(fd, GET_EXT_REPORT, o.msg_version, req, resp)
        if err == 0:
            return resp.raw, certs.raw
        if (err, info) != (errno.EIO, INVALID_LEN) or attempt == 2:
            refused("SNP_GET_EXT_REPORT", err, info)
        length = struct.unpack_from("<I", req, 104)[0]
        certs = ctypes.create_string_buffer(length)
        struct.pack_into("<Q", req, 96, ctypes.addressof(certs))
    raise AssertionError


def derived_key(fd, o):
    req = ctypes.create_string_buffer(
        struct.pack("<I4xQIIQ", o.root_key, o.fields, o.vmpl, o.guest_svn,
                    o.tcb), 32)
    resp = ctypes.create_string_buffer(64)
    err, info = request(fd, GET_DERIVED_KEY, o.msg_version, req, resp)
    if err:
        refused("SNP_GET_DERIVED_KEY", err, info)
    check_status("SNP_GET_DERIVED_KEY", resp.raw)
    return resp.raw[32:]


def number(text):
    return int(text, 0)


def options():
    parser = argparse.ArgumentParser(prog="report")
    parser.add_argument("--device", default="/dev/sev-guest")
    parser.add_argument("--report-data", type=bytes.fromhex, default=b"")
    for name in ("--report", "--certs", "--key"):
        parser.add_argument(name)
    for name in ("--vmpl", "--root-key", "--fields", "--guest-svn", "--tcb"):
        parser.add_argument(name, type=number, default=0)
    parser.add_argument("--msg-version", type=number, default=1)
    return parser.parse_args()


def main():
    o = options()
    try:
        fd = os.open(o.device, os.O_RDWR)
    except OSError as e:
        die(1, str(e))
    if o.certs or o.report or not o.key:
        if o.certs:
            resp, certs = ext_report(fd, o)
            save(o.certs, certs)
        else:
            resp = plain_report(fd, o)
        check_status("report", resp)
        size = struct.unpack_from("<I", resp, 4)[0]
        if size > len(resp) - REPORT_AT:
            die(1, "a report of %d bytes" % size)
        report = resp[REPORT_AT:REPORT_AT + size]
        if o.report:
            save(o.report, report)
        else:
            print(report.hex())
    if o.key:
        save(o.key, derived_key(fd, o))


if __name__ == "__main__":
    main()
