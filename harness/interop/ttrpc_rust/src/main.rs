// SPDX-License-Identifier: Apache-2.0
//! The synchronous client of ttrpc 0.5 that the published broker's clients use,
//! without generated code: ttrpc_rust ADDRESS. As rats-tls, a new connection for
//! each call; then several on one. Panics when something is wrong.
use ttrpc::{Client, Request};

const SIZE: &str = "RetrieveAttestationEvidenceSize";
const EVIDENCE: &str = "RetrieveAttestationEvidence";

fn request(method: &str, payload: &[u8]) -> Request {
    let mut req = Request::new();
    req.set_service("aeb.Aeb".to_string());
    req.set_method(method.to_string());
    req.set_timeout_nano(0);
    req.set_payload(payload.to_vec());
    req
}

fn call(c: &Client, method: &str, payload: &[u8]) -> Vec<u8> {
    c.request(request(method, payload)).expect(method).payload
}

fn check(size: &[u8], evidence: &[u8]) {
    assert_eq!(size, [0x10, 0xbd, 0x32]);
    // evidence_size echoed, then the evidence: field 3, two bytes of length.
    assert_eq!(evidence[..4], [0x10, 0xbd, 0x32, 0x1a]);
    assert!(evidence.len() > 13012);
    assert!(evidence.ends_with(b"\"device_type\":\"AmdMilan\"}"));
}

fn main() {
    let address = std::env::args().nth(1).expect("usage: ttrpc_rust ADDRESS");
    let ask = [0x08, 0x01, 0x10, 0xbd, 0x32];
    let dial = || Client::connect(&address).expect("connect");

    check(&call(&dial(), SIZE, &[8, 1]), &call(&dial(), EVIDENCE, &ask));
    let one = dial();
    for _ in 0..3 {
        check(&call(&one, SIZE, &[8, 1]), &call(&one, EVIDENCE, &ask));
    }
    // A failed hypercall's result: success with error_code 0x10.
    let bad = [0x08, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(call(&one, EVIDENCE, &bad), [0x08, 0x10]);
    let error = one.request(request("Nope", &[])).unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{}", error);
    check(&call(&one, SIZE, &[8, 1]), &call(&one, EVIDENCE, &ask));
    println!("ok");
}
