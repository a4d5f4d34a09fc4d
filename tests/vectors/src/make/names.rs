//! Vectors of chapter 1: names.

use serde_json::json;
use wire::ErrorCode::{Malformed, TooLarge};

use super::{File, file};
use crate::Case;

pub(super) fn all() -> Vec<File> {
    vec![domains(), accounts(), endpoints(), ids(), lines()]
}

fn bad(cases: &[(&str, &str)]) -> Vec<Case> {
    cases.iter().map(|(name, text)| Case::bad(*name, json!({ "text": text }), Malformed)).collect()
}

fn label(letters: usize) -> String {
    "a".repeat(letters)
}

fn domains() -> File {
    let longest = [label(63), label(63), label(63), label(61)].join(".");
    let good = ["acme.test", "a.b", "xn--nxasmq6b.example", "a-b.c-d.example", "1.example", &longest];
    let mut cases: Vec<Case> = good
        .iter()
        .map(|text| {
            Case::good(
                format!("{} bytes: {text}", text.len()),
                json!({ "text": text }),
                json!({ "domain": text }),
            )
        })
        .collect();
    cases.extend(bad(&[
        ("empty", ""),
        ("one label", "acme"),
        ("a final dot", "acme.test."),
        ("an empty label", "acme..test"),
        ("upper case", "ExAmPlE.com"),
        ("a hyphen in front", "-acme.test"),
        ("a hyphen behind", "acme-.test"),
        ("an underscore", "ac_me.test"),
        ("a script that is not ASCII", "acmé.test"),
        ("a letter that looks the same", "аcme.test"),
        ("NUL", "acme.test\0"),
        ("a right-to-left override", "acme.\u{202e}test"),
        ("an IPv4 address", "127.0.0.1"),
        ("a last label of digits", "acme.1"),
        ("a port", "acme.test:443"),
        ("a label of 64 bytes", &format!("{}.test", label(64))),
        ("254 bytes", &format!("{longest}a")),
    ]));
    file("domain", "domain", "Domain names in the one form that they have on the wire.", cases)
}

fn accounts() -> File {
    let longest = format!("{}@acme.test", label(64));
    let good =
        [("alice", "acme.test"), ("a.b-c_d", "acme.test"), ("0", "a.b"), (&longest[..64], "acme.test")];
    let mut cases: Vec<Case> = good
        .iter()
        .map(|(local, domain)| {
            let text = format!("{local}@{domain}");
            Case::good(text.clone(), json!({ "text": text }), json!({ "local": local, "domain": domain }))
        })
        .collect();
    cases.extend(bad(&[
        ("empty", ""),
        ("no domain", "alice"),
        ("an empty domain", "alice@"),
        ("an empty local part", "@acme.test"),
        ("two signs", "alice@@acme.test"),
        ("upper case", "Alice@acme.test"),
        ("a dot in front", ".alice@acme.test"),
        ("a hyphen behind", "alice-@acme.test"),
        ("a tag", "alice+tag@acme.test"),
        ("a blank", "al ice@acme.test"),
        ("NUL", "al\0ice@acme.test"),
        ("a right-to-left override", "al\u{202e}ice@acme.test"),
        ("a letter that looks the same", "аlice@acme.test"),
        ("a domain of one label", "alice@acme"),
        ("a local part of 65 bytes", &format!("a{longest}")),
    ]));
    file("account", "account", "Accounts in the one form that they have on the wire.", cases)
}

fn endpoints() -> File {
    let good = [
        ("acme.test:443", "acme.test", 443),
        ("localhost:1", "localhost", 1),
        ("127.0.0.1:65535", "127.0.0.1", 65_535),
        ("[::1]:4433", "::1", 4433),
    ];
    let mut cases: Vec<Case> = good
        .iter()
        .map(|(text, host, port)| {
            Case::good(*text, json!({ "text": text }), json!({ "host": host, "port": port }))
        })
        .collect();
    cases.extend(bad(&[
        ("no port", "acme.test"),
        ("port 0", "acme.test:0"),
        ("port 65536", "acme.test:65536"),
        ("a zero in front of the port", "acme.test:0443"),
        ("a sign in front of the port", "acme.test:+443"),
        ("upper case", "Acme.test:443"),
        ("an IPv4 address out of range", "127.0.0.256:443"),
        ("an IPv4 address of three parts", "127.0.1:443"),
        ("an IPv4 address in octal", "010.0.0.1:443"),
        ("IPv6 without brackets", "::1:443"),
        ("IPv6 not in its shortest form", "[0:0::1]:443"),
        ("IPv6 with a zone", "[fe80::1%eth0]:443"),
        ("a path", "a/b:443"),
        ("NUL", "a\0b:443"),
    ]));
    file("endpoint", "endpoint", "Endpoints: host and UDP port.", cases)
}

fn ids() -> File {
    let device = "000102030405060708090a0b0c0d0e0f";
    let room = device.repeat(2);
    let input = |kind: &str, text: &str| json!({ "kind": kind, "text": text });
    let cases = vec![
        Case::good("a device id", input("device", device), json!({ "bytes": 16 })),
        Case::good("a room id", input("room", &room), json!({ "bytes": 32 })),
        Case::bad("a room id of 16 bytes", input("room", device), Malformed),
        Case::bad("a device id of 32 bytes", input("device", &room), Malformed),
        Case::bad("upper case", input("device", &device.to_uppercase()), Malformed),
        Case::bad("half a byte", input("device", &device[1..]), Malformed),
        Case::bad("no hexadecimal digit", input("device", &device.replace('f', "g")), Malformed),
        Case::bad("empty", input("device", ""), Malformed),
    ];
    file("id", "id", "Ids of fixed length as text.", cases)
}

fn lines() -> File {
    let mut cases =
        text_cases(&["", "Grüße aus Köln", "شكرا", "👩\u{200d}👩\u{200d}👧", "\u{1f3f4}\u{e0067}\u{e007f}"]);
    cases.extend(bad(CONTROLS));
    cases.extend(bad(&[
        ("a line feed", "two\nlines"),
        ("a tab", "a\tb"),
        ("a right-to-left override", "txt\u{202e}exe."),
        ("a right-to-left mark", "a\u{200f}b"),
        ("an isolate", "\u{2066}x"),
        ("a line separator", "a\u{2028}b"),
    ]));
    cases.push(Case::bad("257 bytes", json!({ "text": label(257) }), TooLarge));
    file("line", "line", "One line that a person sees: the name of a room, at most 256 bytes.", cases)
}

const CONTROLS: &[(&str, &str)] = &[
    ("NUL", "nul\0"),
    ("bell", "bell\u{7}"),
    ("an escape sequence", "\u{1b}[2J"),
    ("delete", "del\u{7f}"),
    ("a C1 control", "\u{9b}31m"),
];

fn text_cases(good: &[&str]) -> Vec<Case> {
    good.iter().map(|text| Case::good(format!("{text:?}"), json!({ "text": text }), json!({}))).collect()
}
