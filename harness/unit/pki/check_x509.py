#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judge the certificates that test_x509 has written, with another X.509 library
and a DER reader of its own.

usage: check_x509.py DIR SHARED

DIR/<Product>/ holds ark asvk ask vcek vcek-high vlek crl crl-revoked, all .der;
DIR/look/<Product>/ the lookalike CA certificates; DIR/seed the platform seed.
SHARED is the folder of genuine artefacts. Prints one line a check:
"PASS name", "SKIP name" or "FAIL name: why". The facts are those of
abi/certs-kds.md sections 1, 2.7 and 8.1.
"""
import datetime
import hashlib
import hmac
import os
import sys
import traceback

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

DIR, SHARED = sys.argv[1:3]
PRODUCTS = ["Milan", "Genoa", "Turin"]
NUMBER = {"Milan": 1, "Genoa": 2, "Turin": 3}
CHECKS = []
FORM_A = bytes.fromhex(
    "304106092a864886f70d01010a3034a00f300d06096086480165030402020500"
    "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130")
ARC = bytes.fromhex("2b060104019c7801")


class Skip(Exception):
    pass


def check(*params):
    """One check, or one for each of @params."""
    def wrap(f):
        base = f.__name__
        if not params:
            CHECKS.append((base, f, ()))
        for p in params:
            CHECKS.append(("%s__%s" % (base, p), f, (p,)))
        return f
    return wrap


def read(*path):
    with open(os.path.join(DIR, *path), "rb") as f:
        return f.read()


def shared(path):
    full = os.path.join(SHARED, path)
    if not os.path.exists(full):
        raise Skip()
    with open(full, "rb") as f:
        data = f.read()
    if data.startswith(b"-----"):
        cert = x509.load_pem_x509_certificate(data)
        data = cert.public_bytes(serialization.Encoding.DER)
    return data


def cert(*path):
    return x509.load_der_x509_certificate(read(*path))


# A DER tree: (tag, bytes) or (tag, [children]).
def tree(data):
    nodes, pos = [], 0
    while pos < len(data):
        tag, length, head = data[pos], data[pos + 1], 2
        if length >= 0x80:
            n = length & 0x7f
            length = int.from_bytes(data[pos + 2:pos + 2 + n], "big")
            assert length >= 0x80 and (n == 1 or length >> (8 * (n - 1))), \
                "length not minimal"
            head += n
        body = data[pos + head:pos + head + length]
        assert len(body) == length, "value runs over the end"
        nodes.append((tag, tree(body) if tag & 0x20 else body))
        pos += head + length
    return nodes


def encode(node):
    tag, body = node
    if isinstance(body, list):
        body = b"".join(encode(n) for n in body)
    n = len(body)
    if n < 0x80:
        head = bytes([n])
    else:
        raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(raw)]) + raw
    return bytes([tag]) + head + body


def is_description(node):
    return node[0] == 0x31 and node[1][0][1][0] == (6, b"\x55\x04\x0d")


def plain(node):
    """Without description RDNs, marked organisation and trailer fields: what
    AMD would have issued."""
    tag, body = node
    if not isinstance(body, list):
        if body == b"SEV simulator - not AMD":
            body = b"Advanced Micro Devices"
        return tag, body
    return tag, [plain(n) for n in body
                 if not (n[0] == 0xa3 and n[1] == [(2, b"\x01")])
                 and not (isinstance(n[1], list) and is_rdn_set(n)
                          and is_description(n))]


def is_rdn_set(node):
    return node[0] == 0x31 and len(node[1]) == 1 and node[1][0][0] == 0x30


def shape(node):
    tag, body = node
    return (tag, [shape(n) for n in body]) if isinstance(body, list) else tag


def extensions(der):
    """[(oid bytes, critical, value)] of a certificate or CRL."""
    tbs = tree(der)[0][1][0][1]
    outer = [n for n in tbs if n[0] in (0xa3, 0xa0) and
             isinstance(n[1], list) and n[1][0][0] == 0x30][-1]
    out = []
    for ext in outer[1][0][1]:
        parts = ext[1]
        out.append((parts[0][1], len(parts) == 3, parts[-1][1]))
        if len(parts) == 3:
            assert parts[1] == (1, b"\xff")
    return out


def name(der_name):
    """[(oid, tag, text)] of a Name node."""
    out = []
    for rdn in der_name[1]:
        assert rdn[0] == 0x31 and len(rdn[1]) == 1
        oid, value = rdn[1][0][1]
        out.append((oid[1][-1], value[0], value[1].decode()))
    return out


def amd_name(cn, org="Advanced Micro Devices"):
    return [(11, 0x0c, "Engineering"), (6, 0x13, "US"),
            (7, 0x0c, "Santa Clara"), (8, 0x0c, "CA"), (10, 0x0c, org),
            (3, 0x0c, cn), (13, 0x0c, "SIMULATED - NOT AN AMD CERTIFICATE")]


def tbs_of(der):
    return tree(der)[0][1][0][1]


def eq(got, want, what=""):
    assert got == want, "%s: got %r, want %r" % (what, got, want)


ALL = ["%s-%s" % (p, k) for p in PRODUCTS
       for k in ("ark", "ask", "asvk", "vcek", "vcek-high", "vlek")]
SIGNER = {"ark": "ark", "ask": "ark", "asvk": "ark", "vcek": "ask",
          "vcek-high": "ask", "vlek": "asvk", "crl": "ark",
          "crl-revoked": "ark"}


def split(which):
    product, kind = which.split("-", 1)
    return product, kind, read(product, kind + ".der")


def pss(signer, signature, data):
    signer.public_key().verify(
        signature, data, padding.PSS(padding.MGF1(hashes.SHA384()), 48),
        hashes.SHA384())


@check(*ALL)
def algorithm_is_form_a_twice(which):
    _, _, der = split(which)
    body = tree(der)[0][1]
    eq(encode(body[1]), FORM_A)
    eq(encode(body[0][1][2]), FORM_A)
    eq(encode(tree(der)[0]), der, "canonical DER")


@check(*ALL)
def signed_by_its_issuer(which):
    product, kind, der = split(which)
    c = x509.load_der_x509_certificate(der)
    s = cert(product, SIGNER[kind] + ".der")
    pss(s, c.signature, c.tbs_certificate_bytes)
    eq(c.issuer.public_bytes(), s.subject.public_bytes())
    eq(c.version, x509.Version.v3)


@check(*ALL)
def names_as_in_section_8_1(which):
    product, kind, der = split(which)
    tbs = tbs_of(der)
    cn = {"ark": "ARK-" + product, "ask": "SEV-" + product,
          "asvk": "SEV-VLEK-" + product, "vcek": "SEV-VCEK",
          "vcek-high": "SEV-VCEK", "vlek": "SEV-VLEK"}
    org = "SEV simulator - not AMD"
    issuer = SIGNER[kind]
    eq(name(tbs[3]), amd_name(cn[issuer], *([org] if issuer == "ark" else [])))
    eq(name(tbs[5]), amd_name(cn[kind], *([org] if kind == "ark" else [])))


@check(*ALL)
def serial_and_validity(which):
    product, kind, der = split(which)
    c = x509.load_der_x509_certificate(der)
    pp = NUMBER[product]
    serial = {"ark": 0x53000000 | pp << 16, "ask": 0x53000001 | pp << 16,
              "asvk": 0x53000101 | pp << 16}.get(kind, 0)
    eq(c.serial_number, serial)
    validity = tbs_of(der)[4][1]
    eq([n[0] for n in validity], [0x17, 0x17])
    years = 25 if kind in ("ark", "ask", "asvk") else 7
    a, b = c.not_valid_before, c.not_valid_after
    eq((b.year - a.year, b.replace(year=a.year)), (years, a))
    now = datetime.datetime.utcnow()
    assert a <= now and b >= now + datetime.timedelta(days=3 * 365)
    eq(tbs_of(der)[4], (0x30, [
        (0x17, b"240101000000Z"), (0x17, b"490101000000Z")] if years == 25
        else [(0x17, b"260101000000Z"), (0x17, b"330101000000Z")]))


@check(*ALL)
def salt_is_derived_from_seed_and_tbs(which):
    product, kind, der = split(which)
    c = x509.load_der_x509_certificate(der)
    n = cert(product, SIGNER[kind] + ".der").public_key().public_numbers()
    em = pow(int.from_bytes(c.signature, "big"), n.e, n.n).to_bytes(512, "big")
    h, masked = em[-49:-1], em[:-49]
    mask = b"".join(hashlib.sha384(h + i.to_bytes(4, "big")).digest()
                    for i in range(10))
    db = bytes(a ^ b for a, b in zip(masked, mask))
    digest = hashlib.sha384(c.tbs_certificate_bytes).digest()
    eq(db[-48:], hmac.new(read("seed"), b"pss" + digest,
                          hashlib.sha384).digest())


@check(*["%s-%s" % (p, k) for p in PRODUCTS for k in ("ark", "ask", "asvk")])
def ca_key_is_plain_rsa_4096(which):
    _, _, der = split(which)
    spki = tbs_of(der)[6]
    eq(encode(spki[1][0]).hex(), "300d06092a864886f70d0101010500")
    n = x509.load_der_x509_certificate(der).public_key().public_numbers()
    eq((n.n.bit_length(), n.e), (4096, 65537))


@check(*["%s-%s" % (p, k) for p in PRODUCTS for k in ("ark", "ask", "asvk")])
def ca_extensions_in_order_and_bytes(which):
    product, kind, der = split(which)

    def ski(k):
        bits = tbs_of(read(product, k + ".der"))[6][1][1][1]
        return hashlib.sha1(bits[1:]).digest()

    url = ("https://kdsintf.amd.com/%s/v1/%s/crl" % (
        "vlek" if kind == "asvk" else "vcek", product)).encode()
    dp = (0x55, 0x1d, 31), False, encode(
        (0x30, [(0x30, [(0xa0, [(0xa0, [(0x86, url)])])])]))
    own = (0x55, 0x1d, 14), False, b"\x04\x14" + ski(kind)
    if kind == "ark":
        want = [((0x55, 0x1d, 15), True, bytes.fromhex("03020106")), own,
                ((0x55, 0x1d, 19), True, bytes.fromhex("30030101ff")), dp]
    else:
        want = [own, ((0x55, 0x1d, 35), False,
                      bytes.fromhex("30168014") + ski("ark")),
                ((0x55, 0x1d, 19), True, bytes.fromhex("30060101ff020100")),
                ((0x55, 0x1d, 15), True, bytes.fromhex("03020104")), dp]
    eq(extensions(der), [(bytes(o), c, v) for o, c, v in want])


TCB = {"Milan": bytes.fromhex("04000000000018") + b"\x73",
       "Genoa": bytes.fromhex("0a000000000017") + b"\x54",
       "Turin": bytes.fromhex("01020304000000") + b"\x51"}
V0 = [(1, 0), (2, 1), (4, 2), (5, 3), (6, 4), (7, 5), (3, 6), (8, 7)]
V1 = [(9, 0), (1, 1), (2, 2), (3, 3), (5, 4), (6, 5), (7, 6), (8, 7)]


@check(*["%s-%s" % (p, k) for p in PRODUCTS
         for k in ("vcek", "vcek-high", "vlek")])
def leaf_extensions_in_order_and_bytes(which):
    product, kind, der = split(which)
    tcb = bytearray(TCB[product])
    if kind == "vcek-high":
        tcb[7] = 0xdb
    turin = product == "Turin"
    shown = "Milan-B0" if product == "Milan" and kind != "vlek" else product
    want = [(ARC + b"\1", bytes([2, 1, 1 if turin else 0])),
            (ARC + b"\2", bytes([0x16, len(shown)]) + shown.encode())]
    for arc, byte in V1 if turin else V0:
        v = tcb[byte]
        want.append((ARC + bytes([3, arc]),
                     bytes([2, 2, 0, v]) if v >= 128 else bytes([2, 1, v])))
    if kind == "vlek":
        csp = b"CN=simulated-csp.invalid"
        want.append((ARC + b"\5", bytes([0x16, len(csp)]) + csp))
    else:
        hwid = read(product, "hwid")
        want.append((ARC + b"\4", hwid[:8] if turin else hwid))
    eq(extensions(der), [(o, False, v) for o, v in want])


@check(*["%s-%s" % (p, k) for p in PRODUCTS for k in ("vcek", "vlek")])
def leaf_key_is_p384_and_the_derived_one(which):
    product, kind, der = split(which)
    c = x509.load_der_x509_certificate(der)
    assert isinstance(c.public_key().curve, ec.SECP384R1)
    spki = encode(tbs_of(der)[6])
    eq(spki[:24].hex(), "3076301006072a8648ce3d020106052b8104002203620004")
    eq(spki[24:], read(product, kind + ".pub"))


@check(*PRODUCTS)
def key_follows_the_tcb(product):
    eq(len({cert(product, k + ".der").public_key().public_numbers()
            for k in ("vcek", "vcek-high", "vlek")}), 3)


# Sheet 1.10, form A, without what marks ours as simulated.
SIZES = {"Milan-vcek": 1350, "Milan-vcek-high": 1351, "Genoa-vcek": 1347,
         "Genoa-vcek-high": 1348, "Turin-vcek": 1289, "Turin-vcek-high": 1290,
         "Milan-vlek": 1319}
for p in PRODUCTS:
    SIZES.update({p + "-ark": 1629, p + "-ask": 1667, p + "-asvk": 1673})


@check(*SIZES)
def size_of_section_1_10(which):
    _, kind, der = split(which)
    node = plain(tree(der)[0])
    size = len(encode(node))
    if kind in ("ark", "ask", "asvk"):
        size -= 1  # serial: 4 bytes, AMD 3
    if which == "Milan-vlek":
        # the sheet's: a CSP_ID five characters longer, microcode >= 128
        size += 5 + 1
    eq(size, SIZES[which])


GENUINE = {"Milan-ark": "amd-ca/milan-ark.pem",
           "Milan-ask": "amd-ca/milan-ask.pem",
           "Genoa-ark": "amd-ca/genoa-ark.pem",
           "Genoa-ask": "amd-ca/genoa-ask.pem",
           "Turin-ark": "amd-ca/turin-ark.pem",
           "Turin-ask": "amd-ca/turin-ask.pem",
           "Milan-vcek": "snp/milan/vcek-v3.pem",
           "Milan-vcek-high": "snp/milan/vcek-v3.pem",
           "Genoa-vcek": "snp/genoa/vcek.pem"}


@check(*GENUINE)
def same_shape_as_genuine(which):
    _, kind, der = split(which)
    real = shared(GENUINE[which])
    eq(shape(plain(tree(der)[0])), shape(plain(tree(real)[0])))
    ours, theirs = extensions(der), extensions(real)
    eq([e[:2] for e in ours], [e[:2] for e in theirs])
    for (oid, _, a), (_, _, b) in zip(ours, theirs):
        if oid[:8] == ARC and oid[8] in (1, 2, 5) or \
                oid[-1] in (15, 19, 31) and oid[:2] == b"\x55\x1d":
            eq(a, b, "value of %s" % oid.hex())
        elif oid[:9] == ARC + b"\3":
            eq(a[:1], b[:1])
        else:
            eq(len(a), len(b))
    names = [name(tbs_of(d)[i]) for d in (der, real) for i in (3, 5)]
    if kind not in ("ark", "ask"):
        eq(names[0][:6], names[2])
        eq(names[1][:6], names[3])


def crl_parts(which):
    product, kind, der = split(which)
    return product, der, x509.load_der_x509_crl(der)


CRLS = ["%s-%s" % (p, k) for p in PRODUCTS for k in ("crl", "crl-revoked")]


@check(*CRLS)
def crl_signed_by_the_ark(which):
    product, der, crl = crl_parts(which)
    ark = cert(product, "ark.der")
    pss(ark, crl.signature, crl.tbs_certlist_bytes)
    eq(crl.issuer.public_bytes(), ark.subject.public_bytes())
    body = tree(der)[0][1]
    eq(encode(body[1]), FORM_A)
    eq(encode(body[0][1][1]), FORM_A)
    eq(body[0][1][0], (2, b"\x01"))
    eq(encode(tree(der)[0]), der)


@check(*CRLS)
def crl_dates_and_entries(which):
    product, der, crl = crl_parts(which)
    # asked for 2026-08-19 14:09:00
    eq(crl.last_update, datetime.datetime(2026, 8, 19))
    eq(crl.next_update, datetime.datetime(2026, 10, 3))
    tags = [n[0] for n in tbs_of(der)]
    if which.endswith("revoked"):
        eq(tags, [2, 0x30, 0x30, 0x17, 0x17, 0x30, 0xa0])
        eq(tbs_of(der)[5], (0x30, [(0x30, [
            (2, bytes([0x53, NUMBER[product], 0, 1])),
            (0x17, b"260819000000Z")])]))
    else:
        eq(tags, [2, 0x30, 0x30, 0x17, 0x17, 0xa0])
    ski = cert(product, "ark.der").extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier).value.digest
    eq(extensions(der), [
        (b"\x55\x1d\x23", False, bytes.fromhex("30168014") + ski),
        (b"\x55\x1d\x14", False, b"\x02\x01\x0b")])


@check(*["%s-%s" % (p, k) for p in PRODUCTS
         for k in ("ark", "ask", "asvk", "vcek")])
def lookalike_differs_in_the_arks_organisation_only(which):
    product, kind = which.split("-")
    ours = read(product, kind + ".der")
    look = read("look", product, kind + ".der")
    tbs = tbs_of(look)
    eq([t for _, _, t in name(tbs[5])][4], "Advanced Micro Devices")
    eq(name(tbs[5])[6][2], "SIMULATED - NOT AN AMD CERTIFICATE")
    a, b = plain(tree(ours)[0]), plain(tree(look)[0])
    eq(encode(a[1][0]), encode(b[1][0]))


def main():
    for label, f, args in CHECKS:
        try:
            f(*args)
            print("PASS", label)
        except Skip:
            print("SKIP", label)
        except Exception as e:  # every failure is one line
            where = traceback.extract_tb(e.__traceback__)[-1].lineno
            print("FAIL %s: line %d: %s" % (
                label, where, " ".join(str(e).split())[:400] or type(e)))


if __name__ == "__main__":
    main()
