//! Would `marshal.loads` take the body of a pyc? A walk over the format of CPython's
//! `Python/marshal.c` (3.9 to 3.15) that builds nothing.
//!
//! CPython reads a body outside of every `try`: one that breaks off, or makes no sense, ends the
//! program at each start, and no start mends it. Lengths are believed only as far as there are bytes
//! left, and objects may lie within each other as deep as CPython lets them ([`DEEPEST`]), so that a
//! hostile file costs no more than its own size.

mod object;

use std::fmt;

use object::{
    BEFORE_LINE, Counts, ELEMENTS, Hashing, Holds, Object, Open, OpenCode, Place, Whole, are_bytes,
    is_sound_of_old, texts,
};

/// `MAX_MARSHAL_STACK_DEPTH` outside of Windows and WASI.
const DEEPEST: usize = 2000;
/// Of an object's type byte: it is to be found again by its number.
const IS_REFERENCE: u8 = 0x80;
/// `CO_VARARGS` and `CO_VARKEYWORDS`: each takes a local variable.
const VARIADIC: [i32; 2] = [0x04, 0x08];
/// `CO_FAST_LOCAL` of `localspluskinds`.
const LOCAL: u8 = 0x20;
/// An instruction, `_Py_CODEUNIT`.
const INSTRUCTION: usize = 2;

/// What differs from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The minor version of Python 3.
    minor: u32,
}

impl Dialect {
    /// Of Python 3.`minor`.
    pub fn of(minor: u32) -> Self {
        Self { minor }
    }

    /// The code object of PEP 659: local variables, cells and free ones in one tuple.
    fn has_locals_plus(self) -> bool {
        self.minor >= 11
    }

    fn has_slices(self) -> bool {
        self.minor >= 14
    }

    fn has_frozen_dicts(self) -> bool {
        self.minor >= 15
    }
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It breaks off: `EOFError`.
    Short,
    /// Something in it cannot be: `ValueError`, `TypeError`, `SystemError`.
    Nonsense,
    /// It holds something else than code: `ImportError`.
    NotCode,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Short => "its code breaks off (EOFError)",
            Self::Nonsense => "its code makes no sense (ValueError)",
            Self::NotCode => "what it holds is no code (ImportError)",
        })
    }
}

/// Checks what follows the header of a pyc. What comes after the code is of no interest, as it is
/// none to CPython.
///
/// # Errors
/// What CPython would stumble over first.
pub fn check(body: &[u8], dialect: Dialect) -> Result<(), Fault> {
    let mut walk = Walk {
        body,
        at: 0,
        dialect,
        references: Vec::new(),
        open: Vec::new(),
    };
    match walk.run()? {
        Object::Code => Ok(()),
        Object::Null => Err(Fault::Nonsense),
        _ => Err(Fault::NotCode),
    }
}

struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// Objects that can be referred to by number.
    references: Vec<Object>,
    /// Objects that are not complete, each within the one before it. A list of our own, and no
    /// recursion: there may be 2,000 of them.
    open: Vec<Open>,
}

/// What an object's first bytes say.
enum Begun {
    Whole(Object),
    Open(Open),
}

type Found<T> = Result<T, Fault>;

impl<'a> Walk<'a> {
    fn run(&mut self) -> Found<Object> {
        loop {
            let mut object = match self.begin()? {
                Begun::Whole(object) => object,
                Begun::Open(open) => {
                    self.open.push(open);
                    continue;
                }
            };
            // A complete object goes into the one around it, which may be complete with it.
            loop {
                let Some(around) = self.open.pop() else {
                    return Ok(object);
                };
                match self.put(object, around)? {
                    Begun::Whole(complete) => object = complete,
                    Begun::Open(open) => {
                        self.open.push(open);
                        break;
                    }
                }
            }
        }
    }

    fn take(&mut self, count: usize) -> Found<&'a [u8]> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count).ok_or(Fault::Short)?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Found<u8> {
        let byte = *self.body.get(self.at).ok_or(Fault::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn int(&mut self) -> Found<i32> {
        let bytes = self.take(4)?;
        let bytes: [u8; 4] = bytes.try_into().map_err(|_| Fault::Short)?;
        Ok(i32::from_le_bytes(bytes))
    }

    /// A length of four bytes.
    fn length(&mut self) -> Found<usize> {
        usize::try_from(self.int()?).map_err(|_| Fault::Nonsense)
    }

    fn remember(&mut self, kind: u8, object: Object) -> Object {
        self.reserve(kind, object);
        object
    }

    /// Keeps the place of an object that is not complete.
    fn reserve(&mut self, kind: u8, until_then: Object) -> Place {
        (kind & IS_REFERENCE != 0).then(|| {
            self.references.push(until_then);
            self.references.len() - 1
        })
    }

    fn fill(&mut self, place: Place, object: Object) -> Begun {
        if let Some(slot) = place.and_then(|place| self.references.get_mut(place)) {
            *slot = object;
        }
        Begun::Whole(object)
    }

    /// Reads an object's first bytes, and all of it if it holds no other.
    fn begin(&mut self) -> Found<Begun> {
        let kind = self.byte()?;
        if self.open.len() >= DEEPEST {
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
                let length = self.length()?;
                let start = self.at;
                self.take(length)?;
                self.remember(kind, Object::Bytes { start, length })
            }
            b'A' | b'a' => {
                let length = self.length()?;
                self.text(kind, length)?
            }
            b'Z' | b'z' => {
                let length = usize::from(self.byte()?);
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
                let number = self.length()?;
                match self.references.get(number) {
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
                let length = usize::from(self.byte()?);
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
                Begun::Open(Open::Code(Box::new(OpenCode {
                    place,
                    counts: self.counts()?,
                    elements: [Object::Null; ELEMENTS],
                    known: 0,
                })))
            }
            _ => return Err(Fault::Nonsense),
        })
    }

