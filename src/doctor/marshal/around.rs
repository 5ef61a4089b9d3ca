//! Objects within objects: each that is complete goes into the one around it.

use super::code::After;
use super::object::{Hashing, Holds, Object, Open, Place, Whole};
use super::walk::Walk;
use super::{Fault, Found};

/// What becomes of an object that is complete.
pub(super) enum Put {
    /// The one around it is complete with it.
    Completes(Object),
    /// More is to come into the one around it.
    Within,
    /// There is none around it.
    Outermost,
}

impl Walk<'_> {
    /// Puts an object into the one around it.
    pub(super) fn put(&mut self, object: Object) -> Found<Put> {
        let Some(around) = self.room.open.last_mut() else {
            return Ok(Put::Outermost);
        };
        if object == Object::Null && !matches!(around, Open::Pairs { .. }) {
            return Err(Fault::Nonsense);
        }
        let complete = match around {
            Open::Tuple {
                place,
                length,
                left,
                holds,
            } => {
                *holds = (*holds).min(Holds::of(object));
                *left -= 1;
                if *left > 0 {
                    return Ok(Put::Within);
                }
                let (length, holds) = (*length, *holds);
                let place = *place;
                self.fill(place, Object::Tuple { length, holds })
            }
            Open::List { left } => {
                *left -= 1;
                if *left > 0 {
                    return Ok(Put::Within);
                }
                Object::UNHASHABLE
            }
            Open::Set { left, whole } => {
                if !object.is_hashable() {
                    return Err(Fault::Nonsense);
                }
                *left -= 1;
                if *left > 0 {
                    return Ok(Put::Within);
                }
                let whole = *whole;
                self.complete(whole, Hashing::Possible)
            }
            Open::Slice {
                place,
                left,
                hashing,
            } => {
                *hashing = (*hashing).min(Hashing::of(object));
                *left -= 1;
                if *left > 0 {
                    return Ok(Put::Within);
                }
                let (place, hashing) = (*place, *hashing);
                self.fill(place, Object::Other(hashing))
            }
            Open::Pairs {
                key,
                hashing,
                whole,
            } => {
                // A key without its value ends the dictionary, too.
                if object != Object::Null {
                    match key.take() {
                        None => *key = Some(object),
                        Some(known) if !known.is_hashable() => return Err(Fault::Nonsense),
                        Some(_) => *hashing = (*hashing).min(Hashing::of(object)),
                    }
                    return Ok(Put::Within);
                }
                let (whole, hashing) = (*whole, *hashing);
                self.complete(whole, hashing)
            }
            Open::Code => match self.put_into_code(object)? {
                Some(complete) => complete,
                None => return Ok(Put::Within),
            },
        };
        self.room.open.pop();
        Ok(Put::Completes(complete))
    }

    fn put_into_code(&mut self, object: Object) -> Found<Option<Object>> {
        // Each that is open has one.
        let code = self.room.codes.last_mut().ok_or(Fault::Nonsense)?;
        match code.put(object, self.dialect) {
            After::Object => Ok(None),
            After::Line => {
                self.int()?;
                Ok(None)
            }
            After::Nothing => {
                code.check(self.body, self.dialect)?;
                let place = code.place;
                self.room.codes.pop();
                Ok(Some(self.fill(place, Object::Code)))
            }
        }
    }

    pub(super) fn complete(&mut self, whole: Whole, hashing: Hashing) -> Object {
        match whole {
            Whole::Changeable => Object::UNHASHABLE,
            Whole::Frozen(place) => self.fill(place, Object::Other(hashing)),
        }
    }

    /// Puts an object into the place that was kept for it.
    fn fill(&mut self, place: Place, object: Object) -> Object {
        if let Some(place) = place
            && let Some(slot) = self.room.references.get_mut(place as usize)
        {
            *slot = object;
        }
        object
    }
}
