//! Names that are well-formed and names that are not.

use super::{Account, DeviceId, DomainName, Endpoint};
use crate::ErrorCode;

/// 63 letters.
const LABEL: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

// [NAME-1] [NAME-2]
#[test]
fn domains() {
    let longest = format!("{LABEL}.{LABEL}.{LABEL}.{}", &LABEL[..61]);
    for good in ["acme.test", "a.b", "xn--nxasmq6b.example", "a-b.c-d.example", "1.example", &longest] {
        assert_eq!(good.parse::<DomainName>().map(|name| name.to_string()), Ok(good.to_owned()));
    }
    let over = format!("{longest}a");
    let label_over = format!("{LABEL}a.test");
    let bad = [
        "",
        ".",
        "acme",
        "acme.",
        ".acme",
        "acme..test",
        "acme.test.",
        "ACME.test",
        "acme.tEst",
        "-acme.test",
        "acme-.test",
        "ac_me.test",
        "ac me.test",
        "acme.test\0",
        "acme.test\n",
        "acmé.test",
        "аcme.test",
        "acme.te\u{202e}st",
        "127.0.0.1",
        "acme.1",
        "acme.test:443",
        "alice@acme.test",
        &over,
        &label_over,
    ];
    for name in bad {
        assert_eq!(name.parse::<DomainName>(), Err(ErrorCode::Malformed), "{name:?}");
    }
    assert_eq!(DomainName::from_input("ExAmPlE.com.").map(|name| name.to_string()), Ok("example.com".into()));
    assert_eq!(DomainName::from_input("example.com.."), Err(ErrorCode::Malformed));
}

// [NAME-3]
#[test]
fn accounts() {
    let longest = format!("{LABEL}a@acme.test");
    for good in ["alice@acme.test", "a@b.c", "a.b-c_d@acme.test", "0@acme.test", &longest] {
        assert_eq!(good.parse::<Account>().map(|name| name.to_string()), Ok(good.to_owned()));
    }
    let over = format!("{LABEL}aa@acme.test");
    let bad = [
        "",
        "@",
        "alice",
        "@acme.test",
        "alice@",
        "alice@@acme.test",
        "alice@acme@test.x",
        "Alice@acme.test",
        ".alice@acme.test",
        "alice.@acme.test",
        "-a@acme.test",
        "a_@acme.test",
        "al ice@acme.test",
        "al\0ice@acme.test",
        "al\u{202e}ice@acme.test",
        "аlice@acme.test",
        "alice+tag@acme.test",
        "alice@acme",
        "alice@127.0.0.1",
        &over,
    ];
    for name in bad {
        assert_eq!(name.parse::<Account>(), Err(ErrorCode::Malformed), "{name:?}");
    }
    let account: Account = "alice@acme.test".parse().expect("an account");
    assert_eq!((account.local(), account.domain().as_str()), ("alice", "acme.test"));
    assert_eq!(Account::from_input("Alice@ACME.test"), Ok(account));
}

#[test]
fn accounts_are_ordered_by_their_bytes() {
    let account = |text: &str| text.parse::<Account>().expect("an account");
    assert!(account("a@x.test") < account("b@a.test"));
    assert!(account("a-b@x.test") < account("a.b@x.test"), "0x2d before 0x2e");
    assert!(account("a@x.test") < account("a_@x.test".replace("_@", "_b@").as_str()), "0x40 before 0x5f");
}

// [NAME-4]
#[test]
fn ids_are_lower_case_hexadecimal_of_their_length() {
    let text = "000102030405060708090a0b0c0d0e0f";
    let device: DeviceId = text.parse().expect("an id");
    assert_eq!(device.to_string(), text);
    for bad in ["", "00", &text[1..], &text.to_uppercase(), &format!("{text}00"), &format!("{}g", &text[1..])]
    {
        assert_eq!(bad.parse::<DeviceId>(), Err(ErrorCode::Malformed), "{bad:?}");
    }
    assert_eq!(DeviceId::try_from([0; 15].as_slice()), Err(ErrorCode::Malformed));
    assert_eq!(DeviceId::try_from([0; 17].as_slice()), Err(ErrorCode::Malformed));
}

// [NAME-5]
#[test]
fn endpoints() {
    let good = [
        ("acme.test:443", "acme.test", 443),
        ("localhost:1", "localhost", 1),
        ("127.0.0.1:65535", "127.0.0.1", 65_535),
        ("[::1]:4433", "::1", 4433),
    ];
    for (text, host, port) in good {
        let endpoint: Endpoint = text.parse().expect(text);
        assert_eq!((endpoint.as_str(), endpoint.host(), endpoint.port()), (text, host, port));
    }
    let long = format!("{}:443", [LABEL; 5].join("."));
    let bad = [
        "",
        ":",
        ":443",
        "acme.test",
        "acme.test:",
        "acme.test:0",
        "acme.test:65536",
        "acme.test:0443",
        "acme.test:+443",
        "acme.test: 443",
        "acme.test:443 ",
        "Acme.test:443",
        "acme..test:443",
        "127.0.0.256:443",
        "127.0.1:443",
        "010.0.0.1:443",
        "::1:443",
        "[::1:443",
        "[0:0::1]:443",
        "[::G]:443",
        "[fe80::1%eth0]:443",
        "a/b:443",
        "a\0b:443",
        &long,
    ];
    for text in bad {
        assert_eq!(text.parse::<Endpoint>(), Err(ErrorCode::Malformed), "{text:?}");
    }
}
