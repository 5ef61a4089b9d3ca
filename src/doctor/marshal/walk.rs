//! The bytes of a body, object by object.

use super::around::Put;
use super::code::{Counts, OpenCode};
use super::object::{Hashing, Holds, Object, Open, Place, Whole};
use super::{Dialect, Fault, Found, Room};

/// `MAX_MARSHAL_STACK_DEPTH` outside of Windows and WASI.
const DEEPEST: usize = 2000;
/// Of an object's type byte: it is to be found again by its number.
pub(super) const IS_REFERENCE: u8 = 0x80;

/// A body that is read.
pub(super) struct Walk<'a> {
    /// So short that its length is of four bytes.
    pub(super) body: &'a [u8],
    at: usize,
    pub(super) dialect: Dialect,
    pub(super) room: &'a mut Room,
}

/// What an object's first bytes say.
enum Begun {
    Whole(Object),
    Open(Open),
}

impl<'a> Walk<'a> {
    pub(super) fn new(body: &'a [u8], dialect: Dialect, room: &'a mut Room) -> Self {
        Self {
            body,
            at: 0,
            dialect,
            room,
        }
    }

    /// Reads the outermost object.
    pub(super) fn run(&mut self) -> Found<Object> {
        loop {
            let mut object = match self.begin()? {
                Begun::Whole(object) => object,
                Begun::Open(open) => {
                    self.room.open.push(open);
                    continue;
                }
            };
            // A complete object goes into the one around it, which may be complete with it.
            loop {
                match self.put(object)? {
                    Put::Completes(around) => object = around,
                    Put::Within => break,
                    Put::Outermost => return Ok(object),
                }
            }
        }
    }

