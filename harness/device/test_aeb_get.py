#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The guest application before brokers that mean it no good, or are none: it
ends with one line that says why, in time, and hands nothing on."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import evidence  # noqa: E402
import tst  # noqa: E402
from evidence import DEV  # noqa: E402

PATIENCE = 20  # s; nothing but silence takes that long
SHORT = 0.3


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def block(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def answer(payload):
    """The body of a response: an empty status, and @payload."""
    return b"\x0a\x00" + block(2, payload)


def status(code, text=b""):
    return block(1, number(1, code) + block(2, text))


def frame(stream, body, kind=2, flags=0, length=None):
    return struct.pack(">IIBB", len(body) if length is None else length,
                       stream, kind, flags) + body


SIZE = answer(number(2, 6461))


class Server:
    """Says what @script does with (connection, stream, is it the size RPC);
    what is not None is sent, False closes."""

    def __init__(self, path, script):
        self.script = script
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        try:
            c, _ = self.socket.accept()
            with c, c.makefile("rb") as f:
                self.talk(c, f)
        except OSError:
            pass

    def talk(self, c, f):
        while True:
            head = f.read(10)
            if len(head) < 10:
                return
            length, stream, _, _ = struct.unpack(">IIBB", head)
            out = self.script(c, stream, b"EvidenceSize" in f.read(length))
            if out is False:
                return
            c.sendall(out or b"")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def says(second, first=SIZE):
    """Bodies, or functions of the stream id that make frames."""
    def script(_, stream, is_size):
        out = first if is_size else second
        return out(stream) if callable(out) else frame(stream, out)
    return script


class Application(evidence.Case):
    json = packed = b""

    @classmethod
    def setUpClass(cls):
        """What an honest broker says."""
        case = evidence.Case()
        case.setUp()
        try:
            guest = case.description("a", evidence.image(0xf4))
            p = tst.run(tst.SWPSP, "run", DEV, "--legacy-guest", guest, "--",
                        "sh", "-c", """
                cd %s; %s aeb %s --listen unix://$PWD/s >out 2>err & b=$!
                until grep -q listening out; do sleep 0.05; done
                G="%s aeb-get --connect unix://$PWD/s --handle 1 --mnonce %s"
                $G --out j && $G --out p --format packed; r=$?
                kill $b; wait $b; exit $r""" % (
                    case.dir, tst.SWPSP, DEV, tst.SWPSP, "5a" * 16))
            assert p.returncode == 0, p.stderr
            cls.json, cls.packed = case.read("j"), case.read("p")
        finally:
            case.doCleanups()

    def get(self, script, *argv, slow=False):
        path = self.path("s")
        server = Server(path, script)
        begin = time.monotonic()
        try:
            p = tst.run(tst.SWPSP, "aeb-get", "--connect", "unix://" + path,
                        "--handle", "1", "--timeout",
                        str(int(1000 * (SHORT if slow else PATIENCE))),
                        "--out", self.path("e"), *argv)
        finally:
            server.close()
            os.unlink(path)
        p.seconds = time.monotonic() - begin
        return p

    def good(self, script, *argv):
        p = self.get(script, *argv)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        got = self.read("e")
        os.unlink(self.path("e"))
        return got

    def bad(self, script, code, text, *argv, slow=False):
        p = self.get(script, *argv, slow=slow)
        self.assertEqual(p.returncode, code, p.stderr)
        self.assertRegex(p.stderr, "^swpsp aeb-get: [ -~]*\n$")
        self.assertIn(text, p.stderr)
        self.assertFalse(os.path.exists(self.path("e")))
        self.assertLess(p.seconds, PATIENCE / 2)

    def evidence(self, *fields):
        return answer(b"".join(fields))

    # ---- what others do, and is fine ----

    def test_other_peoples_brokers_are_fine(self):
        good = self.evidence(number(2, 6461), block(3, self.json))
        for script in (
                says(good),
                says(block(2, block(3, self.json)), block(2, number(2, 6461))),
                says(lambda s: frame(s, good, flags=3)),
                says(lambda s: frame(s + 2, SIZE) + frame(s, good)),
                says(lambda s: frame(s, good) * 2, lambda s: frame(s, SIZE) * 2),
                says(good + number(77, 1) + block(78, b"x"))):
            self.assertEqual(self.good(script), self.json)

    def test_what_the_broker_says_of_the_encoding_counts(self):
        packed = self.evidence(block(3, self.packed), number(18, 1))
        text = self.evidence(block(3, self.json))
        for script in says(packed), says(text):
            self.assertEqual(self.good(script), self.json)
            self.assertEqual(self.good(script, "--encoding", "packed",
                                       "--format", "packed"), self.packed)
        for fields, why in (
                ((block(3, self.json), number(18, 1)), "packed, of "),
                ((block(3, self.packed),), "'{' is missing"),
                ((block(3, self.packed[:-2]), number(18, 1)),
                 "packed, of 6459 bytes"),
                ((block(3, self.packed + b"\0"), number(18, 1)),
                 "packed, of 6462 bytes"),
                ((block(3, self.json), number(18, 7)), "unknown encoding 7")):
            self.bad(says(self.evidence(*fields)), 1, "evidence: " + why)

    # ---- sizes ----

    def test_sizes_that_are_none(self):
        good = self.evidence(block(3, self.json))
        for n in 0, 1, 6459, 6462, 0xffffffff:
            self.bad(says(good, answer(number(2, n))), 1,
                     "EvidenceSize: %u bytes, need 6460 or 6461" % n)

    def test_size_of_another_layout(self):
        plain = self.evidence(block(3, self.packed[:-1]), number(18, 1))
        typed = self.evidence(block(3, self.packed), number(18, 1))
        small = answer(number(2, 6460))
        self.assertEqual(self.good(says(plain, small), "--format", "packed"),
                         self.packed[:-1])
        self.bad(says(plain), 1, "of 6460 bytes, 6461 were announced")
        self.bad(says(typed, small), 1, "of 6461 bytes, 6460 were announced")

    def test_evidence_that_is_none(self):
        for data, why in ((b"", "there is none"), (b"{", "is missing"),
                          (self.json + b"\0", "something follows"),
                          (self.json[:-1], "is missing")):
            self.bad(says(self.evidence(block(3, data))), 1,
                     "evidence: ", "--plain")
            self.bad(says(self.evidence(block(3, data))), 1, why)

    def test_errors_beat_evidence(self):
        self.bad(says(self.evidence(number(1, 0x10), block(3, self.json))), 1,
                 "error 0x10: firmware: there is no guest")
        self.bad(says(status(2) + block(2, block(3, self.json))), 1,
                 "status 2")
        self.bad(says(b"", answer(number(1, 0xdeadbeef) + number(2, 6461))), 1,
                 "error 0xdeadbeef")

    # ---- frames ----

    def test_frames_that_are_none(self):
        good = self.evidence(block(3, self.json))
        for kind in 0, 1, 3, 255:
            self.bad(says(lambda s, k=kind: frame(s, good, kind=k)), 2,
                     "RetrieveAttestationEvidence: Protocol error")
        for body in b"\xff", b"\x0a\x05ab", b"\x08\x01", b"\x0b\x0c":
            self.bad(says(body), 2, "Protocol error")
            self.bad(says(good, body), 2, "EvidenceSize: Protocol error")
        for payload in b"\x12\x01a", b"\x1a\x05a", b"\x18\x01":
            self.bad(says(answer(payload)), 1, "no such response")

    def test_lengths_beyond_the_limit_are_refused_at_once(self):
        for n in 4194305, 64 << 20, 1 << 31, (1 << 32) - 1:
            self.bad(says(lambda s, n=n: frame(s, b"x" * 99, length=n)), 2,
                     "Message too long")
        self.bad(says(self.evidence(block(3, b"[" * 4000000))), 1,
                 "more than 65536")

    def test_connections_that_end(self):
        def reset(c, stream, is_size):
            if is_size:
                return frame(stream, SIZE)
            c.sendall(frame(stream, b"x" * 99, length=999))
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            return False

        def close(cut):
            def script(c, stream, is_size):
                if is_size:
                    return frame(stream, SIZE)
                c.sendall(frame(stream, b"\x0a\x00" * 50)[:cut])
                return False
            return script
        for script in (reset, close(0), close(1), close(9), close(10),
                       close(11), close(109), lambda c, s, z: False):
            self.bad(script, 2, "Connection reset by peer")

    def test_silence_ends_in_time(self):
        def chatter(c, _, is_size):
            while is_size:
                c.sendall(frame(9999, b"x" * 10))
                time.sleep(0.01)

        def dribble(c, stream, is_size):
            for b in frame(stream, SIZE):
                c.sendall(bytes([b]))
                time.sleep(0.1 if is_size else 0)
        good = self.evidence(block(3, self.json))
        for script in (lambda c, s, z: None, chatter, dribble,
                       says(lambda s: frame(s + 2, good)),
                       says(lambda s: frame(s, good)[:5]),
                       says(lambda s: frame(s, good)[:-1])):
            self.bad(script, 2, "Connection timed out", slow=True)

    # ---- status ----

    def test_status_is_shown_in_one_line(self):
        for code in 1, 2, 3, 12, 16, 17, -1:
            self.bad(says(status(code, b"no\n\x1b[31m\r\0\xff\xfeway")), 1,
                     "status %d: no??[31m????way" % code)
        self.bad(says(status(2, b"A" * 1000000)), 1, "status 2: AAAA")
        self.bad(says(status(2)), 1, "Evidence: status 2\n")


if __name__ == "__main__":
    tst.main()
