#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The objections of the reviewers of 2022, one test for each scenario of
abi/aeb.md §8.1: machine, guests, broker, key server, application and relying
party are programs. Each says who finds out, by which check or error, or that
nobody can, and then the evidence is accepted."""
import datetime
import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import evidence  # noqa: E402
import tst  # noqa: E402
from evidence import image, launch_digest  # noqa: E402

LN = bytes(range(32))  # the launch nonce of guest a
NONCE = ["--launch-nonce", LN.hex()]
A, B = 0xf4, 0x5a  # images


def bound(challenge=bytes(32), spki=bytes(32), nonce=LN):
    message = b"AEB-EVIDENCE-V1\0" + challenge + spki
    return hmac.new(nonce, message, hashlib.sha256).digest()[:16]


class Scenarios(evidence.Host):
    def two(self, *serve, b=B):
        """A machine with guests a and b, whose applications may make
        hypercalls, and a broker that serves anybody."""
        self.boot("--vm-handle", "own", *serve)
        self.assertEqual(self.launch("a", image(A)), 1)
        self.assertEqual(self.launch("b", image(b)), 2)
        return self.broker()

    # ---- T1, T2: the hypercall gives another guest's handle ----

    def lied_to(self):
        """A hypervisor that gives a's application the handle of b."""
        return self.faults({"at": "hypercall", "do": "substitute",
                            "when": {"every": 1, "guest": "a"}, "from": "b"})

    def test_t1_handle_of_a_guest_with_another_image(self):
        aeb = self.two(*self.lied_to())
        self.got("e", aeb, "--vm", "a")
        # Who does not compare digests, as rats-tls, sees nothing.
        self.assertEqual(self.verify("e"), [])
        self.assertEqual(self.verify("e", "--launch-digest",
                                     launch_digest(A)), ["launch-digest"])
        self.assertEqual(self.verify("e", "--launch-digest",
                                     launch_digest(B)), [])

    def test_t1_broker_that_asks_for_another_guest(self):
        self.two()
        aeb = self.broker(*self.faults({"at": "broker", "do": "substitute",
                                        "from": 2}))
        self.got("e", aeb, "--vm", "a", *NONCE)
        self.assertEqual(self.verify("e", *NONCE), [])
        self.assertEqual(self.verify("e", "--launch-digest",
                                     launch_digest(A), *NONCE),
                         ["launch-digest"])

    def test_t2_twin_with_equal_image_nobody_can_tell(self):
        aeb = self.two(*self.lied_to(), b=A)
        self.got("e", aeb, "--vm", "a")
        want = ["--launch-digest", launch_digest(A), "--policy", "1"]
        self.assertEqual(self.verify("e", *want), [])
        # Nor does the launch nonce help: the application is a's own.
        self.got("e", aeb, "--vm", "a", *NONCE)
        self.assertEqual(self.verify("e", *want, *NONCE), [])

    def test_t2_fix_something_of_the_owner_in_the_measured_image(self):
        nonce = {"gpa": "0xffffe000", "size": 4096}
        self.boot("--vm-handle", "own", *self.lied_to())
        self.launch("a", [{**nonce, "fill": 1}, *image(A)])
        self.launch("b", [{**nonce, "fill": 2}, *image(A)])
        aeb = self.broker()
        self.got("mine", aeb, "--handle", "1")
        self.got("e", aeb, "--vm", "a")
        mine = hashlib.sha256(b"\1" * 4096 + bytes([A]) * 4096).hexdigest()
        self.assertEqual(self.digest("mine"), mine)
        self.assertEqual(self.verify("mine", "--launch-digest", mine), [])
        self.assertEqual(self.verify("e", "--launch-digest", mine),
                         ["launch-digest"])

    # ---- T3, T10: what the broker does with nonces ----

    def test_t3_replayed_report(self):
        self.two()
        aeb = self.broker(*self.faults({"at": "broker", "do": "replay"}))
        self.got("first", aeb, "--vm", "a", "--plain")
        self.got("again", aeb, "--vm", "a", "--plain")
        self.assertEqual(self.read("again"), self.read("first"))
        self.assertEqual(self.verify("again"), [])  # as published: nobody
        self.refused("not for the nonce", aeb, "--vm", "a", *NONCE)
        self.assertEqual(self.verify("again", *NONCE), ["mnonce"])

    def test_t10_broker_that_drops_the_nonce(self):
        self.two()
        aeb = self.broker(*self.faults({"at": "broker", "do": "strip"}))
        self.refused("not for the nonce", aeb, "--vm", "a", *NONCE)
        self.got("e", aeb, "--vm", "a")
        self.assertEqual(self.verify("e", *NONCE), ["mnonce"])

    # ---- T4, T11: sessions and challenges ----

    def test_t4_impostor_shows_the_victims_evidence(self):
        aeb = self.two()
        victim = Attester(self, aeb, "victim")
        impostor = Relay(self, victim.port, "impostor")
        self.attested("direct", victim.port)
        self.assertEqual(self.judged("direct"), [])
        self.attested("relayed", impostor.port)
        self.assertEqual(self.judged("relayed"), ["mnonce"])
        self.assertEqual(self.read("relayed.mnonce"), bound(
            self.read("relayed.challenge"), victim.spki))
        # Who leaves the session's key out, as rats-tls, is taken in.
        self.assertEqual(self.verify("relayed", *NONCE, "--challenge",
                                     self.read("relayed.challenge").hex(),
                                     "--spki", victim.spki.hex()), [])
        self.assertEqual(self.verify("relayed"), [])

    def attested(self, name, port):
        """A TLS session with an attester: its evidence, challenge, key."""
        challenge = os.urandom(32)
        with tls_client(port) as s:
            spki = spki_of(s.getpeercert(True))
            s.sendall(challenge)
            data = receive(s, 6461)
        self.write(name, data)
        self.write(name + ".mnonce", data[:16])
        self.write(name + ".challenge", challenge)
        self.write(name + ".spki", spki)

    def judged(self, name):
        return self.verify(name, "--launch-digest", launch_digest(A), *NONCE,
                           "--challenge",
                           self.read(name + ".challenge").hex(), "--spki",
                           self.read(name + ".spki").hex())

    def test_t11_same_challenge_twice(self):
        aeb = self.two()
        challenge = ["--challenge", "a5" * 32]
        table = ["--challenge-table", self.path("table")]
        self.got("e", aeb, "--vm", "a", *NONCE, *challenge)
        self.got("f", aeb, "--vm", "a", *NONCE, *challenge)
        self.assertEqual(self.verify("e", *NONCE, *challenge, *table), [])
        self.assertEqual(self.verify("e", *NONCE, *challenge, *table),
                         ["challenge"])
        self.assertEqual(self.verify("f", *NONCE, *challenge, *table),
                         ["challenge"])
        self.assertEqual(self.verify("e", *NONCE, *challenge,
                                     "--challenge-until", "1"), ["challenge"])
        # Without interaction: once a launch.
        self.got("once", aeb, "--vm", "a", *NONCE)
        self.assertEqual(self.verify("once", *NONCE, *table), [])
        self.assertEqual(self.verify("once", *NONCE, *table), ["challenge"])

    # ---- T5, T6, T7, T17: who gets which handle ----

    def test_t5_guest_b_asks_with_the_handle_of_a(self):
        anybody = self.two()
        self.got("e", anybody, "--handle", "1")  # as published: served
        a, b = self.path("a.sock"), self.path("b.sock")
        self.broker("--endpoint", "unix://%s=a" % a, "--endpoint",
                    "unix://%s=2" % b, "--registry", self.control,
                    socket_name="nobody")
        self.got("e", "unix://" + a, "--handle", "1")
        self.got("e", "unix://" + b, "--handle", "2")
        self.refused("error 0x30002", "unix://" + b, "--handle", "1")
        self.refused("error 0x30002", "unix://" + a, "--vm", "b")
        self.refused("error 0x30003", "unix://" + self.path("nobody"),
                     "--handle", "1")
        uid = self.broker("--map", "uid:%d=2" % os.getuid())
        self.got("e", uid, "--vm", "b")
        self.refused("error 0x30002", uid, "--vm", "a")

    def test_t6_user_space_asks_for_the_handle(self):
        self.boot()
        self.launch("a", image(A))
        aeb = self.broker()
        self.refused("hypercall 13 at CPL 3: -1", aeb, "--vm", "a")
        self.got("kernel", aeb, "--vm", "a", "--cpl", "0")
        for cpl in (1, 2, 3):
            self.assertEqual(self.ask("guest.hypercall", guest="a", cpl=cpl)
                             ["result"], {"rax": -1})
        # The patches let user space do it; others get no further with it
        # than to evidence that lacks the launch nonce.
        self.boot("--vm-handle", "own")
        self.launch("a", image(A))
        aeb = self.broker()
        self.got("e", aeb, "--vm", "a", "--mnonce", "66" * 16)
        self.assertEqual(self.verify("e"), [])
        self.assertEqual(self.verify("e", *NONCE), ["mnonce"])

    def test_t7_handle_used_again(self):
        self.boot("--vm-handle", "own")
        self.assertEqual(self.launch("a", image(A)), 1)
        self.assertEqual(self.launch("c", image(A)), 2)
        me = "uid:%d=" % os.getuid()
        static = self.broker("--map", me + "1")
        pinned = self.broker("--map", me + "1", "--registry", self.control)
        named = self.broker("--map", me + "a", "--registry", self.control)
        for aeb in (static, pinned, named):
            self.got("e", aeb, "--vm", "a")
        self.stop("a")
        self.refused("error 0x10: ", static, "--handle", "1")
        self.refused("error 0x30002", pinned, "--handle", "1")
        self.refused("error 0x30003", named, "--handle", "1")
        self.assertEqual(self.launch("b", image(B)), 1)
        # A map without generations: left to the verifier. B's application
        # does not know a's launch nonce.
        self.got("e", static, "--handle", "1")
        self.assertEqual(self.verify("e", "--launch-digest",
                                     launch_digest(A), *NONCE),
                         ["launch-digest", "mnonce"])
        self.refused("error 0x30002", pinned, "--handle", "1")
        self.refused("error 0x30003", named, "--handle", "1")
        # a again, under another handle: its name follows.
        self.assertEqual(self.launch("a", image(A)), 3)
        self.got("e", named, "--vm", "a")
        self.assertEqual(self.digest("e"), launch_digest(A))
        self.refused("error 0x30002", named, "--handle", "1")
        self.refused("error 0x30002", pinned, "--handle", "3")
        # And through a restart of the machine.
        self.boot("--vm-handle", "own")
        self.assertEqual(self.launch("a", image(A)), 1)
        self.refused("error 0x30002", pinned, "--handle", "1")
        self.got("e", named, "--vm", "a")
        # Nobody to ask: nobody is served.
        self.end(self.daemon)
        self.refused("error 0x30003", named, "--handle", "1")

    def test_t17_endpoint_of_one_guest(self):
        self.two()
        path = self.path("b.sock")
        self.broker("--endpoint", "unix://%s=b" % path, "--registry",
                    self.control, "--peer-policy", "bind")
        self.got("e", "unix://" + path)
        self.assertEqual(self.digest("e"), launch_digest(B))
        self.got("e", "unix://" + path, "--handle", "2")
        self.refused("error 0x30002", "unix://" + path, "--handle", "1")

    # ---- T8, T9, T16, T18: platform and key server ----

    def test_t8_report_of_another_platform(self):
        aeb = self.two()
        self.got("e", aeb, "--vm", "a")
        pins = []
        for name, at in (("cek", 208), ("pek", 2292)):
            self.write(name, self.read("e")[at:at + 2084])
            pins += ["--pin-" + name, self.path(name)]
        self.assertEqual(self.verify("e", *pins), [])
        self.boot("--chip", "1")
        self.launch("a", image(A))
        self.got("other", self.broker(), "--handle", "1")
        self.assertEqual(self.verify("other"), [])  # all that rats-tls sees
        self.assertEqual(self.verify("other", *pins), ["platform"])

    def test_t9_cek_of_another_chip(self):
        self.boot("--chip", "1")
        self.launch("a", image(A))
        self.got("other", self.broker(), "--handle", "1")
        aeb = self.two()
        self.got("e", aeb, "--vm", "a")
        e, other = self.read("e"), self.read("other")
        self.write("forged", e[:208] + other[208:2292] + e[2292:])
        self.assertEqual(self.verify("forged"), ["chain"])
        # A key server that gives it to everybody: the broker sees it first.
        port = self.key_server(*self.faults(
            {"at": "key-server", "do": "substitute", "from": "other-chip"}))
        self.refused("error 0x20003", self.broker(
            "--kds-url", "http://127.0.0.1:%d" % port), "--vm", "a")
        # A key server that made it itself: for this chip's key, unsigned.
        fake = bytearray(e[208:2292])
        fake[0x420] ^= 1
        port = FixedServer(self, bytes(fake)).port
        url = ["--kds-url", "http://127.0.0.1:%d" % port]
        self.refused("error 0x30007",
                     self.broker(*url, "--root", self.root()), "--vm", "a")
        self.got("unsigned", self.broker(*url), "--vm", "a")
        self.assertEqual(self.verify("unsigned"), ["chain"])

    def test_t16_key_server_that_hangs(self):
        self.two()
        port = FixedServer(self, None).port
        aeb = self.broker("--kds-url", "http://127.0.0.1:%d" % port,
                          "--map", "uid:%d=1" % os.getuid())
        begin = time.monotonic()
        stuck = [self.spawn(tst.SWPSP, "aeb-get", "--connect", aeb,
                            "--handle", "1", "--timeout", "2000")
                 for _ in range(12)]
        time.sleep(0.3)
        # Whoever needs no CEK is served meanwhile, and at once.
        for _ in range(3):
            self.refused("error 0x30002", aeb, "--vm", "b")
        self.assertLess(time.monotonic() - begin, 1.8)
        for p in stuck:
            self.assertNotEqual(p.wait(timeout=20), 0)
            self.assertRegex(self.said(p), "timeout|timed out")
        self.assertLess(time.monotonic() - begin, 6)
        # Nor does a request under way keep it from its end.
        self.spawn(tst.SWPSP, "aeb-get", "--connect", aeb, "--handle", "1",
                   "--timeout", "700")
        time.sleep(0.2)
        begin = time.monotonic()
        self.assertEqual(self.end(self.last_broker), 0)
        self.assertLess(time.monotonic() - begin, 3)

    def test_t16_key_server_that_dies(self):
        self.two()
        p = self.spawn(tst.SWPSP, "kds", evidence.DEV, "--port-file",
                       self.path("port"))
        self.until(lambda: os.path.exists(self.path("port")) and
                   self.read("port"), p)
        aeb = self.broker("--kds-url", "http://127.0.0.1:%d" %
                          int(self.read("port")))
        self.got("e", aeb, "--vm", "a")
        self.end(p)
        self.got("e", aeb, "--vm", "a")  # the CEK is known
        self.assertEqual(self.verify("e"), [])

    def test_t18_driver_that_writes_nothing(self):
        self.two()
        self.refused("error 0x30008",
                     self.broker("--report-number", "9"), "--vm", "a")
        # The published broker hands zeros on; the verifier names them.
        aeb = self.broker(*self.faults({"at": "broker", "do": "zero-report"}))
        self.got("zeros", aeb, "--vm", "a")
        self.assertEqual(self.read("zeros")[:208], bytes(208))
        self.assertIn("report-empty", self.verify("zeros"))
        self.refused("not for the nonce", aeb, "--vm", "a", *NONCE)

    # ---- T12, T13, T14, T15 ----

    def test_t12_policy_that_allows_debugging(self):
        self.boot()
        self.launch("weak", image(A), policy=0)
        self.got("e", self.broker(), "--handle", "1")
        self.assertEqual(self.verify("e"), [])  # all that rats-tls sees
        self.assertEqual(self.verify("e", "--policy", "1", "--policy-mask",
                                     "1"), ["policy"])

    def test_t13_flipped_bits(self):
        aeb = self.two()
        self.got("e", aeb, "--vm", "a")
        e = self.read("e")
        where = {
            0: "report-signature", 16: "report-signature",
            48: "report-signature", 52: "report-signer",
            56: "report-signer", 60: "report-signer", 64: "report-signature",
            112: "format", 136: "report-signature", 184: "format",
            208: "chain", 216: "chain", 224: "chain", 1300: "chain",
            2292: "chain", 2316: "chain", 3400: "chain", 4376: "format",
            4400: "format", 5430: "chain", 6460: "device-type",
        }
        for at, check in where.items():
            bad = bytearray(e)
            bad[at] ^= 1
            self.write("bad", bad)
            self.assertIn(check, self.verify("bad"), at)
        for size in (0, 208, 6459, 6462):
            self.write("bad", (e + b"\0")[:size])
            p = tst.run(tst.SWPSP, "verify", "--type", "aeb", "--evidence",
                        self.path("bad"), "--root", self.root())
            self.assertEqual(p.returncode, 1, size)
        # Slots of a certificate have no order.
        cek, pek = e[208:2292], e[2292:4376]
        swapped = pek[:0x414] + pek[0x61c:] + pek[0x414:0x61c]
        self.write("swapped", e[:208] + cek + swapped + e[4376:])
        self.assertEqual(self.verify("swapped"), [])

    def test_t14_guest_changed_after_launch_nobody_can_tell(self):
        aeb = self.two()
        self.got("before", aeb, "--vm", "a", *NONCE)
        gpa = int(evidence.PAGE, 16) + 16
        first = self.ask("guest.write", guest="a", gpa=gpa, hex="cc" * 64)
        again = self.ask("guest.write", guest="a", gpa=gpa, hex="cc" * 64)
        self.assertEqual(first["result"]["was"], "%02x" % A * 64)
        self.assertEqual(again["result"]["was"], "cc" * 64)
        for where in (0, int(evidence.PAGE, 16) + 4090):
            self.assertEqual(self.ask(
                "guest.write", guest="a", gpa=where, hex="cc" * 8)["error"]
                ["code"], "EFAULT")
        self.got("after", aeb, "--vm", "a", *NONCE)
        self.assertEqual(self.digest("after"), launch_digest(A))
        for name in ("before", "after"):
            self.assertEqual(self.verify(
                name, "--launch-digest", launch_digest(A), "--policy", "1",
                *NONCE), [])

    def test_t15_errors_of_the_hypercall_used_as_handles(self):
        for how, rax in (("kernel", -1), ("off", -1), ("enotty", -25),
                         ("enosys", -1000)):
            self.boot("--vm-handle", how)
            self.launch("a", image(A))
            self.assertEqual(self.ask("guest.hypercall", guest="a")["result"],
                             {"rax": rax})
            aeb = self.broker()
            # Our application stops; the published ones send it.
            self.refused("hypercall 13 at CPL 3: %d" % rax, aeb, "--vm", "a")
            sent = struct.unpack("<I", struct.pack("<i", rax))[0]
            self.refused("error 0x10: ", aeb, "--handle", str(sent))
            self.refused("error 0x10: ", aeb, "--handle", "0")


