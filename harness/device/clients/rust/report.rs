// SPDX-License-Identifier: Apache-2.0

//! A client of /dev/sev-guest: the standard library and ioctl(2), no crate.
//! Opens the node read-only, as the usual Rust crate does.

use std::ffi::c_void;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::raw::{c_int, c_ulong};
use std::os::unix::io::AsRawFd;
use std::process::exit;

const GET_REPORT: c_ulong = 0xC020_5300;
const GET_DERIVED_KEY: c_ulong = 0xC020_5301;
const GET_EXT_REPORT: c_ulong = 0xC020_5302;
const INVALID_LEN: u64 = 1 << 32;
const REPORT_AT: usize = 32;
const EIO: i32 = 5;

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

/// struct snp_guest_request_ioctl
#[repr(C)]
struct GuestRequest {
    msg_version: u32,
    req_data: u64,
    resp_data: u64,
    exitinfo2: u64,
}

/// struct snp_report_req
#[repr(C)]
#[derive(Clone, Copy)]
struct ReportReq {
    user_data: [u8; 64],
    vmpl: u32,
    rsvd: [u8; 28],
}

/// struct snp_ext_report_req
#[repr(C)]
struct ExtReportReq {
    data: ReportReq,
    certs_address: u64,
    certs_len: u32,
}

/// struct snp_derived_key_req
#[repr(C)]
#[derive(Default)]
struct DerivedKeyReq {
    root_key_select: u32,
    rsvd: u32,
    guest_field_select: u64,
    vmpl: u32,
    guest_svn: u32,
    tcb_version: u64,
}

struct Options {
    device: String,
    report: Option<String>,
    certs: Option<String>,
    key: Option<String>,
    report_data: [u8; 64],
    msg_version: u32,
    derived: DerivedKeyReq,
}

fn die(code: i32, text: String) -> ! {
    eprintln!("report: {text}");
    exit(code)
}

fn request<Q, R>(
    fd: c_int,
    number: c_ulong,
    version: u32,
    q: &mut Q,
    r: &mut R,
) -> Result<(), (io::Error, u64)> {
    let mut io = GuestRequest {
        msg_version: version,
        req_data: q as *mut Q as u64,
        resp_data: r as *mut R as u64,
        exitinfo2: 0,
    };
    // SAFETY: the structures live until the call returns.
    let n = unsafe { ioctl(fd, number, &mut io as *mut GuestRequest as *mut c_void) };
    match n {
        0 => Ok(()),
        n if n > 0 => die(1, format!("the ioctl returned {n}")),
        _ => Err((io::Error::last_os_error(), io.exitinfo2)),
    }
}

fn refused(what: &str, (err, info): (io::Error, u64)) -> ! {
    die(1, format!("{what}: {err}, exitinfo2 {info:#x}"))
}

fn le32(b: &[u8]) -> u32 {
    u32::from_le_bytes([b[0], b[1], b[2], b[3]])
}

fn check_status(what: &str, resp: &[u8]) {
    if le32(resp) != 0 {
        die(2, format!("{what}: firmware status {:#x}", le32(resp)));
    }
}

fn save(path: &str, data: &[u8]) {
    if let Err(e) = fs::write(path, data) {
        die(1, format!("{path}: {e}"));
    }
}

fn report_req(o: &Options) -> ReportReq {
    ReportReq {
        user_data: o.report_data,
        vmpl: o.derived.vmpl,
        rsvd: [0; 28],
    }
}

fn plain_report(fd: c_int, o: &Options) -> [u8; 4000] {
    let mut resp = [0u8; 4000];
    let mut req = report_req(o);
    if let Err(e) = request(fd, GET_REPORT, o.msg_version, &mut req, &mut resp) {
        refused("SNP_GET_REPORT", e);
    }
    resp
}

/// The certificates may grow between the question for their length and the next.
fn ext_report(fd: c_int, o: &Options) -> ([u8; 4000], Vec<u8>) {
    let mut resp = [0u8; 4000];
    let mut certs = Vec::new();
    let mut req = ExtReportReq {
        data: report_req(o),
        certs_address: u64::MAX,
        certs_len: 0,
    };
    for attempt in 0.. {
        match request(fd, GET_EXT_REPORT, o.msg_version, &mut req, &mut resp) {
            Ok(()) => break,
            Err((e, INVALID_LEN)) if e.raw_os_error() == Some(EIO) && attempt < 2 => {
                certs = vec![0u8; req.certs_len as usize];
                req.certs_address = certs.as_mut_ptr() as u64;
            }
            Err(e) => refused("SNP_GET_EXT_REPORT", e),
        }
    }
    (resp, certs)
}

fn derived_key(fd: c_int, o: &mut Options) -> Vec<u8> {
    let mut resp = [0u8; 64];
    let version = o.msg_version;
    if let Err(e) = request(fd, GET_DERIVED_KEY, version, &mut o.derived, &mut resp) {
        refused("SNP_GET_DERIVED_KEY", e);
    }
    check_status("SNP_GET_DERIVED_KEY", &resp);
    resp[32..].to_vec()
}

fn number(text: &str) -> u64 {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|_| die(1, format!("{text}: not a number")))
}

fn hex(text: &str) -> [u8; 64] {
    let mut out = [0u8; 64];
    let ok =
        text.len() % 2 == 0 && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !ok {
        die(1, "--report-data takes up to 128 hex digits".into());
    }
    for (i, byte) in out.iter_mut().take(text.len() / 2).enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
    }
    out
}

fn options() -> Options {
    let mut o = Options {
        device: "/dev/sev-guest".into(),
        report: None,
        certs: None,
        key: None,
        report_data: [0; 64],
        msg_version: 1,
        derived: DerivedKeyReq::default(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args
            .next()
            .unwrap_or_else(|| die(64, format!("{name}: no value")));
        match name.as_str() {
            "--device" => o.device = value,
            "--report-data" => o.report_data = hex(&value),
            "--report" => o.report = Some(value),
            "--certs" => o.certs = Some(value),
            "--key" => o.key = Some(value),
            "--vmpl" => o.derived.vmpl = number(&value) as u32,
            "--root-key" => o.derived.root_key_select = number(&value) as u32,
            "--fields" => o.derived.guest_field_select = number(&value),
            "--guest-svn" => o.derived.guest_svn = number(&value) as u32,
            "--tcb" => o.derived.tcb_version = number(&value),
            "--msg-version" => o.msg_version = number(&value) as u32,
            _ => die(64, format!("{name}: unknown option")),
        }
    }
    o
}

fn main() {
    let mut o = options();
    let file = OpenOptions::new()
        .read(true)
        .open(&o.device)
        .unwrap_or_else(|e| die(1, format!("{}: {e}", o.device)));
    let fd = file.as_raw_fd();

    if o.certs.is_some() || o.report.is_some() || o.key.is_none() {
        let resp = match &o.certs {
            Some(path) => {
                let (resp, certs) = ext_report(fd, &o);
                save(path, &certs);
                resp
            }
            None => plain_report(fd, &o),
        };
        check_status("report", &resp);
        let size = le32(&resp[4..]) as usize;
        let report = resp
            .get(REPORT_AT..REPORT_AT + size)
            .unwrap_or_else(|| die(1, format!("a report of {size} bytes")));
        match &o.report {
            Some(path) => save(path, report),
            None => println!(
                "{}",
                report
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect::<String>()
            ),
        }
    }
    if let Some(path) = o.key.clone() {
        let key = derived_key(fd, &mut o);
        save(&path, &key);
    }
}
