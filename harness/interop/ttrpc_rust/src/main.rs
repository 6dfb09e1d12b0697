// SPDX-License-Identifier: Apache-2.0
//! A ttrpc peer on the Rust library, without generated code. The same source for
//! the version that the published broker and its clients use, and for the current
//! one (feature "current").
//!
//!     ttrpc_rust ADDRESS            calls the evidence broker: as rats-tls, a new
//!                                   connection for each call; then many on one.
//!                                   Panics when something is wrong.
//!     ttrpc_rust serve PATH FILE    serves FILE as evidence until it is ended
use std::collections::HashMap;
use std::os::unix::io::IntoRawFd;
use std::os::unix::net::UnixListener;
use ttrpc::{get_status, Client, Code, MethodHandler, Request, Response, Server, TtrpcContext};

const SIZE: &str = "RetrieveAttestationEvidenceSize";
const EVIDENCE: &str = "RetrieveAttestationEvidence";

fn request(method: &str, payload: &[u8]) -> Request {
    Request {
        service: "aeb.Aeb".to_string(),
        method: method.to_string(),
        payload: payload.to_vec(),
        ..Default::default()
    }
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

/// What a refused call says.
fn refusal(c: &Client, method: &str, payload: &[u8]) -> String {
    c.request(request(method, payload)).unwrap_err().to_string()
}

fn client(address: &str) {
    let ask = [0x08, 0x01, 0x10, 0xbd, 0x32];
    let dial = || Client::connect(address).expect("connect");

    check(&call(&dial(), SIZE, &[8, 1]), &call(&dial(), EVIDENCE, &ask));
    let one = dial();
    for _ in 0..3 {
        check(&call(&one, SIZE, &[8, 1]), &call(&one, EVIDENCE, &ask));
    }
    // A failed hypercall's result: success with error_code 0x10.
    let bad = [0x08, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(call(&one, EVIDENCE, &bad), [0x08, 0x10]);
    let error = refusal(&one, "Nope", &[]);
    assert!(error.contains("does not exist"), "{}", error);
    let error = refusal(&one, EVIDENCE, &[0xff]);
    assert!(error.contains("cannot be decoded"), "{}", error);
    // Many at once: whose answer is whose?
    let threads: Vec<_> = (0..8)
        .map(|i| {
            let c = one.clone();
            std::thread::spawn(move || match i % 2 {
                0 => check(&call(&c, SIZE, &[8, 1]), &call(&c, EVIDENCE, &ask)),
                _ => assert_eq!(call(&c, EVIDENCE, &bad), [0x08, 0x10]),
            })
        })
        .collect();
    for t in threads {
        t.join().expect("thread");
    }
    check(&call(&one, SIZE, &[8, 1]), &call(&one, EVIDENCE, &ask));
    println!("ok");
}

struct Answer(Vec<u8>);

impl MethodHandler for Answer {
    fn handler(&self, ctx: TtrpcContext, _req: Request) -> ttrpc::Result<()> {
        let mut res = Response {
            payload: self.0.clone(),
            ..Default::default()
        };
        let ok = get_status(Code::OK, "".to_string());
        #[cfg(feature = "current")]
        {
            ttrpc::proto::ResponseInit::set_status(&mut res, ok);
            ctx.respond(ctx.mh.stream_id, res)
        }
        #[cfg(not(feature = "current"))]
        {
            res.set_status(ok);
            ttrpc::response_to_channel(ctx.mh.stream_id, res, ctx.res_tx)
        }
    }
}

/// A bytes field of more than 127 bytes.
fn bytes(tag: u8, data: &[u8]) -> Vec<u8> {
    let n = data.len();
    let mut out = vec![tag, n as u8 | 0x80, (n >> 7) as u8 | 0x80, (n >> 14) as u8];
    out.extend(data);
    out
}

fn serve(path: &str, file: &str) {
    let size = vec![0x10, 0xbd, 0x32];
    let mut evidence = size.clone();
    evidence.extend(bytes(0x1a, &std::fs::read(file).expect(file)));
    let mut methods: HashMap<String, Box<dyn MethodHandler + Send + Sync>> = HashMap::new();
    methods.insert(format!("/aeb.Aeb/{}", SIZE), Box::new(Answer(size)));
    methods.insert(format!("/aeb.Aeb/{}", EVIDENCE), Box::new(Answer(evidence)));
    // Its own bind() of 0.5 sets an option that kernels refuse nowadays.
    let listener = UnixListener::bind(path).expect(path);
    let mut server = Server::new()
        .add_listener(listener.into_raw_fd())
        .expect("listener")
        .register_service(methods);
    server.start().expect("start");
    println!("listening");
    loop {
        std::thread::park();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", path, file] => serve(path, file),
        [address] => client(address),
        _ => panic!("usage: ttrpc_rust ADDRESS | serve PATH FILE"),
    }
}