    fn take(&mut self, count: u32) -> Found<&'a [u8]> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count as usize).ok_or(Fault::Short)?;
        self.at += taken.len();
        Ok(taken)
    }

    fn byte(&mut self) -> Found<u8> {
        let byte = *self.body.get(self.at).ok_or(Fault::Short)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn int(&mut self) -> Found<i32> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.first_chunk::<4>().ok_or(Fault::Short)?;
        self.at += bytes.len();
        Ok(i32::from_le_bytes(*bytes))
    }

    /// A length of four bytes.
    fn length(&mut self) -> Found<u32> {
        u32::try_from(self.int()?).map_err(|_| Fault::Nonsense)
    }

    fn remember(&mut self, kind: u8, object: Object) -> Object {
        self.reserve(kind, object);
        object
    }

    /// Keeps the place of an object that is not complete.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are no more of them than bytes, whose count is of four bytes"
    )]
    fn reserve(&mut self, kind: u8, until_then: Object) -> Place {
        (kind & IS_REFERENCE != 0).then(|| {
            self.room.references.push(until_then);
            (self.room.references.len() - 1) as u32
        })
    }

    /// Reads an object's first bytes, and all of it if it holds no other.
    fn begin(&mut self) -> Found<Begun> {
        let kind = self.byte()?;
        if self.room.open.len() >= DEEPEST {
            return Err(Fault::Nonsense);
        }
        Ok(Begun::Whole(match kind & !IS_REFERENCE {
            b'0' => Object::Null,
            // One of each there is: they are never referred to.
            b'N' | b'S' | b'.' | b'F' | b'T' => Object::PLAIN,
            b'i' => self.sized(kind, 4)?,
            b'I' | b'g' => self.sized(kind, 8)?,
            b'y' => self.sized(kind, 16)?,
            b'l' => {
                self.long()?;
                self.remember(kind, Object::PLAIN)
            }
            b'f' => {
                self.float_text()?;
                self.remember(kind, Object::PLAIN)
            }
            b'x' => {
                self.float_text()?;
                self.float_text()?;
                self.remember(kind, Object::PLAIN)
            }
            b's' => {
                let bytes = self.bytes()?;
                self.remember(kind, bytes)
            }
            b'A' | b'a' => {
                let length = self.length()?;
                self.text(kind, length)?
            }
            b'Z' | b'z' => {
                let length = u32::from(self.byte()?);
                self.text(kind, length)?
            }
            b't' | b'u' => {
                let length = self.length()?;
                let bytes = self.take(length)?;
                if !is_utf8_with_surrogates(bytes) {
                    return Err(Fault::Nonsense);
                }
                self.remember(kind, Object::Text)
            }
            b'r' => {
                let number = self.length()? as usize;
                match self.room.references.get(number) {
                    None | Some(Object::Reserved) => return Err(Fault::Nonsense),
                    Some(object) => *object,
                }
            }
            _ => return self.begin_with_elements(kind),
        }))
    }

    fn begin_with_elements(&mut self, kind: u8) -> Found<Begun> {
        Ok(match kind & !IS_REFERENCE {
            b')' => {
                let length = u32::from(self.byte()?);
                self.tuple(kind, length)
            }
            b'(' => {
                let length = self.length()?;
                self.tuple(kind, length)
            }
            b'[' => {
                let left = self.length()?;
                let list = self.remember(kind, Object::UNHASHABLE);
                match left {
                    0 => Begun::Whole(list),
                    _ => Begun::Open(Open::List { left }),
                }
            }
            b'<' => {
                let left = self.length()?;
                self.remember(kind, Object::UNHASHABLE);
                self.set(left, Whole::Changeable)
            }
            b'>' => {
                let left = self.length()?;
                let place = self.reserve(kind, Object::Reserved);
                self.set(left, Whole::Frozen(place))
            }
            b'{' => {
                self.remember(kind, Object::UNHASHABLE);
                Begun::Open(Open::pairs(Whole::Changeable))
            }
            b'}' if self.dialect.has_frozen_dicts() => {
                let place = self.reserve(kind, Object::Reserved);
                Begun::Open(Open::pairs(Whole::Frozen(place)))
            }
            b':' if self.dialect.has_slices() => Begun::Open(Open::Slice {
                place: self.reserve(kind, Object::Reserved),
                left: 3,
                hashing: Hashing::Possible,
            }),
            b'c' => {
                let place = self.reserve(kind, Object::Reserved);
                let counts = self.counts()?;
                self.room.codes.push(OpenCode::new(place, counts));
                Begun::Open(Open::Code)
            }
            _ => return Err(Fault::Nonsense),
        })
    }

    fn tuple(&mut self, kind: u8, length: u32) -> Begun {
        let holds = Holds::Texts;
        // It can be referred to from within itself.
        let place = self.reserve(kind, Object::Tuple { length, holds });
        match length {
            0 => Begun::Whole(Object::Tuple { length, holds }),
            left => Begun::Open(Open::Tuple {
                place,
                length,
                left,
                holds,
            }),
        }
    }

    fn set(&mut self, left: u32, whole: Whole) -> Begun {
        match left {
            0 => Begun::Whole(self.complete(whole, Hashing::Possible)),
            _ => Begun::Open(Open::Set { left, whole }),
        }
    }

    fn sized(&mut self, kind: u8, size: u32) -> Found<Object> {
        self.take(size)?;
        Ok(self.remember(kind, Object::PLAIN))
    }

    fn bytes(&mut self) -> Found<Object> {
        let length = self.length()?;
        let start = u32::try_from(self.at).map_err(|_| Fault::Short)?;
        self.take(length)?;
        Ok(Object::Bytes { start, length })
    }

    /// A string of Latin-1, of which nothing is checked.
    fn text(&mut self, kind: u8, length: u32) -> Found<Object> {
        self.take(length)?;
        Ok(self.remember(kind, Object::Text))
    }

    /// Digits of 15 bits, the highest of which is not zero.
    fn long(&mut self) -> Found<()> {
        let count = self.int()?;
        if count == i32::MIN {
            return Err(Fault::Nonsense);
        }
        // Each digit is looked at as it comes: of one that is wrong and an end that is early, what
        // comes first counts.
        let mut last = None;
        for _ in 0..count.unsigned_abs() {
            let digit = self.take(2)?;
            let digit = u16::from_le_bytes([digit[0], digit[1]]);
            if digit > 0x7fff {
                return Err(Fault::Nonsense);
            }
            last = Some(digit);
        }
        match last {
            Some(0) => Err(Fault::Nonsense),
            _ => Ok(()),
        }
    }

    /// A float as text, which marshal wrote before its second version and still reads.
    fn float_text(&mut self) -> Found<()> {
        let length = u32::from(self.byte()?);
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Nonsense)?;
        // Nothing but a number: CPython allows no blanks here either.
        text.parse::<f64>().map(|_| ()).map_err(|_| Fault::Nonsense)
    }

    fn counts(&mut self) -> Found<Counts> {
        let is_old = !self.dialect.has_locals_plus();
        Ok(Counts {
            arguments: self.int()?,
            positional_only: self.int()?,
            keyword_only: self.int()?,
            locals: if is_old { self.int()? } else { 0 },
            stack: self.int()?,
            flags: self.int()?,
        })
    }
}

/// UTF-8 as CPython decodes it with `surrogatepass`: halves of surrogate pairs are let through.
fn is_utf8_with_surrogates(mut bytes: &[u8]) -> bool {
    loop {
        match std::str::from_utf8(bytes) {
            Ok(_) => return true,
            Err(error) => {
                let rest = bytes.get(error.valid_up_to()..).unwrap_or_default();
                match rest {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => bytes = after,
                    _ => return false,
                }
            }
        }
    }
}
