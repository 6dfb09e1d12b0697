#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp kds` and `swpsp run --kds` as clients see them: every row of
abi/certs-kds.md section 2 over the wire, HTTPS, faults, hostile clients."""
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
# --force: another test may have made a real node at this moment.
RUN = [tst.SWPSP, "run", DEV, "--force"]
CERT = ("application/pkix-cert", 'attachment; filename="vcek.crt"')
VLEK = ("application/pkix-cert", 'attachment; filename="vlek.crt"')
CHAIN = ("application/x-pem-file", 'attachment; filename="cert_chain"')
CRL = ("application/pkix-crl", 'attachment; filename="crl"')
BINARY = ("application/octet-stream", None)


class Server:
    """One `swpsp kds`."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [tst.DAEMON, "kds", *options], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def ask(self, path, method="GET", body=None, headers=None, timeout=30):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return r, r.read()
        finally:
            c.close()


class Case(tst.Case):
    mode = 0o777  # programs of other users work here

    def server(self, *options):
        s = Server(*options)

        def end():
            if s.process.poll() is None:
                code, _, err = s.stop()
                self.assertEqual(code, 0, err)
            s.process.stdout.close()
            s.process.stderr.close()
        self.addCleanup(end)
        return s

    def export(self, profile="milan", *options):
        folder = self.path("export-" + profile)
        self.ok(tst.SWPSP, "certs", "export", DEV, "--profile", profile,
                *options, folder)
        return folder

    def hwid(self, profile="milan"):
        return os.listdir(self.export(profile) + "/kds-store/vcek")[0]


