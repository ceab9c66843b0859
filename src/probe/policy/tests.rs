//! The ranges just inside and just outside, spellings of addresses, ports and allow-lists.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

fn class(text: &str) -> Option<Class> {
    let address: IpAddr = text.parse().expect(text);
    class_of(address.to_canonical())
}

/// First and last address of each range, the public neighbours before and after it.
#[test]
fn ranges_begin_and_end_where_the_registries_say() {
    use Class::*;
    let table: &[(&str, &str, Class, &[&str])] = &[
        ("0.0.0.0", "0.255.255.255", Unspecified, &["1.0.0.0"]),
        (
            "10.0.0.0",
            "10.255.255.255",
            Private,
            &["9.255.255.255", "11.0.0.0"],
        ),
        (
            "100.64.0.0",
            "100.127.255.255",
            CarrierGradeNat,
            &["100.63.255.255", "100.128.0.0"],
        ),
        (
            "127.0.0.0",
            "127.255.255.255",
            Loopback,
            &["126.255.255.255", "128.0.0.0"],
        ),
        (
            "169.254.0.0",
            "169.254.255.255",
            LinkLocal,
            &["169.253.255.255", "169.255.0.0"],
        ),
        (
            "172.16.0.0",
            "172.31.255.255",
            Private,
            &["172.15.255.255", "172.32.0.0"],
        ),
        (
            "192.0.0.0",
            "192.0.0.255",
            ProtocolAssignment,
            &["191.255.255.255", "192.0.1.0"],
        ),
        (
            "192.0.2.0",
            "192.0.2.255",
            Documentation,
            &["192.0.1.255", "192.0.3.0"],
        ),
        (
            "192.88.99.0",
            "192.88.99.255",
            ProtocolAssignment,
            &["192.88.98.255", "192.88.100.0"],
        ),
        (
            "192.168.0.0",
            "192.168.255.255",
            Private,
            &["192.167.255.255", "192.169.0.0"],
        ),
        (
            "198.18.0.0",
            "198.19.255.255",
            Benchmarking,
            &["198.17.255.255", "198.20.0.0"],
        ),
        (
            "198.51.100.0",
            "198.51.100.255",
            Documentation,
            &["198.51.99.255", "198.51.101.0"],
        ),
        (
            "203.0.113.0",
            "203.0.113.255",
            Documentation,
            &["203.0.112.255", "203.0.114.0"],
        ),
        (
            "224.0.0.0",
            "239.255.255.255",
            Multicast,
            &["223.255.255.255"],
        ),
        ("240.0.0.0", "255.255.255.254", Reserved, &[]),
        ("255.255.255.255", "255.255.255.255", Broadcast, &[]),
        ("::", "::", Unspecified, &[]),
        ("::1", "::1", Loopback, &[]),
        (
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            LocalTranslation,
            &[],
        ),
        ("100::", "100::1:ffff:ffff:ffff:ffff", DiscardOnly, &[]),
        (
            "2001:1::1",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            ProtocolAssignment,
            &["2001:200::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ),
        (
            "2001:2::",
            "2001:2:0:ffff:ffff:ffff:ffff:ffff",
            Benchmarking,
            &[],
        ),
        (
            "2001:10::",
            "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff",
            Orchid,
            &[],
        ),
        (
            "2001:20::",
            "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff",
            Orchid,
            &[],
        ),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            Documentation,
            &["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
        ),
        (
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            Documentation,
            &["3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"],
        ),
        (
            "5f00::",
            "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            SegmentRouting,
            &[],
        ),
        (
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            UniqueLocal,
            &[],
        ),
        (
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            LinkLocal,
            &[],
        ),
        (
            "fec0::",
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            SiteLocal,
            &[],
        ),
        (
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Multicast,
            &[],
        ),
        (
            "4000::",
            "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Reserved,
            &["2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ),
    ];
    for (first, last, expected, neighbours) in table {
        assert_eq!(class(first), Some(*expected), "{first}");
        assert_eq!(class(last), Some(*expected), "{last}");
        for neighbour in *neighbours {
            assert_eq!(class(neighbour), None, "{neighbour}");
        }
    }
}

#[test]
fn addresses_inside_addresses_are_judged() {
    use Class::*;
    let table = [
        ("::ffff:127.0.0.1", Some(Loopback)),
        ("::ffff:10.1.2.3", Some(Private)),
        ("::ffff:8.8.8.8", None),
        ("::127.0.0.1", Some(Loopback)),
        ("::8.8.8.8", Some(DeprecatedEmbedding)),
        ("::ffff:0:10.0.0.1", Some(Private)),
        ("64:ff9b::7f00:1", Some(Loopback)),
        ("64:ff9b::a9fe:a9fe", Some(Metadata)),
        ("64:ff9b::808:808", None),
        ("2002:7f00:1::", Some(Loopback)),
        ("2002:c0a8:101::1", Some(Private)),
        ("2002:808:808::1", None),
        // Teredo with a private server, and with a private client.
        ("2001:0:a00:1::f7f7:f7f7", Some(Private)),
        ("2001:0:808:808::f5ff:fffe", Some(Private)),
        ("2001:0:808:808::f7f7:f7f7", None),
        ("2606:4700::5efe:a00:1", Some(Private)),
        ("2606:4700::200:5efe:a00:1", Some(Private)),
        ("2606:4700::5efe:808:808", None),
    ];
    for (text, expected) in table {
        assert_eq!(class(text), expected, "{text}");
    }
}

#[test]
fn places_where_clouds_keep_credentials_are_told_by_name() {
    for text in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
    ] {
        assert_eq!(class(text), Some(Class::Metadata), "{text}");
    }
    assert_eq!(class("168.63.129.15"), None);
    let own = Policy {
        allow_private: true,
        ..Policy::default()
    };
    assert!(own.read("ws://169.254.169.254/").is_err());
    assert!(own.read("ws://169.254.1.1/").is_ok());
}

fn rule(text: &str) -> Option<&'static str> {
    let refusal = Policy::default().read(text).expect_err(text);
    refusal.rule.map(Rule::as_str)
}

#[test]
fn odd_spellings_of_addresses_are_judged_by_what_they_mean() {
    for text in [
        "ws://127.1/",
        "ws://2130706433/",
        "ws://0x7f000001/",
        "ws://0x7f.1/",
        "ws://0177.0.0.1/",
        "ws://017700000001/",
        "ws://127.0.0.1./",
        "ws://１２７.０.０.１/",
        "ws://127。0。0。1/",
        "ws://%31%32%37.0.0.1/",
        "ws://①②⑦.0.0.1/",
        "ws://[::1]/",
        "ws://[0:0:0:0:0:0:0:1]/",
        "ws://[::ffff:127.0.0.1]/",
        "ws://[::ffff:7f00:1]/",
        "WSS://127.0.0.1:443",
        "http://127.0.0.1/",
    ] {
        assert_eq!(rule(text), Some("loopback-address"), "{text}");
    }
    assert_eq!(rule("ws://0/"), Some("unspecified-address"));
    assert_eq!(rule("ws://10.1/"), Some("private-address"));
}

#[test]
fn what_is_no_address_is_said_to_be_none() {
    for text in [
        "",
        "   ",
        "hello",
        "localhost:8080",
        "ws://",
        "ws:///path",
        "ws://?x",
        "ws:example.com",
        "javascript:alert(1)",
        "//example.com/",
        "ws://exa mple.com/",
        "ws://example.com/a b",
        "ws://example.com\\@127.0.0.1/",
        "ws://example.com:0/",
        "ws://example.com:99999/",
        "ws://example.com:-1/",
        "ws://example.com:http/",
        "ws://a..b/",
        "ws://.example.com/",
        "ws://[::1/",
        "ws://[fe80::1%25eth0]/",
        "ws://1.2.3.4.5/",
        "ws://256.1.1.1/",
        "ws://exam<ple.com/",
        "ws://a%00b/",
    ] {
        assert_eq!(rule(text), None, "{text}");
    }
    let long_name = format!("ws://{}.example/", "a".repeat(64));
    assert_eq!(rule(&long_name), None);
    let long_names = format!("ws://{}example/", "abcdefg.".repeat(40));
    assert_eq!(rule(&long_names), None);
    let long = format!("ws://example.com/{}", "a".repeat(10_000));
    let refusal = Policy::default().read(&long).expect_err("long");
    assert!(refusal.message.contains("4096"), "{}", refusal.message);
}

#[test]
fn schemes_users_and_ports_are_refused_by_name() {
    assert_eq!(rule("ftp://example.com/"), Some("scheme"));
    assert_eq!(rule("file://example.com/etc"), Some("scheme"));
    assert_eq!(rule("gopher://example.com/"), Some("scheme"));
    assert_eq!(rule("ws://user@example.com/"), Some("user-info"));
    assert_eq!(rule("ws://user:password@example.com/"), Some("user-info"));
    for port in [22, 25, 81, 6379, 3306, 6667, 11211] {
        assert_eq!(rule(&format!("ws://example.com:{port}/")), Some("port"));
    }
    for port in [80, 443, 1024, 3000, 8080, 9001, 65535] {
        let text = format!("ws://example.com:{port}/");
        assert!(Policy::default().read(&text).is_ok(), "{text}");
    }
}

#[test]
fn the_parts_are_as_they_go_over_the_wire() {
    let target = Target::read("HTTPS://Bücher.Example.:8443/a/b?c=d#e").expect("address");
    assert_eq!(target.scheme, Scheme::Wss);
    assert_eq!(target.host, "xn--bcher-kva.example");
    assert_eq!(target.authority(), "xn--bcher-kva.example.:8443");
    assert_eq!(target.path, "/a/b?c=d");
    assert_eq!(target.bare_path(), "/a/b");
    let target = Target::read("ws://[2606:4700::1]").expect("address");
    assert_eq!(target.url(), "ws://[2606:4700::1]/");
    assert_eq!(target.own_origin(), "http://[2606:4700::1]");
}

#[test]
fn networks_and_names_can_be_allowed() {
    let allowed = Allowed::read(&[
        "10.1.0.0/16",
        "fd00::/8",
        "App.Internal.",
        "*.corp.example",
        "::1",
    ])
    .expect("entries");
    let policy = Policy {
        allowed,
        ..Policy::default()
    };
    let judge =
        |host: &str, address: &str| policy.judge(host, address.parse().expect(address)).is_ok();
    assert!(judge("x", "10.1.2.3"));
    assert!(judge("x", "::ffff:10.1.2.3"));
    assert!(!judge("x", "10.2.0.0"));
    assert!(judge("x", "fd12::1"));
    assert!(judge("x", "::1"));
    assert!(!judge("x", "127.0.0.1"));
    assert!(judge("app.internal", "192.168.0.1"));
    assert!(!judge("other.internal", "192.168.0.1"));
    assert!(judge("a.b.corp.example", "192.168.0.1"));
    assert!(!judge("corp.example", "192.168.0.1"));
    assert!(!judge("evilcorp.example", "192.168.0.1"));
    for entry in ["", "10.0.0.0/33", "a b", "*", "127.1", "-/8"] {
        assert!(Allowed::read(&[entry]).is_err(), "{entry:?}");
    }
}

#[test]
fn ports_are_read_from_a_list() {
    let ports = Ports::read(&["80", "443", "8000-8999", "6379"]).expect("ports");
    assert!(ports.hold(8443) && ports.hold(6379) && !ports.hold(9000));
    assert_eq!(ports.to_string(), "80, 443, 8000-8999, 6379");
    for entry in ["", "0", "70000", "9-8", "x"] {
        assert!(Ports::read(&[entry]).is_err(), "{entry:?}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = Policy::default().read(&text);
        let _ = Policy::default().read(&format!("ws://{text}"));
        let _ = Allowed::read(std::slice::from_ref(&text));
        let _ = Ports::read(&[text]);
    }

    #[test]
    fn hosts_of_odd_letters_never_pass_as_private(text in "[0-9a-fA-FxX.:%\\[\\]@#/０-９。]{1,40}") {
        if let Ok(target) = Policy::default().read(&format!("ws://{text}")) {
            prop_assert!(target.literal.is_none_or(|address| class_of(address.to_canonical()).is_none()));
            // A name is not an address in disguise: no last part of it is a number.
            if target.literal.is_none() {
                let last = target.host.rsplit('.').next().unwrap_or_default();
                prop_assert!(!last.bytes().all(|byte| byte.is_ascii_digit()), "{}", target.host);
            }
        }
    }

    #[test]
    fn every_spelling_of_a_number_is_judged_alike(bits in any::<u32>()) {
        let address = std::net::Ipv4Addr::from(bits);
        let plain = Policy::default().read(&format!("ws://{address}/")).map_err(|refusal| refusal.rule);
        let octets = address.octets();
        let spellings = [
            format!("ws://{bits}/"),
            format!("ws://{bits:#x}/"),
            format!("ws://0{bits:o}/"),
            format!("ws://{:#x}.{:#o}.{}/", octets[0], octets[1], bits & 0xffff).replace("0o", "0"),
            format!("ws://[::ffff:{address}]/"),
        ];
        for spelling in spellings {
            let other = Policy::default().read(&spelling).map_err(|refusal| refusal.rule);
            prop_assert_eq!(plain.is_ok(), other.is_ok(), "{}", &spelling);
            if let (Err(one), Err(two)) = (&plain, &other) {
                prop_assert_eq!(one, two);
            }
        }
    }

    #[test]
    fn an_embedded_private_address_is_refused(last in any::<u32>()) {
        let inner = std::net::Ipv4Addr::from(0x0a00_0000 | (last & 0x00ff_ffff));
        let bits = u128::from(u32::from(inner));
        for outer in [
            0xffff_u128 << 32 | bits,
            0x0064_ff9b_u128 << 96 | bits,
            0x2002_u128 << 112 | bits << 80,
            bits,
        ] {
            let address = IpAddr::from(std::net::Ipv6Addr::from(outer)).to_canonical();
            prop_assert_eq!(class_of(address), Some(Class::Private));
        }
    }
}