    fn tuple(&mut self, kind: u8, length: usize) -> Begun {
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

    fn set(&mut self, left: usize, whole: Whole) -> Begun {
        match left {
            0 => self.complete(whole, Hashing::Possible),
            _ => Begun::Open(Open::Set { left, whole }),
        }
    }

    fn complete(&mut self, whole: Whole, hashing: Hashing) -> Begun {
        match whole {
            Whole::Changeable => Begun::Whole(Object::UNHASHABLE),
            Whole::Frozen(place) => self.fill(place, Object::Other(hashing)),
        }
    }

    /// Puts an object into the one around it.
    fn put(&mut self, object: Object, around: Open) -> Found<Begun> {
        if object == Object::Null && !matches!(around, Open::Pairs { .. }) {
            return Err(Fault::Nonsense);
        }
        Ok(match around {
            Open::Tuple {
                place,
                length,
                left,
                holds,
            } => {
                let holds = holds.min(Holds::of(object));
                match left - 1 {
                    0 => self.fill(place, Object::Tuple { length, holds }),
                    left => Begun::Open(Open::Tuple {
                        place,
                        length,
                        left,
                        holds,
                    }),
                }
            }
            Open::List { left } => match left - 1 {
                0 => Begun::Whole(Object::UNHASHABLE),
                left => Begun::Open(Open::List { left }),
            },
            Open::Set { left, whole } => {
                if !object.is_hashable() {
                    return Err(Fault::Nonsense);
                }
                self.set(left - 1, whole)
            }
            Open::Slice {
                place,
                left,
                hashing,
            } => {
                let hashing = hashing.min(Hashing::of(object));
                match left - 1 {
                    0 => self.fill(place, Object::Other(hashing)),
                    left => Begun::Open(Open::Slice {
                        place,
                        left,
                        hashing,
                    }),
                }
            }
            Open::Pairs {
                key,
                hashing,
                whole,
            } => match key {
                // A key without its value ends the dictionary, too.
                _ if object == Object::Null => self.complete(whole, hashing),
                None => Begun::Open(Open::Pairs {
                    key: Some(object),
                    hashing,
                    whole,
                }),
                Some(key) if !key.is_hashable() => return Err(Fault::Nonsense),
                Some(_) => Begun::Open(Open::Pairs {
                    key: None,
                    hashing: hashing.min(Hashing::of(object)),
                    whole,
                }),
            },
            Open::Code(mut code) => {
                if let Some(slot) = code.elements.get_mut(code.known) {
                    *slot = object;
                }
                code.known += 1;
                if code.known == BEFORE_LINE {
                    self.int()?;
                }
                let all = ELEMENTS - usize::from(!self.dialect.has_locals_plus());
                if code.known < all {
                    Begun::Open(Open::Code(code))
                } else {
                    self.check_code(&code)?;
                    self.fill(code.place, Object::Code)
                }
            }
        })
    }

    fn sized(&mut self, kind: u8, size: usize) -> Found<Object> {
        self.take(size)?;
        Ok(self.remember(kind, Object::PLAIN))
    }

    /// A string of Latin-1, of which nothing is checked.
    fn text(&mut self, kind: u8, length: usize) -> Found<Object> {
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
        let length = usize::from(self.byte()?);
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

    fn check_code(&self, code: &OpenCode) -> Found<()> {
        let counts = &code.counts;
        let are_counts = [
            counts.positional_only,
            counts.keyword_only,
            counts.locals,
            counts.stack,
            counts.flags,
        ];
        if are_counts.iter().any(|&count| count < 0) || counts.arguments < counts.positional_only {
            return Err(Fault::Nonsense);
        }
        let locals = if self.dialect.has_locals_plus() {
            self.locals_of(&code.elements)
        } else {
            let sound = is_sound_of_old(&code.elements);
            sound.then(|| usize::try_from(counts.locals).unwrap_or_default())
        };
        let variadic = VARIADIC.iter().filter(|&&flag| counts.flags & flag != 0);
        let needed = [counts.arguments, counts.keyword_only]
            .map(|count| usize::try_from(count).unwrap_or_default());
        match locals {
            Some(locals) if needed.iter().sum::<usize>() + variadic.count() <= locals => Ok(()),
            _ => Err(Fault::Nonsense),
        }
    }

    /// How many local variables a code object of 3.11 and newer has; `None` if it cannot be
    /// (`_PyCode_Validate` in Objects/codeobject.c).
    fn locals_of(&self, elements: &[Object; ELEMENTS]) -> Option<usize> {
        let [
            code,
            constants,
            names,
            locals,
            kinds,
            file,
            name,
            qualified,
            lines,
            exceptions,
        ] = *elements;
        let (Object::Bytes { length: code, .. }, Object::Bytes { start, length }) = (code, kinds)
        else {
            return None;
        };
        let sound = code % INSTRUCTION == 0
            && matches!(constants, Object::Tuple { .. })
            && texts(names).is_some()
            && texts(locals) == Some(length)
            && [file, name, qualified].iter().all(|o| *o == Object::Text)
            && are_bytes(&[lines, exceptions]);
        let kinds = self.body.get(start..start.checked_add(length)?)?;
        sound.then(|| kinds.iter().filter(|&&kind| kind & LOCAL != 0).count())
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

#[cfg(test)]
mod tests;
