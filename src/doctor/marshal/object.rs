//! What must be known of objects while a body is read.

/// What must be known of an object that was read, to tell whether it can stand where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// No object: the end of a dictionary.
    Null,
    /// A place that was kept for an object that is not complete.
    Reserved,
    Text,
    Bytes {
        start: usize,
        length: usize,
    },
    Tuple {
        length: usize,
        holds: Holds,
    },
    Code,
    Other(Hashing),
}

/// Can it be a key, or lie in a set? The worst of several counts, which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hashing {
    Impossible,
    Possible,
}

impl Hashing {
    pub(super) fn of(object: Object) -> Self {
        if object.is_hashable() {
            Self::Possible
        } else {
            Self::Impossible
        }
    }
}

/// What the elements of a tuple are. The worst of several counts, which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    Anything,
    Hashable,
    Texts,
}

impl Holds {
    pub(super) fn of(object: Object) -> Self {
        match object {
            Object::Text => Self::Texts,
            _ if object.is_hashable() => Self::Hashable,
            _ => Self::Anything,
        }
    }
}

impl Open {
    pub(super) fn pairs(whole: Whole) -> Self {
        Self::Pairs {
            key: None,
            hashing: Hashing::Possible,
            whole,
        }
    }
}

impl Object {
    pub(super) const PLAIN: Self = Self::Other(Hashing::Possible);
    pub(super) const UNHASHABLE: Self = Self::Other(Hashing::Impossible);

    pub(super) fn is_hashable(self) -> bool {
        match self {
            Self::Null | Self::Reserved | Self::Other(Hashing::Impossible) => false,
            Self::Tuple { holds, .. } => holds != Holds::Anything,
            Self::Text | Self::Bytes { .. } | Self::Code | Self::Other(Hashing::Possible) => true,
        }
    }
}

/// The number that was kept for an object, if it can be referred to.
pub(super) type Place = Option<usize>;

/// An object some of whose elements are still to come.
#[derive(Debug)]
pub(super) enum Open {
    Tuple {
        place: Place,
        length: usize,
        left: usize,
        holds: Holds,
    },
    List {
        left: usize,
    },
    Set {
        left: usize,
        whole: Whole,
    },
    Pairs {
        key: Option<Object>,
        hashing: Hashing,
        whole: Whole,
    },
    Slice {
        place: Place,
        left: usize,
        hashing: Hashing,
    },
    Code(Box<OpenCode>),
}

/// What a set or a dictionary is once it is complete.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole {
    Changeable,
    Frozen(Place),
}

#[derive(Debug)]
pub(super) struct OpenCode {
    pub(super) place: Place,
    pub(super) counts: Counts,
    pub(super) elements: [Object; ELEMENTS],
    pub(super) known: usize,
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

/// The objects in a code object of 3.11 and newer; before, there is one less.
pub(super) const ELEMENTS: usize = 10;
/// So many come before the number of the first line.
pub(super) const BEFORE_LINE: usize = 8;

/// Can this be a code object of 3.10 and older (`PyCode_NewWithPosOnlyArgs`)?
pub(super) fn is_sound_of_old(elements: &[Object; ELEMENTS]) -> bool {
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

pub(super) fn are_bytes(objects: &[Object]) -> bool {
    objects.iter().all(|o| matches!(o, Object::Bytes { .. }))
}

/// The length of a tuple that holds nothing but strings.
pub(super) fn texts(object: Object) -> Option<usize> {
    match object {
        Object::Tuple {
            length,
            holds: Holds::Texts,
        } => Some(length),
        _ => None,
    }
}
