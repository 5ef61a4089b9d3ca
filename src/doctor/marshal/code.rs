//! Code objects: what they are made of, and whether that can be code.

use super::object::{Holds, Object, Place};
use super::{Dialect, Fault, Found};

/// `CO_VARARGS` and `CO_VARKEYWORDS`: each takes a local variable.
const VARIADIC: [i32; 2] = [0x04, 0x08];
/// `CO_FAST_LOCAL` of `localspluskinds`.
const LOCAL: u8 = 0x20;
/// An instruction, `_Py_CODEUNIT`.
const INSTRUCTION: u32 = 2;
/// The objects in a code object of 3.11 and newer; before, there is one less.
const ELEMENTS: usize = 10;
/// So many come before the number of the first line.
const BEFORE_LINE: usize = 8;

/// Code of which some objects are still to come.
#[derive(Debug)]
pub(super) struct OpenCode {
    pub(super) place: Place,
    counts: Counts,
    elements: [Object; ELEMENTS],
    known: usize,
}

/// What a code object begins with.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) arguments: i32,
    pub(super) positional_only: i32,
    pub(super) keyword_only: i32,
    /// Before 3.11.
    pub(super) locals: i32,
    pub(super) stack: i32,
    pub(super) flags: i32,
}

/// What comes after an object of a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Object,
    /// The number of the first line, and then objects.
    Line,
    Nothing,
}

impl OpenCode {
    pub(super) fn new(place: Place, counts: Counts) -> Self {
        Self {
            place,
            counts,
            elements: [Object::Null; ELEMENTS],
            known: 0,
        }
    }

    /// Takes its next object.
    pub(super) fn put(&mut self, object: Object, dialect: Dialect) -> After {
        if let Some(slot) = self.elements.get_mut(self.known) {
            *slot = object;
        }
        self.known += 1;
        let all = ELEMENTS - usize::from(!dialect.has_locals_plus());
        match self.known {
            BEFORE_LINE => After::Line,
            known if known < all => After::Object,
            _ => After::Nothing,
        }
    }

    /// Can it be code, now that all of it is known?
    pub(super) fn check(&self, body: &[u8], dialect: Dialect) -> Found<()> {
        let counts = &self.counts;
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
        let locals = if dialect.has_locals_plus() {
            locals_of(&self.elements, body)
        } else {
            let sound = is_sound_of_old(&self.elements);
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
}

/// How many local variables a code object of 3.11 and newer has; `None` if it cannot be
/// (`_PyCode_Validate` in Objects/codeobject.c).
fn locals_of(elements: &[Object; ELEMENTS], body: &[u8]) -> Option<usize> {
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
    let kinds = body.get(start as usize..)?.get(..length as usize)?;
    sound.then(|| kinds.iter().filter(|&&kind| kind & LOCAL != 0).count())
}

/// Can this be a code object of 3.10 and older (`PyCode_NewWithPosOnlyArgs`)?
fn is_sound_of_old(elements: &[Object; ELEMENTS]) -> bool {
    let [
        code,
        constants,
        names,
        variables,
        free,
        cells,
        file,
        name,
        lines,
        _,
    ] = *elements;
    are_bytes(&[code, lines])
        && matches!(constants, Object::Tuple { .. })
        && [names, variables, free, cells]
            .iter()
            .all(|o| texts(*o).is_some())
        && [file, name].iter().all(|o| *o == Object::Text)
}

fn are_bytes(objects: &[Object]) -> bool {
    objects.iter().all(|o| matches!(o, Object::Bytes { .. }))
}

/// The length of a tuple that holds nothing but strings.
fn texts(object: Object) -> Option<u32> {
    match object {
        Object::Tuple {
            length,
            holds: Holds::Texts,
        } => Some(length),
        _ => None,
    }
}
