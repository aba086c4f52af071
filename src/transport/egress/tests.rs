use super::*;

/// Every spelling a definition could be written in, and the range it is refused for.
const SPELLINGS: &[(&str, Option<Range>)] = &[
    // loopback
    ("127.0.0.1", Some(Range::Loopback)),
    ("127.0.0.1.", Some(Range::Loopback)),
    ("127.255.255.254", Some(Range::Loopback)),
    ("127.1", Some(Range::Loopback)),
    ("127.0.1", Some(Range::Loopback)),
    ("2130706433", Some(Range::Loopback)),
    ("0x7f000001", Some(Range::Loopback)),
    ("0X7F.1", Some(Range::Loopback)),
    ("0x7f.0x0.0x0.0x1", Some(Range::Loopback)),
    ("017700000001", Some(Range::Loopback)),
    ("0177.0.0.01", Some(Range::Loopback)),
    ("0177.0x0.0.1", Some(Range::Loopback)),
    ("::1", Some(Range::Loopback)),
    ("[::1]", Some(Range::Loopback)),
    ("0:0:0:0:0:0:0:1", Some(Range::Loopback)),
    ("0000:0000:0000:0000:0000:0000:0000:0001", Some(Range::Loopback)),
    ("::1%lo", Some(Range::Loopback)),
    ("::ffff:127.0.0.1", Some(Range::Loopback)),
    ("[::ffff:7f00:1]", Some(Range::Loopback)),
    ("0:0:0:0:0:ffff:127.0.0.1", Some(Range::Loopback)),
    ("::127.0.0.1", Some(Range::Loopback)),
    ("::ffff:0:127.0.0.1", Some(Range::Loopback)),
    ("64:ff9b::127.0.0.1", Some(Range::Loopback)),
    ("64:ff9b::7f00:1", Some(Range::Loopback)),
    ("2002:7f00:1::", Some(Range::Loopback)),
    ("2002:7f00:0001:dead::beef", Some(Range::Loopback)),
    // unspecified
    ("0", Some(Range::Unspecified)),
    ("0x", Some(Range::Unspecified)),
    ("0.0.0.0", Some(Range::Unspecified)),
    ("0.0.0.1", Some(Range::Unspecified)),
    ("0.1", Some(Range::Unspecified)),
    ("00000000", Some(Range::Unspecified)),
    ("::", Some(Range::Unspecified)),
    ("[::]", Some(Range::Unspecified)),
    ("::ffff:0.0.0.0", Some(Range::Unspecified)),
    ("64:ff9b::", Some(Range::Unspecified)),
    ("2002::", Some(Range::Unspecified)),
    ("::2", Some(Range::Unspecified)),
    // link-local
    ("169.254.169.254", Some(Range::LinkLocal)),
    ("169.254.0.0", Some(Range::LinkLocal)),
    ("169.254.255.255", Some(Range::LinkLocal)),
    ("2852039166", Some(Range::LinkLocal)),
    ("0xa9fea9fe", Some(Range::LinkLocal)),
    ("0xa9.0xfe.0xa9.0xfe", Some(Range::LinkLocal)),
    ("0251.0376.0251.0376", Some(Range::LinkLocal)),
    ("169.254.43518", Some(Range::LinkLocal)),
    ("169.16689662", Some(Range::LinkLocal)),
    ("[::ffff:169.254.169.254]", Some(Range::LinkLocal)),
    ("::ffff:a9fe:a9fe", Some(Range::LinkLocal)),
    ("::a9fe:a9fe", Some(Range::LinkLocal)),
    ("[64:ff9b::a9fe:a9fe]", Some(Range::LinkLocal)),
    ("2002:a9fe:a9fe::1", Some(Range::LinkLocal)),
    ("fe80::1", Some(Range::LinkLocal)),
    ("[fe80::1%25eth0]", Some(Range::LinkLocal)),
    ("febf::1", Some(Range::LinkLocal)),
    // metadata elsewhere
    ("100.100.100.200", Some(Range::Metadata)),
    ("1684301000", Some(Range::Metadata)),
    ("0x64.0x64.0x64.0xc8", Some(Range::Metadata)),
    ("::ffff:100.100.100.200", Some(Range::Metadata)),
    ("64:ff9b::6464:64c8", Some(Range::Metadata)),
    ("192.0.0.192", Some(Range::Metadata)),
    ("168.63.129.16", Some(Range::Metadata)),
    ("fd00:ec2::254", Some(Range::Metadata)),
    ("[fd00:0ec2:0:0:0:0:0:254]", Some(Range::Metadata)),
    ("fd20:ce::254", Some(Range::Metadata)),
    ("fd00:ec2::23", Some(Range::Metadata)),
    ("fd00:42::42", Some(Range::Metadata)),
    ("2001:db8::5efe:100.100.100.200", Some(Range::Metadata)),
    ("2001:db8::200:5efe:100.100.100.200", Some(Range::Metadata)),
    ("fe80::5efe:10.0.0.1", Some(Range::LinkLocal)),
    // multicast, reserved, tunnels
    ("224.0.0.1", Some(Range::Multicast)),
    ("239.255.255.255", Some(Range::Multicast)),
    ("ff02::1", Some(Range::Multicast)),
    ("::ffff:224.0.0.1", Some(Range::Multicast)),
    ("240.0.0.1", Some(Range::Reserved)),
    ("255.255.255.255", Some(Range::Reserved)),
    ("4294967295", Some(Range::Reserved)),
    ("2001::1", Some(Range::Tunnel)),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some(Range::Tunnel)),
    ("64:ff9b:1::7f00:1", Some(Range::Tunnel)),
    // allowed
    ("10.0.0.7", None),
    ("10.1", None),
    ("172.16.0.1", None),
    ("172.32.0.1", None),
    ("192.168.1.1", None),
    ("100.64.0.1", None),
    ("100.100.100.201", None),
    ("169.253.255.255", None),
    ("169.255.0.0", None),
    ("126.255.255.255", None),
    ("128.0.0.1", None),
    ("1.1.1.1", None),
    ("2001:db8::1", None),
    ("2001:4860:4860::8888", None),
    ("fd00:ec2::253", None),
    ("fc00::1", None),
    ("64:ff9b::808:808", None),
    // names
    ("orders.internal", None),
    ("localhost", None),
    ("1.2.3.4.5", None),
    ("127.0.0.256", None),
    ("127.0.0.1.example.com", None),
    ("4294967296", None),
    ("+127.1", None),
    ("", None),
];

