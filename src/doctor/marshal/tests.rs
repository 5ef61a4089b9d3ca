//! Bodies that are made by hand; `tests/marshal.rs` asks interpreters.

use proptest::prelude::*;

use super::walk::IS_REFERENCE;
use super::*;

const NEW: Dialect = Dialect { minor: 12 };

fn checked(body: &[u8]) -> Result<(), Fault> {
    check(body, NEW)
}

/// The code of `x = (1, "é")`, laid out as 3.11 and newer do.
fn code() -> Vec<u8> {
    let mut body = vec![b'c' | IS_REFERENCE];
    for count in [0_i32, 0, 0, 1, 0] {
        body.extend(count.to_le_bytes());
    }
    let bytes = |content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap();
        [&b"s"[..], &length.to_le_bytes(), content].concat()
    };
    body.extend(bytes(&[0x97, 0, 0x53, 0]));
    // The constants: ((1, "é"), None)
    body.extend(b")\x02\xa9\x02\xe9\x01\x00\x00\x00u\x02\x00\x00\x00\xc3\xa9N");
    body.extend(b")\x01\xda\x01x");
    body.extend(b")\x00");
    body.extend(bytes(b""));
    body.extend(b"\xfa\x04x.py\xda\x08<module>r\x04\x00\x00\x00");
    body.extend(1_i32.to_le_bytes());
    body.extend(bytes(b"\xf0\x03"));
    body.extend(bytes(b""));
    body
}

#[test]
fn code_is_taken_and_each_beginning_of_it_breaks_off() {
    let body = code();
    assert_eq!(checked(&body), Ok(()));
    assert_eq!(checked(&[&body[..], b"and more"].concat()), Ok(()));
    for length in 0..body.len() {
        assert_eq!(checked(&body[..length]), Err(Fault::Short), "{length}");
    }
}

#[test]
fn what_is_no_code_is_told_from_nonsense() {
    assert_eq!(checked(b"N"), Err(Fault::NotCode));
    assert_eq!(checked(b"i\x01\0\0\0"), Err(Fault::NotCode));
    assert_eq!(checked(b"0"), Err(Fault::Nonsense));
    assert_eq!(checked(b"?"), Err(Fault::Nonsense));
    assert_eq!(checked(b"r\0\0\0\0"), Err(Fault::Nonsense));
}

#[test]
fn lengths_are_not_believed() {
    for kind in [b's', b'u', b'a', b'(', b'[', b'<', b'>'] {
        let huge = [&[kind][..], &i32::MAX.to_le_bytes()].concat();
        assert_eq!(checked(&huge), Err(Fault::Short), "{}", char::from(kind));
        let negative = [&[kind][..], &(-1_i32).to_le_bytes()].concat();
        assert_eq!(checked(&negative), Err(Fault::Nonsense));
    }
    let long = [&b"l"[..], &(i32::MIN + 1).to_le_bytes()].concat();
    assert_eq!(checked(&long), Err(Fault::Short));
}

#[test]
fn objects_lie_within_each_other_as_deep_as_cpython_allows() {
    let nested = |depth: usize| [b")\x01".repeat(depth), b"N".to_vec()].concat();
    assert_eq!(checked(&nested(1999)), Err(Fault::NotCode));
    assert_eq!(checked(&nested(2000)), Err(Fault::Nonsense));
    assert_eq!(checked(&nested(1_000_000)), Err(Fault::Nonsense));
}

#[test]
fn an_unfinished_object_cannot_be_referred_to_and_a_tuple_can() {
    assert_eq!(checked(b"\xbe\x01\0\0\0r\0\0\0\0"), Err(Fault::Nonsense));
    assert_eq!(checked(b"\xa9\x01r\0\0\0\0"), Err(Fault::NotCode));
}

#[test]
fn what_cannot_be_hashed_is_in_no_set_and_no_key() {
    assert_eq!(checked(b">\x01\0\0\0[\0\0\0\0"), Err(Fault::Nonsense));
    assert_eq!(checked(b">\x01\0\0\0)\x01[\0\0\0\0"), Err(Fault::Nonsense));
    assert_eq!(checked(b">\x01\0\0\0)\x01N"), Err(Fault::NotCode));
    assert_eq!(checked(b"{[\0\0\0\0N0"), Err(Fault::Nonsense));
    assert_eq!(checked(b"{N[\0\0\0\x000"), Err(Fault::NotCode));
}

#[test]
fn halves_of_surrogate_pairs_are_let_through() {
    assert_eq!(checked(b"u\x03\0\0\0\xed\xa0\x80"), Err(Fault::NotCode));
    assert_eq!(checked(b"u\x02\0\0\0\xed\xa0"), Err(Fault::Nonsense));
    assert_eq!(checked(b"u\x01\0\0\0\xff"), Err(Fault::Nonsense));
}

#[test]
fn what_a_version_does_not_know_is_nonsense_to_it() {
    assert_eq!(checked(b":NNN"), Err(Fault::Nonsense));
    assert_eq!(check(b":NNN", Dialect::of(14)), Err(Fault::NotCode));
    assert_eq!(check(b"}0", Dialect::of(14)), Err(Fault::Nonsense));
    assert_eq!(check(b"}0", Dialect::of(15)), Err(Fault::NotCode));
}

proptest! {
    #[test]
    fn no_body_is_too_much(body in proptest::collection::vec(any::<u8>(), 0..512), minor in 9_u32..16) {
        let _ = check(&body, Dialect::of(minor));
    }

    #[test]
    fn no_changed_code_is_too_much(at in 0_usize..120, value in any::<u8>(), minor in 9_u32..16) {
        let mut body = code();
        let at = at % body.len();
        body[at] = value;
        let _ = check(&body, Dialect::of(minor));
    }
}
