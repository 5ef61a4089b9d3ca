//! What must be known of objects while a body is read. Lengths and places are of four bytes, as they
//! are in the format: much of what is done is to copy this.

/// What must be known of an object that was read, to tell whether it can stand where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// No object: the end of a dictionary.
    Null,
    /// A place that was kept for an object that is not complete.
    Reserved,
    Text,
    Bytes {
        start: u32,
        length: u32,
    },
    Tuple {
        length: u32,
        holds: Holds,
    },
    Code,
    Other(Hashing),
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

/// The number that was kept for an object, if it can be referred to.
pub(super) type Place = Option<u32>;

/// An object some of whose elements are still to come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Open {
    Tuple {
        place: Place,
        length: u32,
        left: u32,
        holds: Holds,
    },
    List {
        left: u32,
    },
    Set {
        left: u32,
        whole: Whole,
    },
    Pairs {
        key: Option<Object>,
        hashing: Hashing,
        whole: Whole,
    },
    Slice {
        place: Place,
        left: u32,
        hashing: Hashing,
    },
    /// What is known of it is kept apart.
    Code,
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

/// What a set or a dictionary is once it is complete.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole {
    Changeable,
    Frozen(Place),
}