#[test]
fn every_spelling_is_judged_as_the_address_it_is() {
    let egress = Egress::default();
    for (host, range) in SPELLINGS {
        let found = egress.check_literal(host).err().and_then(|refused| refused.range());
        assert_eq!(found, *range, "{host:?}");
    }
}

#[test]
fn loopback_can_be_allowed_and_nothing_else_with_it() {
    let egress = Egress::default().allow_loopback();
    for (host, range) in SPELLINGS {
        let expected = range.filter(|range| *range != Range::Loopback);
        let found = egress.check_literal(host).err().and_then(|refused| refused.range());
        assert_eq!(found, expected, "{host:?}");
    }
}

#[test]
fn private_ranges_can_be_refused() {
    let egress = Egress::default().deny_private();
    for host in [
        "10.0.0.7",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:c0a8:101::1",
    ] {
        let found = egress.check_literal(host).map_err(|refused| refused.range());
        assert_eq!(found, Err(Some(Range::Private)), "{host}");
    }
    for host in ["172.32.0.1", "100.128.0.1", "9.9.9.9", "2001:db8::1"] {
        assert_eq!(egress.check_literal(host), Ok(()), "{host}");
    }
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let refused = Egress::default().check_literal("127.1").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "127.0.0.1 is a loopback address, which the egress policy refuses"
    );
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn ports_can_be_refused() {
    let egress = Egress::default().deny_ports([22, 25]).deny_ports([6379]);
    for port in [22, 25, 6379] {
        let refused = Err(Refused::Port(port));
        assert_eq!(egress.check_socket(SocketAddr::from(([10, 0, 0, 7], port))), refused);
        assert_eq!(egress.check_endpoint("orders.internal", port), refused);
        assert_eq!(egress.check_endpoint("10.0.0.7", port), refused);
    }
    assert_eq!(egress.check_endpoint("orders.internal", 80), Ok(()));
    assert_eq!(egress.check_socket(socket("10.0.0.7:443")), Ok(()));
    assert_eq!(Refused::Port(25).to_string(), "port 25 is refused by the egress policy");
}

#[test]
fn own_sockets_are_refused() {
    let one = Egress::default().deny_own(socket("10.0.0.7:8080"));
    assert_eq!(
        one.check_socket(socket("10.0.0.7:8080")),
        Err(Refused::Own(socket("10.0.0.7:8080")))
    );
    assert!(one.check_endpoint("[::ffff:10.0.0.7]", 8080).is_err());
    assert!(one.check_endpoint("0xa000007", 8080).is_err());
    assert_eq!(one.check_socket(socket("10.0.0.7:8081")), Ok(()));
    assert_eq!(one.check_socket(socket("10.0.0.8:8080")), Ok(()));

    let all = Egress::default().allow_loopback().deny_own(socket("0.0.0.0:8080"));
    assert!(all.check_socket(socket("127.0.0.2:8080")).is_err());
    assert!(all.check_socket(socket("[::1]:8080")).is_err());
    assert_eq!(all.check_socket(socket("10.0.0.7:8080")), Ok(()), "nobody knows yet whose it is");
    let made = |local: &str, peer: &str| all.check_made(socket(local), socket(peer));
    assert!(made("10.0.0.7:40000", "10.0.0.7:8080").is_err());
    assert_eq!(made("10.0.0.6:40000", "10.0.0.7:8080"), Ok(()));
    assert_eq!(made("10.0.0.7:40000", "10.0.0.7:8081"), Ok(()));
}