class Plain(Case):
    @classmethod
    def setUpClass(cls):
        cls.s = Server(DEV, "--chips", "2")

    @classmethod
    def tearDownClass(cls):
        code, _, err = cls.s.stop()
        cls.s.process.stdout.close()
        cls.s.process.stderr.close()
        assert code == 0, err

    def check(self, r, body, status, kind=None):
        self.assertEqual(r.status, status)
        self.assertEqual(r.getheader("X-Simulated"), "1")
        self.assertEqual(r.getheader("Content-Length"), str(len(body)))
        self.assertEqual(r.getheader("Cache-Control"), "no-store")
        self.assertIsNone(r.getheader("Transfer-Encoding"))
        self.assertIsNone(r.getheader("Content-Encoding"))
        if kind:
            self.assertEqual(r.getheader("Content-Type"), kind[0])
            self.assertEqual(r.getheader("Content-Disposition"), kind[1])
        if status != 200:
            self.assertEqual(r.getheader("Content-Type"), "text/plain")
            self.assertLess(len(body), 64)
            self.assertNotIn(b"BEGIN", body)
            self.assertNotEqual(body[:1], b"\x30")

    def get(self, path, kind, headers=None):
        r, body = self.s.ask(path, headers=headers)
        self.check(r, body, 200, kind)
        return body

    def ca(self, product, which="vcek"):
        pem = self.get("/%s/v1/%s/cert_chain" % (which, product), CHAIN)
        return [x509.load_pem_x509_certificate(block + b"-----END CERTIFICATE"
                                               b"-----\n")
                for block in pem.split(b"-----END CERTIFICATE-----\n")[:-1]]

    def signed_by(self, ca, signature, data):
        ca.public_key().verify(
            signature, data, padding.PSS(padding.MGF1(hashes.SHA384()), 48),
            hashes.SHA384())

    def test_vceks_of_every_product_verify_and_stay_equal(self):
        for profile, product, query in (
                ("milan", "Milan", "blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"),
                ("genoa", "Genoa", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84"),
                ("turin", "Turin",
                 "fmcSPL=1&blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=81")):
            with self.subTest(product):
                url = "/vcek/v1/%s/%s?%s" % (product, self.hwid(profile), query)
                der = self.get(url, CERT, {"Accept-Encoding": "gzip"})
                self.assertEqual(der, self.get(url, CERT))
                self.assertEqual(der, self.get(url.replace(
                    self.hwid(profile), self.hwid(profile).upper()), CERT))
                cert = x509.load_der_x509_certificate(der)
                ask, ark = self.ca(product)
                self.signed_by(ask, cert.signature, cert.tbs_certificate_bytes)
                self.signed_by(ark, ask.signature, ask.tbs_certificate_bytes)
                self.signed_by(ark, ark.signature, ark.tbs_certificate_bytes)

    def test_exported_certificates_are_the_served_ones(self):
        folder = self.export()
        with open(folder + "/guest/vcek.der", "rb") as f:
            want = f.read()
        # The profile's TCB, as exported: Milan's default.
        found = self.get("/vcek/v1/Milan/%s?%s" % (self.hwid(),
                                                   self.tcb_query(want)), CERT)
        self.assertEqual(found, want)
        for name, url, kind in (
                ("cert_chain.pem", "/vcek/v1/Milan/cert_chain", CHAIN),
                ("vlek_cert_chain.pem", "/vlek/v1/Milan/cert_chain", CHAIN),
                ("crl.der", "/vcek/v1/Milan/crl", CRL),
                ("ask_ark_milan.cert",
                 "/developer/eula/sev/ask_ark_milan.cert", BINARY)):
            with open(folder + "/pki/Milan/" + name, "rb") as f:
                self.assertEqual(f.read(), self.get(url, kind), name)

    @staticmethod
    def tcb_query(der):
        arc = "1.3.6.1.4.1.3704.1.3."
        names = {"1": "blSPL", "2": "teeSPL", "3": "snpSPL", "8": "ucodeSPL"}
        values = {}
        for e in x509.load_der_x509_certificate(der).extensions:
            oid = e.oid.dotted_string
            if oid.startswith(arc) and oid[len(arc):] in names:
                values[names[oid[len(arc):]]] = int.from_bytes(
                    e.value.value[2:], "big")
        return "&".join("%s=%02d" % (k, v) for k, v in values.items())

    def test_chains_are_two_blocks_and_nothing_else(self):
        for which, first in (("vcek", "SEV-%s"), ("vlek", "SEV-VLEK-%s")):
            for product in ("Milan", "Genoa", "Turin"):
                names = [c.subject.get_attributes_for_oid(
                    x509.oid.NameOID.COMMON_NAME)[0].value
                    for c in self.ca(product, which)]
                self.assertEqual(names, [first % product, "ARK-" + product])

    def test_crls_have_amds_profile(self):
        for which in ("vcek", "vlek"):
            for product in ("Milan", "Genoa", "Turin"):
                with self.subTest((which, product)):
                    self.check_crl(which, product)

    def check_crl(self, which, product):
        der = self.get("/%s/v1/%s/crl" % (which, product), CRL)
        crl = x509.load_der_x509_crl(der)
        ark = self.ca(product)[1]
        self.assertEqual(crl.issuer, ark.subject)
        self.signed_by(ark, crl.signature, crl.tbs_certlist_bytes)
        now = datetime.datetime.utcnow()
        self.assertLessEqual(crl.last_update, now)
        self.assertGreater(crl.next_update, now + datetime.timedelta(40))
        self.assertEqual(crl.next_update.time(), datetime.time(0, 0))
        self.assertEqual(len(crl), 0)
        self.assertEqual([e.oid._name for e in crl.extensions],
                         ["authorityKeyIdentifier", "cRLNumber"])
        self.assertFalse(any(e.critical for e in crl.extensions))
        with open(self.path("crl"), "wb") as f:
            f.write(der)
        with open(self.path("ark"), "wb") as f:
            f.write(ark.public_bytes(serialization.Encoding.PEM))
        p = self.ok("openssl", "crl", "-inform", "DER", "-in",
                    self.path("crl"), "-CAfile", self.path("ark"), "-noout")
        self.assertIn("verify OK", p.stderr)

    def test_vlek_and_hash_sticks(self):
        r, der = self.s.ask("/vlek/v1/Milan/cert?blSPL=4&snpSPL=24")
        self.check(r, der, 200, VLEK)
        cert = x509.load_der_x509_certificate(der)
        self.signed_by(self.ca("Milan", "vlek")[0], cert.signature,
                       cert.tbs_certificate_bytes)
        ids = [self.hwid().upper(), "00" * 64]
        r, body = self.s.ask(
            "/vlek/v1/Milan/hash_sticks?blSPL=4&snpSPL=24", "POST",
            json.dumps({"hwids": ids}), {"Content-Type": "application/json"})
        self.check(r, body, 200, ("application/json", None))
        results = json.loads(body)["results"]
        self.assertEqual([list(x) for x in results], [[i] for i in ids])
        self.assertEqual(len(bytes.fromhex(results[0][ids[0]])), 432)
        self.assertEqual(results[1][ids[1]], "not found")

    def test_cek_and_ask_ark_chain_up(self):
        for case in (str.lower, str.upper):
            cek = self.get("/cek/id/" + case(self.hwid()), BINARY)
            self.assertEqual(len(cek), 2084)
        files = self.get("/wp-content/resources/ask_ark_milan.cert", BINARY)
        self.assertEqual(len(files), 3200)
        usage, algo = struct.unpack_from("<II", cek, 0x414)
        self.assertEqual((usage, algo), (0x13, 0x101))
        self.assertEqual(struct.unpack_from("<II", cek, 0x61c), (0x1000, 0))
        from cryptography.hazmat.primitives.asymmetric import rsa
        e = int.from_bytes(files[64:64 + 512], "little")
        n = int.from_bytes(files[64 + 512:64 + 1024], "little")
        rsa.RSAPublicNumbers(e, n).public_key().verify(
            cek[0x41c:0x61c][::-1], cek[:0x414],
            padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
        self.assertEqual(
            self.ca("Milan")[0].public_key().public_numbers().n, n)
        for name, size in (("naples", 1664), ("rome", 3200), ("genoa", 3200),
                           ("turin", 3200)):
            body = self.get("/developer/eula/sev/ask_ark_%s.cert" % name,
                            BINARY)
            self.assertEqual(len(body), size)

    def test_error_statuses(self):
        hwid, zero = self.hwid(), "00" * 64
        for status, path in (
                (400, "/vcek/v1/Milan/%s?blSPL=128" % hwid),
                (400, "/vcek/v1/Milan/%s?ucodeSPL=256" % hwid),
                (400, "/vcek/v1/Milan/%s?blSPL=1&blSPL=1" % hwid),
                (400, "/vcek/v1/Milan/%s?fmcSPL=1" % hwid),
                (400, "/vcek/v1/Milan/%s?blSPL" % hwid),
                (400, "/vcek/v1/Milan/%s?blSPL=%%26" % hwid),
                (400, "/vcek/v1/Milan/%s?a=%s" % (hwid, "x" * 8000)),
                (400, "/vcek/v1/Milan/zz"),
                (400, "/cek/id/" + zero), (400, "/cek/id/00"),
                (404, "/"), (404, "/vcek/v1/Milan/" + zero),
                (404, "/vcek/v1/Milan/" + hwid[:-2]),
                (404, "/vcek/v1/Turin/" + hwid),
                (404, "/vcek/v1/Bergamo/cert_chain"),
                (404, "/vcek/v1/Siena/cert_chain"),
                (404, "/vcek/v1/milan/cert_chain"),
                (404, "/vcek/v1/Milan%2fcrl"),
                (400, "/vcek/v1/Milan/crl%00"),  # a hwID that is not hex
                (404, "/../vcek/v1/Milan/crl")):
            with self.subTest(path[:60]):
                r, body = self.s.ask(path)
                self.check(r, body, status)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            r, body = self.s.ask("/vcek/v1/Milan/crl", method)
            self.check(r, body, 405)
            self.assertEqual(r.getheader("Allow"), "GET, HEAD")

    def test_escapes_of_plain_characters_are_decoded(self):
        url = "/vcek/v1/%%4dilan/%s?blSPL=%%31" % self.hwid()
        self.assertEqual(self.get(url, CERT), self.get(
            "/vcek/v1/Milan/%s?blSPL=1" % self.hwid(), CERT))

    def test_a_request_as_to_a_proxy_is_the_same(self):
        self.get("http://kdsintf.amd.com/vcek/v1/Milan/crl", CRL)

    def test_head_has_the_length_and_no_body(self):
        r, body = self.s.ask("/vcek/v1/Milan/cert_chain", "HEAD")
        self.assertEqual((r.status, body), (200, b""))
        self.assertGreater(int(r.getheader("Content-Length")), 3000)

    def test_a_large_body_is_refused(self):
        r, body = self.s.ask("/vlek/v1/Milan/hash_sticks", "POST",
                             b"x" * 10, {"Content-Length": str(1 << 30)})
        self.check(r, body, 413)
        body = json.dumps({"hwids": ["00" * 64] * 900})
        r, body = self.s.ask("/vlek/v1/Milan/hash_sticks", "POST", body)
        self.check(r, body, 200)

    def test_an_endless_body_is_cut_off(self):
        with socket.create_connection(("127.0.0.1", self.s.port), 30) as c:
            c.sendall(b"POST /vlek/v1/Milan/hash_sticks HTTP/1.1\r\nHost: x\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
            with self.assertRaises(OSError):
                for _ in range(1000):
                    c.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

    def test_two_requests_on_one_connection(self):
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=30)
        for _ in range(2):
            c.request("GET", "/vcek/v1/Milan/crl")
            r = c.getresponse()
            self.check(r, r.read(), 200, CRL)
        c.close()

    def raw(self, data):
        """All that the server says until it closes."""
        with socket.create_connection(("127.0.0.1", self.s.port), 30) as c:
            c.sendall(data)
            out = b""
            while got := c.recv(65536):
                out += got
        return out

    def test_pipelined_requests_are_answered_in_order(self):
        out = self.raw(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                       b"PUT /vcek/v1/Milan/crl HTTP/1.1\r\nHost: x\r\n\r\n"
                       b"GET /cek/id/00 HTTP/1.1\r\nHost: x\r\n"
                       b"Connection: close\r\n\r\n")
        self.assertEqual([x[:3] for x in out.split(b"HTTP/1.1 ")[1:]],
                         [b"404", b"405", b"400"])

    def test_http_1_0_closes_unless_asked_to_stay(self):
        out = self.raw(b"GET /vcek/v1/Milan/crl HTTP/1.0\r\n\r\n")
        head, _, body = out.partition(b"\r\n\r\n")
        self.assertIn(b" 200 ", head)
        self.assertNotIn(b"chunked", head)
        self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
        out = self.raw(b"GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                       b"GET /none HTTP/1.0\r\n\r\n")
        self.assertEqual(out.count(b" 404 "), 2)

    def test_sizes_that_no_client_needs_are_refused(self):
        for request, status in (
                (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100000, b" 431 "),
                (b"GET /" + b"a" * 100000 + b" HTTP/1.1", b" 414 ")):
            with socket.create_connection(("127.0.0.1", self.s.port), 30) as c:
                try:
                    c.sendall(request + b"\r\n\r\n")
                except OSError:
                    pass
                self.assertIn(status, c.recv(4096)[:20])

    def test_a_head_that_http_forbids_is_refused(self):
        for version, more, status in (
                (b"1.1", b"", 400),
                (b"1.1", b"Host: x\r\nhost: x\r\n", 400),
                (b"1.0", b"Host: x\r\nHost: y\r\n", 400),
                (b"1.1", b"Host:\r\n", 200),
                (b"1.0", b"", 200),
                (b"1.1", b"Host: x\r\nTransfer-Encoding: other\r\n", 501),
                (b"1.1", b"Host: x\r\nTransfer-Encoding: Chunked\r\n", 200)):
            with self.subTest(version=version, more=more):
                out = self.raw(b"GET /vcek/v1/Milan/crl HTTP/" + version +
                               b"\r\nConnection: close\r\n" + more +
                               b"\r\n0\r\n\r\n")
                self.assertIn(b" %d " % status, out[:16])
                self.assertIn(b"X-Simulated: 1", out)

    def test_requests_that_the_library_drops_leave_nothing_behind(self):
        def many(count):
            for _ in range(count):
                self.assertEqual(
                    self.raw(b"GET /none?" + b"a&" * 14000 +
                             b" HTTP/1.1\r\nHost: x\r\n\r\n"), b"")
            with open("/proc/%d/status" % self.s.process.pid) as f:
                return int(f.read().split("VmRSS:")[1].split()[0])
        before = many(50)
        after = many(300)
        if tst.DAEMON == tst.SWPSP:  # else the sanitizer tells, at the end
            self.assertLess(after - before, 4096)

    def test_expect_continue_and_chunked_bodies_are_taken(self):
        body = b'{"hwids":[]}'
        for more, sent in (
                (b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(body),
                 body),
                (b"Transfer-Encoding: chunked\r\n",
                 b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))):
            out = self.raw(b"POST /vlek/v1/Milan/hash_sticks HTTP/1.1\r\n"
                           b"Host: x\r\nConnection: close\r\n" + more +
                           b"\r\n" + sent)
            self.assertIn(b"HTTP/1.1 200 OK", out)
            self.assertTrue(out.endswith(b'{"results":[]}'))

    def test_300_connections_one_after_the_other_and_at_once(self):
        seen = []

        def many():
            for _ in range(15):
                seen.append(self.s.ask("/none")[0].status)
        threads = [threading.Thread(target=many) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(seen, [404] * 300)

    def test_curl_and_wget_can_fetch(self):
        url = "http://127.0.0.1:%d/vcek/v1/Milan/cert_chain" % self.s.port
        for tool in (["curl", "-sSf", "--compressed", "-o"],
                     ["wget", "-q", "--no-proxy", "-O"]):
            if shutil.which(tool[0]):
                env = {k: v for k, v in os.environ.items()
                       if "proxy" not in k.lower()}
                self.ok(*tool, self.path("x"), url, env=env)
                with open(self.path("x"), "rb") as f:
                    self.assertEqual(f.read().count(b"BEGIN"), 2)

    def test_silent_and_slow_clients_block_nobody(self):
        idle = [socket.create_connection(("127.0.0.1", self.s.port), 30)
                for _ in range(220)]
        for c in idle[::2]:
            try:
                c.sendall(b"GET /vcek/v1/Milan/crl HT")
            except OSError:
                pass
        try:
            for _ in range(3):
                begin = time.monotonic()
                self.get("/vcek/v1/Milan/crl", CRL)
                self.assertLess(time.monotonic() - begin, 10)
        finally:
            for c in idle:
                c.close()

    def test_garbage_leaves_the_server_alive(self):
        for data in (b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00",
                     b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20000 + b"\r\n",
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.s.port), 30) as c:
                try:
                    c.sendall(data)
                    c.shutdown(socket.SHUT_WR)
                    answer = c.recv(65536)
                    self.assertNotIn(b" 200 ", answer[:20])
                except OSError:
                    pass
        self.get("/vcek/v1/Milan/crl", CRL)


class Faults(Case):
    URL = "/vcek/v1/Milan/cert_chain"

    def test_rate_limit_answers_429_with_whole_seconds(self):
        s = self.server(DEV, "--rate", "10")
        self.assertEqual(s.ask(self.URL)[0].status, 200)
        r, body = s.ask(self.URL)
        self.assertEqual(r.status, 429)
        self.assertIn(int(r.getheader("Retry-After")), range(1, 11))
        self.assertEqual(r.getheader("X-Simulated"), "1")
        self.assertEqual(r.getheader("Content-Length"), str(len(body)))
        self.assertEqual(s.ask("/vcek/v1/Genoa/cert_chain")[0].status, 200)

    def test_rate_limit_ends(self):
        s = self.server(DEV, "--rate", "1")
        self.assertEqual(s.ask(self.URL)[0].status, 200)
        r, _ = s.ask(self.URL)
        self.assertEqual((r.status, r.getheader("Retry-After")), (429, "1"))
        time.sleep(1.1)
        self.assertEqual(s.ask(self.URL)[0].status, 200)

    def test_failures_as_often_as_asked_for(self):
        s = self.server(DEV, "--fail", "503/2")
        self.assertEqual([s.ask(self.URL)[0].status for _ in range(4)],
                         [200, 503, 200, 503])
        s = self.server(DEV, "--fail", "500")
        self.assertEqual([s.ask(self.URL)[0].status for _ in range(2)],
                         [500, 500])

    def test_slow_answers_do_not_wait_for_each_other(self):
        s = self.server(DEV, "--slow", "700")
        s.ask(self.URL)
        begin = time.monotonic()
        threads = [threading.Thread(target=s.ask, args=(self.URL,))
                   for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertGreater(time.monotonic() - begin, 0.65)
        self.assertLess(time.monotonic() - begin, 0.7 * 6)

    def test_a_slow_server_stops_at_once(self):
        s = self.server(DEV, "--slow", "60000")
        c = socket.create_connection(("127.0.0.1", s.port), 30)
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        begin = time.monotonic()
        self.assertEqual(s.stop()[0], 0)
        self.assertLess(time.monotonic() - begin, 10)
        c.close()

    def test_truncate_breaks_off(self):
        s = self.server(DEV, "--hostile", "truncate")
        with self.assertRaises(http.client.IncompleteRead):
            s.ask(self.URL)
        self.assertEqual(s.ask("/")[0].status, 404)

    def test_flip_breaks_the_signature_only(self):
        s, honest = self.server(DEV, "--hostile", "flip"), self.server(DEV)
        a, b = s.ask(self.URL)[1], honest.ask(self.URL)[1]
        self.assertEqual(len(a), len(b))
        self.assertEqual(sum(x != y for x, y in zip(a, b)), 1)

    def test_drop_hangs_up(self):
        s = self.server(DEV, "--hostile", "drop")
        with self.assertRaises((http.client.RemoteDisconnected,
                                ConnectionResetError)):
            s.ask(self.URL)

    def test_html_with_status_200(self):
        s = self.server(DEV, "--hostile", "html")
        r, body = s.ask(self.URL)
        self.assertEqual((r.status, r.getheader("Content-Type")),
                         (200, "text/html"))
        self.assertIn(b"<html>", body)

    def test_huge_and_trickle(self):
        s = self.server(DEV, "--hostile", "huge")
        r, body = s.ask(self.URL)
        self.assertEqual(r.getheader("Content-Length"), str(len(body)))
        self.assertGreater(len(body), 64 << 20)
        s = self.server(DEV, "--hostile", "trickle")
        with self.assertRaises(TimeoutError):
            c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=10)
            c.request("GET", self.URL)
            r = c.getresponse()
            c.sock.settimeout(0.02)
            try:
                r.fp.read(500)
            finally:
                c.close()
        self.assertEqual(s.stop()[0], 0)

    def test_misdirect_certifies_another_tcb(self):
        s, honest = self.server(DEV, "--hostile", "misdirect"), self.server(DEV)
        url = "/vcek/v1/Milan/%s?ucodeSPL=%%d" % self.hwid()
        self.assertEqual(s.ask(url % 5)[1], honest.ask(url % 4)[1])

    def plan(self, *faults, name="plan"):
        """Each fault: (when, do, members)."""
        with open(self.path(name), "w", encoding="ascii") as f:
            json.dump({"seed": "x", "faults": [
                dict({"at": "key-server", "when": when, "do": do}, **more)
                for when, do, more in faults]}, f)
        return self.path(name)

    def planned(self, *faults, options=()):
        return self.server(DEV, "--faults", self.plan(*faults), *options)

    def test_plan_status_and_retry_after(self):
        s = self.planned(
            ({"request": 1, "kind": "crl"}, "status",
             {"code": 429, "retry-after": 7}),
            ({"every": 1, "path": "/cek/id/"}, "status", {"code": 503}))
        r, body = s.ask(self.URL)
        self.assertEqual(r.status, 200)
        r, body = s.ask("/vcek/v1/Milan/crl")
        self.assertEqual((r.status, r.getheader("Retry-After")), (429, "7"))
        self.assertEqual(r.getheader("Content-Length"), str(len(body)))
        self.assertEqual(r.getheader("X-Simulated"), "1")
        self.assertEqual(s.ask("/vcek/v1/Milan/crl")[0].status, 200)
        r = s.ask("/cek/id/" + self.hwid())[0]
        self.assertEqual((r.status, r.getheader("Retry-After")), (503, None))

    def test_plan_delay_and_drop(self):
        s = self.planned(({"request": 1}, "delay", {"ms": 600}),
                         ({"request": 2}, "drop", {}))
        begin = time.monotonic()
        self.assertEqual(s.ask(self.URL)[0].status, 200)
        self.assertGreater(time.monotonic() - begin, 0.6)
        with self.assertRaises((http.client.RemoteDisconnected,
                                ConnectionResetError)):
            s.ask(self.URL)
        self.assertEqual(s.ask(self.URL)[0].status, 200)

    def test_plan_truncate_sends_so_many_bytes(self):
        s = self.planned(({"request": 2}, "truncate", {"size": 1000}),
                         ({"request": 3}, "truncate", {"size": 0}),
                         ({"request": 4}, "truncate", {"size": 100000}))
        whole = s.ask(self.URL)[1]
        for size in (1000, 0):
            with self.assertRaises(http.client.IncompleteRead) as e:
                s.ask(self.URL)
            self.assertEqual(e.exception.partial, whole[:size])
        self.assertEqual(s.ask(self.URL)[1], whole)

    def test_plan_flip_is_the_same_in_every_run(self):
        answers = []
        for _ in range(2):
            s = self.planned(({"request": 2}, "flip", {}),
                             ({"request": 3}, "flip",
                              {"offset": 5, "bits": 0x81}))
            answers.append([s.ask(self.URL)[1] for _ in range(3)])
        self.assertEqual(answers[0], answers[1])
        whole, chance, chosen = answers[0]
        self.assertEqual([i for i in range(len(whole))
                          if whole[i] != chosen[i]], [5])
        self.assertEqual(whole[5] ^ chosen[5], 0x81)
        self.assertEqual(sum(a != b for a, b in zip(whole, chance)), 1)

    def test_plan_replay_and_substitute(self):
        s = self.planned(
            ({"request": 3}, "replay", {"back": 2}),
            ({"request": 4}, "substitute", {"from": "/vcek/v1/Genoa/crl"}),
            ({"request": 5}, "substitute", {"from": "/none"}))
        crl = s.ask("/vcek/v1/Milan/crl")
        s.ask(self.URL)
        r, body = s.ask("/cek/id/" + self.hwid())
        self.assertEqual(body, crl[1])
        self.assertEqual(r.getheader("Content-Disposition"), CRL[1])
        body = s.ask(self.URL)[1]
        self.assertIn("Genoa", x509.load_der_x509_crl(body).issuer
                      .rfc4514_string())
        self.assertEqual(s.ask(self.URL)[0].status, 404)
        self.assertEqual(s.ask(self.URL)[0].status, 200)

    def test_plan_reorder_lets_a_later_request_go_first(self):
        s = self.planned(({"request": 1}, "reorder", {}))
        took = []

        def ask():
            begin = time.monotonic()
            self.assertEqual(s.ask(self.URL)[0].status, 200)
            took.append(time.monotonic() - begin)
        first = threading.Thread(target=ask)
        first.start()
        time.sleep(0.5)
        self.assertEqual(took, [])
        self.assertEqual(s.ask("/none")[0].status, 404)
        first.join()
        self.assertGreater(took[0], 0.4)
        self.assertLess(took[0], 9)

    def test_plan_html_huge_and_trickle(self):
        s = self.planned(({"request": 1}, "html", {}),
                         ({"request": 2}, "huge", {}),
                         ({"request": 3, "kind": "vcek"}, "trickle", {}))
        self.assertIn(b"<html>", s.ask(self.URL)[1])
        self.assertGreater(len(s.ask(self.URL)[1]), 64 << 20)
        begin = time.monotonic()
        url = "/vcek/v1/Milan/" + self.hwid()
        for _ in range(2):
            s.ask(url)
        self.assertLess(time.monotonic() - begin, 2)
        with self.assertRaises(TimeoutError):
            s.ask(url, timeout=0.03)

    def test_plan_and_short_options_side_by_side(self):
        s = self.planned(({"every": 2}, "status", {"code": 502}),
                         options=["--hostile", "html", "--fail", "500/3",
                                  "--log"])
        got = [s.ask(self.URL) for _ in range(4)]
        self.assertEqual([r.status for r, _ in got], [200, 502, 500, 502])
        self.assertIn(b"<html>", got[0][1])
        err = s.stop()[2]
        self.assertIn("fault request 1: html\n", err)
        self.assertIn("fault request 2: status 502\n", err)

    def test_faults_of_other_places_are_left_to_others(self):
        with open(self.path("plan"), "w", encoding="ascii") as f:
            json.dump({"faults": [{"when": {"every": 1}, "do": "drop"},
                                  {"at": "broker", "when": {"every": 1},
                                   "do": "drop"}]}, f)
        s = self.server(DEV, "--faults", self.path("plan"))
        self.assertEqual(s.ask(self.URL)[0].status, 200)

    def test_a_certificate_of_another_chip_is_noticed(self):
        """T9 for SNP: good signatures, another chip."""
        s = self.server(DEV, "--hostile", "other-chip")
        self.ok(*RUN, "--", tst.client("report"), "--report", self.path("r"))
        folder = self.export()
        with open(self.path("r"), "rb") as f:
            t = f.read()[0x180:0x188]
        der = s.ask("/vcek/v1/Milan/%s?blSPL=%d&teeSPL=%d&snpSPL=%d&ucodeSPL="
                    "%d" % (self.hwid(), t[0], t[1], t[6], t[7]))[1]
        with open(folder + "/guest/vcek.der", "wb") as f:
            f.write(der)
        os.unlink(folder + "/guest/vcek.pem")
        p = tst.run(tst.SWPSP, "verify", "--report", self.path("r"),
                    "--certs", folder + "/guest", "--root",
                    folder + "/pki/Milan/ark.pem")
        self.assertEqual(p.returncode, 1)
        self.assertIn("PASS leaf-signature", p.stdout)
        self.assertIn("FAIL chip-id", p.stdout)

    def test_run_applies_the_same_plan(self):
        plan = self.plan(({"request": 2}, "status", {"code": 503}),
                         ({"request": 4}, "html", {}))
        ways = ["proxy"] + (["namespace"] if namespaces() else [])
        for way in ways:
            p = self.ok(*RUN, "--kds=" + way, "--faults", plan, "--",
                        "/usr/bin/python3", "-c", """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=30).read()[:9])
    except urllib.error.HTTPError as e:
        print(e.code)
""", *URLS[:1] * 3, URLS[1])
            self.assertEqual(p.stdout.splitlines(), [
                "b'-----BEGI'", "503", "b'-----BEGI'", "b'<!DOCTYPE'"])

    def test_revoked_ask_is_on_the_list(self):
        s = self.server(DEV, "--revoke-ask")
        crl = x509.load_der_x509_crl(s.ask("/vcek/v1/Milan/crl")[1])
        self.assertEqual([r.serial_number for r in crl], [0x53010001])


class Command(Case):
    def test_port_and_port_file(self):
        s = self.server(DEV, "--port-file", self.path("port"))
        with open(self.path("port"), encoding="ascii") as f:
            self.assertEqual(f.read(), "%d\n" % s.port)
        code, out, err = s.stop(signal.SIGINT)
        self.assertEqual((code, out), (0, ""))
        self.assertIn("INSECURE", err)
        self.assertFalse(os.path.exists(self.path("port")))
        s = self.server(DEV, "--port-file", self.path("port"))
        self.assertEqual(s.stop(signal.SIGHUP)[0], 0)
        self.assertFalse(os.path.exists(self.path("port")))
        s = self.server(DEV, "--port", str(s.port), "--listen", "127.0.0.1")
        self.assertEqual(s.ask("/")[0].status, 404)
        p = tst.run(tst.SWPSP, "kds", DEV, "--port", s.port)
        self.assertEqual(p.returncode, 2)
        self.assertIn("in use", p.stderr)

    def test_mistakes_are_told(self):
        for options, text in (
                (["--port", "65536"], "--port"), (["--port", "x"], "--port"),
                (["--listen", "localhost"], "numeric"),
                (["--fail", "200"], "--fail"), (["--fail", "500/0"], "--fail"),
                (["--fail", "5000000000000"], "--fail"),
                (["--hostile", "very"], "--hostile"),
                (["--slow", "60001"], "--slow"),
                (["--faults", "/nonexistent/x"], "/nonexistent/x"),
                (["--faults", "/dev/null"], "--faults /dev/null"),
                (["--fail", "500"] * 5, "no more than four"),
                (["--chips", "4097"], "--chips"), (["x"], "no argument"),
                (["--guest", "x"], "guest"),
                (["--tls"], "--tls-ca"),
                (["--port-file", "/nonexistent/x"], "/nonexistent/x"),
                (["--tls-ca", "/nonexistent/x"], "/nonexistent/x"),
                (["--tls-ca", "/nonexistent/x", "--client-ca", "/x"],
                 "/nonexistent/x"),
                (["--client-cert", "/nonexistent/x"], "--tls-ca")):
            with self.subTest(options):
                p = tst.run(tst.SWPSP, "kds", DEV, *options)
                self.assertEqual(p.returncode, 2)
                self.assertIn(text, p.stderr)
                self.assertEqual(p.stdout, "")
        p = self.ok(tst.SWPSP, "kds", "--help")
        self.assertIn("--port-file", p.stdout)

    def test_the_log_has_no_control_characters(self):
        s = self.server(DEV, "--log")
        with socket.create_connection(("127.0.0.1", s.port), 30) as c:
            c.sendall(b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n")
            c.recv(4096)
        err = s.stop()[2]
        self.assertIn("404 ", err)
        self.assertNotIn("\x1b", err)

    def test_chips_are_as_many_as_asked_for(self):
        s = self.server(DEV, "--chips", "1")
        second = os.listdir(self.export("milan", "--chip", "1") +
                            "/kds-store/vcek")[0]
        self.assertEqual(s.ask("/vcek/v1/Milan/" + second)[0].status, 404)
        s = self.server(DEV)
        self.assertEqual(s.ask("/vcek/v1/Milan/" + second)[0].status, 200)

    def test_a_damaged_key_is_a_server_error_and_told(self):
        state = self.path("state")
        with open(self.path("seed"), "wb") as f:
            f.write(b"swpsp public development seed\0\0\1")
        options = ["--state", state, "--seed-file", self.path("seed")]
        s = self.server(*options)
        self.assertEqual(s.ask("/wp-content/resources/ask_ark_naples.cert",
                               timeout=60)[0].status, 200)
        self.assertIn("making the RSA key Naples", s.stop()[2])
        for folder, _, names in os.walk(state + "/keys"):
            for name in names:
                with open(os.path.join(folder, name), "w") as f:
                    f.write("damaged")
        s = self.server(*options)
        r, body = s.ask("/wp-content/resources/ask_ark_naples.cert")
        self.assertEqual(r.status, 500)
        self.assertEqual(r.getheader("X-Simulated"), "1")
        self.assertNotIn(b"Naples", body)
        self.assertIn("Naples", s.stop()[2])

    def test_lookalike_names_amd(self):
        s = self.server(DEV, "--lookalike")
        body = s.ask("/vcek/v1/Milan/cert_chain")[1]
        ark = x509.load_pem_x509_certificate(
            body[body.index(b"-----BEGIN", 10):])
        self.assertEqual(ark.subject.get_attributes_for_oid(
            x509.oid.NameOID.ORGANIZATION_NAME)[0].value,
            "Advanced Micro Devices")

    def test_the_product_name_is_the_same_everywhere(self):
        for profile, name, wanted in (
                ("milan", "Milan-B1", "Milan-B1"), ("genoa", "Genoa", "Genoa"),
                ("genoa", "Genoa-B1", "Genoa-B1"),
                ("genoa", "Milan-B1", "Genoa"), ("turin", "Turin-B0",
                                                 "Turin-B0")):
            with self.subTest(name=name, profile=profile):
                option = ("--product-name", name)
                folder = self.path(profile + name)
                self.ok(tst.SWPSP, "certs", "export", DEV, "--profile", profile,
                        *option, folder)
                with open(folder + "/guest/vcek.der", "rb") as f:
                    der = f.read()
                with open(folder + "/guest/cert_table.bin", "rb") as f:
                    self.assertIn(der, f.read())
                self.assertIn(b"\x04%c\x16%c" % (len(wanted) + 2, len(wanted)) +
                              wanted.encode() + b"0", der)
                hwid = os.listdir(folder + "/kds-store/vcek")[0]
                spls = [x for x in os.listdir(folder + "/kds-store/vcek/" + hwid)
                        if x.startswith("bl")][0].split("_")[:-1]
                query = "&".join(re.sub("([a-z]+)", "\\1SPL=", x)
                                 for x in spls)
                url = "/vcek/v1/%s/%s?%s" % (profile.capitalize(), hwid, query)
                self.assertEqual(self.server(DEV, *option).ask(url)[1], der)
                p = tst.run(*RUN, "--profile", profile, *option, "--kds", "--",
                            "/usr/bin/python3", "-c",
                            "import sys, urllib.request as r; "
                            "sys.stdout.buffer.write(r.urlopen("
                            "sys.argv[1], timeout=30).read())",
                            "https://kdsintf.amd.com" + url, text=False)
                self.assertEqual(p.stdout, der, p.stderr)

    def test_ipv6_loopback(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6")
        s = self.server(DEV, "--listen", "::1")
        c = http.client.HTTPConnection("::1", s.port, timeout=30)
        c.request("GET", "/vcek/v1/Milan/crl")
        self.assertEqual(c.getresponse().status, 200)
        c.close()


class Https(Case):
    def open(self, url, cafile):
        context = ssl.create_default_context(cafile=cafile)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context))
        return opener.open(url, timeout=30).read()

    def test_tls_by_name_and_address(self):
        ca = self.path("ca.pem")
        s = self.server(DEV, "--tls-ca", ca)
        for host in ("localhost", "127.0.0.1"):
            url = "https://%s:%d/vcek/v1/Milan/cert_chain" % (host, s.port)
            self.assertEqual(self.open(url, ca).count(b"BEGIN"), 2)
        with self.assertRaises(urllib.error.URLError):
            self.open(url, None)

    def test_tls_for_amds_names(self):
        ca = self.path("ca.pem")
        s = self.server(DEV, "--tls-ca", ca)
        context = ssl.create_default_context(cafile=ca)
        for name in ("kdsintf.amd.com", "download.amd.com",
                     "developer.amd.com"):
            with socket.create_connection(("127.0.0.1", s.port), 30) as c, \
                    context.wrap_socket(c, server_hostname=name) as t:
                self.assertIn(t.version(), ("TLSv1.2", "TLSv1.3"))
                t.sendall(b"GET /vcek/v1/Milan/crl HTTP/1.0\r\n\r\n")
                self.assertIn(b" 200 ", t.recv(64))
        with socket.create_connection(("127.0.0.1", s.port), 30) as c, \
                self.assertRaises(ssl.SSLError):
            context.wrap_socket(c, server_hostname="www.amd.com")

    def test_tls_is_1_2_or_later(self):
        s = self.server(DEV, "--tls-ca", self.path("ca.pem"))
        for option, works in (("-tls1", False), ("-tls1_1", False),
                              ("-tls1_2", True), ("-tls1_3", True)):
            p = tst.run("openssl", "s_client", "-connect",
                        "127.0.0.1:%d" % s.port, option, "-cipher",
                        "ALL:@SECLEVEL=0")
            self.assertEqual(p.returncode == 0, works, option + p.stderr)

    def curl(self, s, ca, path, *options):
        p = tst.run("curl", "-sS", "--noproxy", "*", "--cacert", ca, "-o",
                    self.path("body"), "-w", "%{http_code}", *options,
                    "https://localhost:%d%s" % (s.port, path))
        return p.stdout

    STICKS = ("/vlek/v1/Milan/hash_sticks", "-d", '{"hwids":[]}')

    def test_vleks_for_clients_with_a_certificate(self):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        ca, client = self.path("ca.pem"), self.path("client.pem")
        s = self.server(DEV, "--tls-ca", ca, "--client-cert", client)
        self.assertEqual(os.stat(client).st_mode & 0o777, 0o600)
        show = ["--cert", client]
        for request in (["/vlek/v1/Milan/cert?blSPL=4"],
                        ["/vlek/v1/Turin/cert"], self.STICKS):
            self.assertEqual(self.curl(s, ca, *request), "403")
            self.assertEqual(self.curl(s, ca, *request, *show), "200")
        with open(self.path("body"), "rb") as f:
            self.assertEqual(f.read(), b'{"results":[]}')
        # Everything else is for everybody.
        for path in ("/vlek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl",
                     "/vcek/v1/Milan/" + self.hwid()):
            self.assertEqual(self.curl(s, ca, path), "200")
        self.assertEqual(self.curl(s, ca, "/vlek/v1/Milan/certs", *show), "404")

    def test_certificates_of_other_clients_are_refused(self):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        ca, mine = self.path("ca.pem"), self.path("mine.pem")
        for name in ("mine", "other"):
            self.ok("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                    "-keyout", self.path(name + ".key"), "-out",
                    self.path(name + ".pem"), "-addext",
                    "extendedKeyUsage=clientAuth")
        s = self.server(DEV, "--tls-ca", ca, "--client-ca", mine)
        got = [self.curl(s, ca, *self.STICKS, "--cert",
                         self.path(name + ".pem"), "--key",
                         self.path(name + ".key"))
               for name in ("mine", "other")]
        self.assertEqual(got, ["200", "403"])
        for text in (b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n"
                     b"-----END CERTIFICATE-----\n"):
            with open(self.path("bad"), "wb") as f:
                f.write(text)
            p = tst.run(tst.SWPSP, "kds", DEV, "--tls-ca", ca, "--client-ca",
                        self.path("bad"))
            self.assertEqual(p.returncode, 2)
            self.assertIn("--client-ca", p.stderr)

    def test_the_ca_stays_in_the_state_folder(self):
        state = self.path("state")
        with open(self.path("seed"), "wb") as f:
            f.write(b"swpsp public development seed\0\0\0")
        options = ["--state", state, "--seed-file", self.path("seed"), "--tls"]
        texts = []
        for _ in range(2):
            s = self.server(*options)
            with open(state + "/tls-ca.pem", "rb") as f:
                texts.append(f.read())
            self.open("https://localhost:%d/vcek/v1/Milan/crl" % s.port,
                      state + "/tls-ca.pem")
            s.stop()
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(os.stat(state + "/tls-ca-key.pem").st_mode & 0o777,
                         0o600)
        ca = x509.load_pem_x509_certificate(texts[0])
        self.assertIn("SIMULATED", ca.subject.rfc4514_string())

    def test_the_ca_is_exported_with_the_certificates(self):
        state, folder = self.path("state"), self.path("export")
        seed = self.write("seed", b"swpsp public development seed\0\0\0")
        options = ["--state", state, "--seed-file", seed]
        self.ok(tst.SWPSP, "certs", "export", *options, folder)
        ca = folder + "/pki/tls-ca.pem"
        s = self.server(*options, "--tls")
        self.open("https://localhost:%d/vcek/v1/Milan/crl" % s.port, ca)
        self.assertEqual(self.read("state/tls-ca.pem"),
                         self.read("export/pki/tls-ca.pem"))
        # Without a state there is none that could stay.
        self.assertFalse(os.path.exists(self.export() + "/pki/tls-ca.pem"))


class UpstreamProxy:
    """A CONNECT proxy as companies have: it resolves names that nobody else
    knows (all to one port of this machine), and wants a password."""

    def __init__(self, port):
        self.port, self.asked = port, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://me:secret@127.0.0.1:%d" % \
            self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        head = b""
        while b"\r\n\r\n" not in head:
            head += c.recv(1)
        self.asked.append(head.split(b"\r\n")[0].decode())
        if b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" not in head:
            c.sendall(b"HTTP/1.1 407 Password please\r\n\r\n")
            c.close()
            return
        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        to = socket.create_connection(("127.0.0.1", self.port))
        back = threading.Thread(target=self.pump, args=(to, c), daemon=True)
        back.start()
        self.pump(c, to)
        back.join()
        c.close()
        to.close()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


FETCH = """
import ssl, sys, urllib.request
for url in sys.argv[1:]:
    print(len(urllib.request.urlopen(url, timeout=30).read()))
"""
URLS = ["https://kdsintf.amd.com/vcek/v1/Milan/cert_chain",
        "https://kdsintf.amd.com:444/vlek/v1/Milan/cert?blSPL=1",
        "https://download.amd.com/developer/eula/sev/ask_ark_milan.cert",
        "https://developer.amd.com/wp-content/resources/ask_ark_naples.cert"]


def namespaces():
    return tst.run("unshare", "-Urmn", "true").returncode == 0


class Run(Case):
    def fetch(self, way, *prefix, swpsp=tst.SWPSP):
        p = self.ok(*prefix, swpsp, *RUN[1:], "--kds=" + way, "--",
                    "/usr/bin/python3", "-c", FETCH, *URLS, cwd=self.dir)
        sizes = [int(x) for x in p.stdout.split()]
        self.assertEqual(sizes[2:], [3200, 1664])
        self.assertGreater(min(sizes), 1000)
        return p

    def test_namespace(self):
        if not namespaces():
            self.skipTest("no namespaces")
        self.assertIn("private network", self.fetch("namespace").stderr)

    def test_proxy(self):
        self.assertIn("by proxy", self.fetch("proxy").stderr)

    def test_an_ordinary_user(self):
        if os.getuid() != 0:
            self.skipTest("is an ordinary user already")
        shutil.copy(tst.SWPSP, self.path("swpsp"))
        p = self.fetch("auto", "setpriv", "--reuid=65534", "--regid=65534",
                       "--clear-groups", swpsp=self.path("swpsp"))
        self.assertIn("key server", p.stderr)

    def test_no_namespaces_falls_back_and_says_so(self):
        if not namespaces():
            self.skipTest("no namespaces")
        inside = ["unshare", "-Ur", "sh", "-c",
                  "echo 0 >/proc/sys/user/max_net_namespaces && exec \"$@\"",
                  "sh"]
        p = self.fetch("auto", *inside)
        self.assertIn("by proxy (no namespaces: ", p.stderr)
        p = tst.run(*inside, *RUN, "--kds=namespace", "--",
                    "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("no namespaces", p.stderr)

    def test_devices_work_inside(self):
        for way in ("namespace", "proxy"):
            if way == "namespace" and not namespaces():
                continue
            p = self.ok(*RUN, "--kds=" + way, "--",
                        tst.client("report"), "--report-data", "a5" * 64,
                        "--report", self.path("r.bin"))
            self.assertEqual(os.path.getsize(self.path("r.bin")), 1184, p)

    def test_the_served_vcek_signed_the_report(self):
        script = ("%s --report-data %s --report %s && exec /usr/bin/python3 -c "
                  "'import sys,urllib.request as u; r=open(sys.argv[1],"
                  "\"rb\").read(); t=r[0x180:0x188]; "
                  "open(sys.argv[2],\"wb\").write(u.urlopen("
                  "\"https://kdsintf.amd.com/vcek/v1/Milan/%%s?blSPL=%%d&"
                  "teeSPL=%%d&snpSPL=%%d&ucodeSPL=%%d\" %% "
                  "(r[0x1a0:0x1e0].hex(),t[0],t[1],t[6],t[7])).read())' %s %s" %
                  (tst.client("report"), "a5" * 64, self.path("r"),
                   self.path("r"), self.path("v")))
        for tcb in ("04000000000018db", "0300000000000873"):
            self.ok(*RUN, "--kds", "--reported-tcb", tcb,
                    "--chip", "3", "--", "sh", "-c", script)
            with open(self.path("r"), "rb") as f:
                report = f.read()
            with open(self.path("v"), "rb") as f:
                cert = x509.load_der_x509_certificate(f.read())
            self.assertEqual(report[0x180:0x188].hex(), tcb)
            signature = utils.encode_dss_signature(
                int.from_bytes(report[0x2a0:0x2a0 + 72], "little"),
                int.from_bytes(report[0x2e8:0x2e8 + 72], "little"))
            cert.public_key().verify(signature, report[:0x2a0],
                                     ec.ECDSA(hashes.SHA384()))

    def test_the_id_that_the_device_gives_is_the_key_servers(self):
        script = ("%s id2 %s && exec /usr/bin/python3 -c 'import sys,urllib."
                  "request as u; i=open(sys.argv[1],\"rb\").read().hex(); "
                  "[print(len(u.urlopen(\"https://kdsintf.amd.com/\"+p%%i)."
                  "read())) for p in (\"vcek/v1/\"+sys.argv[2]+\"/%%s\","
                  "\"cek/id/%%s\")]' %s %s")
        for profile, product, size in (("milan", "Milan", 64),
                                       ("genoa", "Genoa", 64),
                                       ("turin", "Turin", 8)):
            p = self.ok(*RUN, "--kds", "--profile", profile, "--", "sh", "-c",
                        script % (tst.client("sev_owner"), self.path("id"),
                                  self.path("id"), product))
            with open(self.path("id"), "rb") as f:
                self.assertEqual(f.read().hex(), self.hwid(profile))
            self.assertEqual(os.path.getsize(self.path("id")), size)
            self.assertEqual(p.stdout.split()[1], "2084")

    def test_curl_and_wget_inside(self):
        for way in ("namespace", "proxy"):
            if way == "namespace" and not namespaces():
                continue
            for tool in (["curl", "-sSf", "-o"], ["wget", "-q", "-O"]):
                if shutil.which(tool[0]):
                    self.ok(*RUN, "--kds=" + way, "--", *tool,
                            self.path("x"), URLS[0])

    def test_files_are_removed_and_the_machine_is_as_it_was(self):
        with open("/etc/hosts", "rb") as f:
            hosts = f.read()
        env = dict(os.environ, TMPDIR=self.dir)
        self.ok(*RUN, "--kds", "--", "true", env=env)
        self.assertEqual(os.listdir(self.dir), [])
        with open("/etc/hosts", "rb") as f:
            self.assertEqual(f.read(), hosts)

    def test_the_exit_status_is_the_programs(self):
        p = tst.run(*RUN, "--kds", "--", "sh", "-c", "exit 7")
        self.assertEqual(p.returncode, 7)

    def test_an_unknown_way_is_told(self):
        p = tst.run(*RUN, "--kds=magic", "--", "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("magic", p.stderr)

    def test_the_proxy_reaches_others_and_refuses_the_rest(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        script = """
import os, socket, sys
host, port = os.environ["https_proxy"].split("//")[1].split(":")
def ask(text):
    with socket.create_connection((host, int(port)), 30) as c:
        c.sendall(text)
        return c.recv(4096).split(b"\\r\\n")[0].decode()
print(ask(b"CONNECT 127.0.0.1:%s HTTP/1.1\\r\\n\\r\\n" % sys.argv[1].encode()))
print(ask(b"GET http://x/ HTTP/1.1\\r\\n\\r\\n"))
print(ask(b"CONNECT nowhere HTTP/1.1\\r\\n\\r\\n"))
print(ask(b"CONNECT 127.0.0.1:1 HTTP/1.1\\r\\n\\r\\n"))
print(ask(b"CONNECT KDSintf.amd.com.:443 HTTP/1.1\\r\\n\\r\\n"))
"""
        p = self.ok(*RUN, "--kds=proxy", "--",
                    "/usr/bin/python3", "-c", script,
                    str(listener.getsockname()[1]))
        self.assertEqual([x.split()[1] for x in p.stdout.splitlines()],
                         ["200", "405", "405", "502", "200"])

    def behind(self, no_proxy=""):
        """A server that only an upstream proxy reaches, as localhost's
        certificate under a name that resolves nowhere else."""
        ca = self.path("other-ca.pem")
        other = self.server(DEV, "--tls-ca", ca)
        up = UpstreamProxy(other.port)
        self.addCleanup(up.socket.close)
        env = {k: v for k, v in os.environ.items()
               if "proxy" not in k.lower()}
        # Its names are AMD's: at another port they are nobody's stand-in.
        env.update(https_proxy=up.url, no_proxy=no_proxy, SSL_CERT_FILE=ca)
        return up, other, env

    OTHER = "https://kdsintf.amd.com:8443/vcek/v1/Milan/cert_chain"

    def test_other_hosts_go_through_the_proxy_that_was_there(self):
        clients = [["/usr/bin/python3", "-c", FETCH], [tst.client("fetch-go")]]
        if shutil.which("curl"):
            clients.append(["curl", "-sSf", "-o", self.path("x"), "-o",
                            self.path("y")])
        if tst.run("/usr/bin/python3", "-c", "import requests").returncode == 0:
            clients.append(["/usr/bin/python3", "-c", "import requests, sys\n"
                            "for u in sys.argv[1:]:\n"
                            " r = requests.get(u)\n r.raise_for_status()\n"])
        for client in clients:
            with self.subTest(client[0]):
                up, _, env = self.behind(no_proxy="*")
                env["no_proxy"] = "kdsintf.amd.com:443, .amd.com:444,10.0.0.1"
                p = self.ok(*RUN, "--kds=proxy", "--", *client, self.OTHER,
                            URLS[0], env=env)
                self.assertEqual(up.asked, [
                    "CONNECT kdsintf.amd.com:8443 HTTP/1.1"])
                self.assertIn("through the proxy 127.0.0.1 port", p.stderr)
                self.assertNotIn("secret", p.stderr)

    def test_a_refusal_of_the_proxy_behind_is_passed_on(self):
        up, _, env = self.behind()
        env["https_proxy"] = up.url.replace("secret", "wrong")
        p = tst.run(*RUN, "--kds=proxy", "--", tst.client("fetch-go"),
                    self.OTHER, env=env)
        self.assertIn("Password please", p.stderr)
        up.socket.shutdown(socket.SHUT_RDWR)
        up.socket.close()
        p = tst.run(*RUN, "--kds=proxy", "--", tst.client("fetch-go"),
                    self.OTHER, env=env)
        self.assertIn("Cannot connect to the proxy behind", p.stderr)

    def test_what_no_proxy_names_goes_past_every_proxy(self):
        up, other, env = self.behind()
        env["no_proxy"] = "localhost,.example.org,amd.com,*.corp"
        url = "https://localhost:%d/vcek/v1/Milan/crl" % other.port
        p = self.ok(*RUN, "--kds=proxy", "--", "sh", "-c",
                    'echo "$no_proxy $NO_PROXY"; exec "$@"', "sh",
                    tst.client("fetch-go"), url, URLS[0], env=env)
        self.assertEqual(up.asked, [])
        left = "localhost,.example.org,*.corp"
        self.assertEqual(p.stdout.splitlines()[0], left + " " + left)

    def test_a_proxy_of_another_kind_is_not_gone_around(self):
        _, other, env = self.behind()
        env["https_proxy"] = ""
        env["ALL_PROXY"] = "socks5://127.0.0.1:1"
        p = tst.run(*RUN, "--kds=proxy", "--", tst.client("fetch-go"), URLS[0],
                    "https://example.invalid/", env=env)
        self.assertIn("other hosts cannot be reached", p.stderr)
        self.assertEqual(len(p.stdout.split()), 1)
        self.assertIn("Cannot connect to the proxy behind", p.stderr)

    def test_in_a_private_network_the_other_way_is_named(self):
        if not namespaces():
            self.skipTest("no namespaces")
        env = dict(os.environ, https_proxy="http://127.0.0.1:1")
        p = self.ok(*RUN, "--kds=namespace", "--", "true", env=env)
        self.assertIn("--kds=proxy: other hosts through your proxy", p.stderr)

    def test_go_sev_guest_fetches_what_it_needs(self):
        check = os.path.join(tst.TOP, "build/interop/go/check")
        if not os.access(check, os.X_OK):
            self.skipTest("go-sev-guest's check is not there")
        folder = self.export()
        self.ok(*RUN, "--", tst.client("report"),
                "--report-data", "a5" * 64, "--report", self.path("r.bin"))
        for way in ("namespace", "proxy"):
            if way == "namespace" and not namespaces():
                continue
            command = [*RUN, "--kds=" + way, "--", check,
                       "-in", self.path("r.bin"), "-product=Milan",
                       "-guest_policy=0x30000", "-check_crl=true",
                       "-timeout=20s", "-product_key_path=%s/pki/Milan/"
                       "cert_chain.pem" % folder]
            self.ok(*command)
            with open(self.path("r.bin"), "rb") as f:
                report = bytearray(f.read())
            report[0x90] ^= 1
            with open(self.path("changed.bin"), "wb") as f:
                f.write(report)
            command[command.index(self.path("r.bin"))] = \
                self.path("changed.bin")
            self.assertEqual(tst.run(*command).returncode, 2)

    def test_snpguest_fetches_and_verifies(self):
        snpguest = os.path.join(tst.TOP, "build/interop/cargo/bin/snpguest")
        if not os.access(snpguest, os.X_OK):
            self.skipTest("snpguest is not there")
        for way in ("namespace", "proxy"):
            if way == "namespace" and not namespaces():
                continue
            certs, report = self.path(way), self.path(way + ".bin")
            os.mkdir(certs)
            run = RUN + ["--kds=" + way, "--", snpguest]
            self.ok(*run, "report", report, self.path("nonce"), "--random")
            self.ok(*run, "fetch", "ca", "pem", certs, "milan")
            self.ok(*run, "fetch", "vcek", "-p", "milan", "pem", certs, report)
            self.ok(*run, "fetch", "crl", "pem", certs, "milan")
            self.ok(snpguest, "verify", "certs", certs)
            self.ok(snpguest, "verify", "attestation", "-p", "milan", certs,
                    report)


if __name__ == "__main__":
    tst.main()
