//! Through the command line, as a user.

mod adhoc;
mod adhoc_readiness;
mod backings;
mod bundled;
mod bytecode;
mod counters;
mod damaged;
mod failures;
mod flags;
mod installed;
mod interpreters;
mod interruption;
mod noise;
mod overview;
mod page_cache;
mod places;
mod project;
mod quota;
mod readiness;
mod records;
mod servers;
mod states;
mod stopping;
mod suites;
mod units;
mod untouched;
