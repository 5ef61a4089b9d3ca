//! Address space layout randomisation, off for launches whose instructions are counted: where an
//! object lies decides its hash, and with it how often a lookup has to look again.

use nix::sys::personality::{self, Persona};

/// Programs that this thread starts lie at the same addresses each time, until it is dropped
/// (personality(2), `ADDR_NO_RANDOMIZE`, which fork and exec hand on).
#[derive(Debug)]
pub struct FixedLayout {
    before: Option<Persona>,
}

impl FixedLayout {
    /// Sets it. Where that is forbidden, as it is in some containers, programs stay where chance puts
    /// them: counts then vary more, which their spread shows.
    pub fn set() -> Self {
        let before = personality::get().ok();
        let before = before.filter(|before| {
            let fixed = *before | Persona::ADDR_NO_RANDOMIZE;
            !before.contains(Persona::ADDR_NO_RANDOMIZE) && personality::set(fixed).is_ok()
        });
        Self { before }
    }
}

impl Drop for FixedLayout {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // It was allowed a moment ago.
            let _ = personality::set(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_set_where_it_may_be_and_undone() {
        let before = personality::get().unwrap();
        let wanted = before | Persona::ADDR_NO_RANDOMIZE;
        let may_be = personality::set(wanted).is_ok();
        if may_be {
            personality::set(before).unwrap();
        }
        let fixed = FixedLayout::set();
        let during = personality::get().unwrap();
        drop(fixed);
        assert_eq!(personality::get().unwrap(), before);
        assert_eq!(during, if may_be { wanted } else { before });
    }
}