# ---- TLS sessions ----

def make_identity(folder, name):
    """A key and a self-signed certificate; path and SHA-256 of the key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    cert = x509.CertificateBuilder(
        subject, subject, key.public_key(), x509.random_serial_number(),
        now - datetime.timedelta(days=1),
        now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    path = os.path.join(folder, name + ".pem")
    with open(path, "wb") as f:
        f.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        f.write(cert.public_bytes(serialization.Encoding.PEM))
    return path, spki_of(cert.public_bytes(serialization.Encoding.DER))


def spki_of(der):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    key = x509.load_der_x509_certificate(der).public_key()
    return hashlib.sha256(key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).digest()


def tls_client(port):
    """Evidence, not a CA, is what such a session is judged by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), 20))


def receive(s, size):
    data = b""
    while len(data) < size:
        part = s.recv(size - len(data))
        if not part:
            break
        data += part
    return data


class Server:
    """One connection at a time, until the test ends."""

    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def run(self):
        while True:
            try:
                s = self.listener.accept()[0]
            except OSError:
                return
            try:
                s.settimeout(20)
                self.serve(s)
            except OSError:
                pass
            s.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)


class TlsServer(Server):
    def __init__(self, test, name):
        path, self.spki = make_identity(test.dir, name)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)
        super().__init__(test)

    def serve(self, s):
        with self.context.wrap_socket(s, server_side=True) as tls:
            tls.sendall(self.answer(receive(tls, 32)))


class Attester(TlsServer):
    """An application in guest a: binds evidence to its own sessions."""

    def __init__(self, test, broker, name):
        self.test, self.broker = test, broker
        super().__init__(test, name)

    def answer(self, challenge):
        self.test.got("victim.evidence", self.broker, "--vm", "a", *NONCE,
                      "--challenge", challenge.hex(), "--spki",
                      self.spki.hex())
        return self.test.read("victim.evidence")


class Relay(TlsServer):
    """Asks the victim whatever it is asked."""

    def __init__(self, test, victim, name):
        self.victim = victim
        super().__init__(test, name)

    def answer(self, challenge):
        with tls_client(self.victim) as s:
            s.sendall(challenge)
            return receive(s, 6461)


class FixedServer(Server):
    """A key server that always says the same; None: nothing, for ever."""

    def __init__(self, test, body):
        self.body = body
        self.stop = threading.Event()
        super().__init__(test)

    def serve(self, s):
        while b"\r\n\r\n" not in s.recv(4096):
            pass
        if self.body is None:
            self.stop.wait(60)
            return
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                  len(self.body) + self.body)

    def close(self):
        self.stop.set()
        super().close()


if __name__ == "__main__":
    tst.main()
