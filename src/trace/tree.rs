//! Spans, nested: what was part of what, and how long each took without its parts.

use std::cmp::Reverse;
use std::time::Duration;

use super::parse::{Kind, Thread};

/// A span in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    /// Whose it is; empty of the hook's own.
    pub module: String,
    pub begin: Duration,
    pub end: Duration,
    /// The place in the list of what it is a part of, which stands before it.
    pub parent: Option<usize>,
    /// Its time without its parts'.
    pub own: Duration,
    /// Lines of source, of a compilation.
    pub lines: u64,
}

impl Node {
    /// From its begin to its end.
    pub fn time(&self) -> Duration {
        self.end.saturating_sub(self.begin)
    }
}

struct Raw<'a> {
    kind: Kind,
    name: &'a str,
    begin: Duration,
    end: Duration,
    lines: u64,
    /// What was written later is around what was written before.
    written: usize,
}

/// What happened in a thread from one moment to another, in the order in which it began. Spans that
/// stick out are cut.
///
/// An import system that is entered by one thread at a time nests by itself. Where it does not
/// (greenlets that take turns inside of one import), what overlaps its neighbour is cut at the end of
/// what it began in, so that no moment counts twice.
pub fn nest(thread: &Thread, from: Duration, to: Duration) -> Vec<Node> {
    let ended = thread.spans.iter().enumerate().map(|(written, span)| Raw {
        kind: span.kind,
        name: &span.name,
        begin: span.begin,
        end: span.end,
        lines: span.lines,
        written,
    });
    let open = thread.open.iter().rev().zip(thread.spans.len()..);
    let open = open.map(|((begin, name), written)| Raw {
        kind: Kind::Execute,
        name,
        begin: *begin,
        end: to,
        lines: 0,
        written,
    });
    let mut raw: Vec<Raw<'_>> = ended
        .chain(open)
        .filter(|span| span.begin <= to && span.end >= from)
        .map(|span| Raw {
            begin: span.begin.max(from),
            end: span.end.min(to),
            ..span
        })
        .collect();
    raw.sort_by_key(|span| (span.begin, Reverse(span.end), Reverse(span.written)));

    let mut nodes: Vec<Node> = Vec::with_capacity(raw.len());
    let mut around: Vec<usize> = Vec::new();
    let mut last_named = String::new();
    for span in raw {
        while around
            .last()
            .is_some_and(|&outer| nodes[outer].end <= span.begin)
        {
            around.pop();
        }
        let parent = around.last().copied();
        let end = parent.map_or(span.end, |outer| span.end.min(nodes[outer].end));
        let module = match (span.kind, span.name, parent) {
            (Kind::Tracer, ..) => String::new(),
            (_, "", Some(outer)) => nodes[outer].module.clone(),
            (_, "", None) => last_named.clone(),
            (_, name, _) => name.to_owned(),
        };
        if parent.is_none() && span.kind != Kind::Tracer {
            last_named.clone_from(&module);
        }
        let time = end.saturating_sub(span.begin);
        if let Some(outer) = parent {
            nodes[outer].own = nodes[outer].own.saturating_sub(time);
        }
        around.push(nodes.len());
        nodes.push(Node {
            kind: span.kind,
            module,
            begin: span.begin,
            end,
            parent,
            own: time,
            lines: span.lines,
        });
    }
    nodes
}

/// A stretch of a node's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Its place in the list.
    pub node: usize,
    pub begin: Duration,
    pub end: Duration,
}

/// When each node was not in one of its parts, in order of time.
pub fn slices(nodes: &[Node]) -> Vec<Slice> {
    let mut done: Vec<Duration> = nodes.iter().map(|node| node.begin).collect();
    let mut slices = Vec::new();
    let mut add = |node, begin, end| {
        if begin < end {
            slices.push(Slice { node, begin, end });
        }
    };
    for node in nodes {
        if let Some(outer) = node.parent {
            add(outer, done[outer], node.begin);
            done[outer] = node.end;
        }
    }
    for (index, node) in nodes.iter().enumerate() {
        add(index, done[index], node.end);
    }
    slices.sort_by_key(|slice| (slice.begin, slice.node));
    slices
}

/// The time that is inside of any of the nodes.
pub fn covered(nodes: &[Node]) -> Duration {
    nodes
        .iter()
        .filter(|node| node.parent.is_none())
        .map(Node::time)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse::Span;
    use super::*;

    fn at(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    fn span(kind: Kind, begin: u64, end: u64, name: &str) -> Span {
        Span {
            kind,
            begin: at(begin),
            end: at(end),
            name: name.to_owned(),
            lines: 0,
        }
    }

    /// A package, and a module that it imports.
    fn thread() -> Thread {
        Thread {
            spans: vec![
                span(Kind::Find, 10, 20, "a"),
                span(Kind::Find, 40, 45, "a.b"),
                span(Kind::Execute, 45, 60, "a.b"),
                span(Kind::Import, 40, 60, "a.b"),
                span(Kind::Tracer, 60, 62, ""),
                span(Kind::Execute, 30, 90, "a"),
                span(Kind::Import, 10, 90, "a"),
            ],
            open: Vec::new(),
        }
    }

    fn own(nodes: &[Node]) -> Vec<(Kind, &str, u128)> {
        nodes
            .iter()
            .map(|node| (node.kind, node.module.as_str(), node.own.as_nanos()))
            .collect()
    }

    #[test]
    fn each_span_keeps_what_its_parts_leave() {
        let nodes = nest(&thread(), at(0), at(100));
        assert_eq!(
            own(&nodes),
            [
                (Kind::Import, "a", 10),
                (Kind::Find, "a", 10),
                (Kind::Execute, "a", 38),
                (Kind::Import, "a.b", 0),
                (Kind::Find, "a.b", 5),
                (Kind::Execute, "a.b", 15),
                (Kind::Tracer, "", 2),
            ]
        );
        assert_eq!(covered(&nodes), at(80));
    }

    #[test]
    fn slices_are_what_is_a_nodes_own() {
        let nodes = nest(&thread(), at(0), at(100));
        let slices = slices(&nodes);
        assert!(slices.windows(2).all(|pair| pair[0].end <= pair[1].begin));
        for (index, node) in nodes.iter().enumerate() {
            let own = slices.iter().filter(|slice| slice.node == index);
            let own: Duration = own.map(|slice| slice.end - slice.begin).sum();
            assert_eq!(own, node.own, "{node:?}");
        }
    }

    #[test]
    fn what_sticks_out_of_the_window_is_cut() {
        let nodes = nest(&thread(), at(50), at(61));
        assert_eq!(
            own(&nodes),
            [
                (Kind::Import, "a", 0),
                (Kind::Execute, "a", 0),
                (Kind::Import, "a.b", 0),
                (Kind::Execute, "a.b", 10),
                (Kind::Tracer, "", 1),
            ]
        );
    }

    #[test]
    fn what_never_ended_lasts_until_the_end() {
        let thread = Thread {
            spans: vec![span(Kind::Import, 40, 60, "b")],
            open: vec![(at(10), "outer".into()), (at(20), "inner".into())],
        };
        assert_eq!(
            own(&nest(&thread, at(0), at(100))),
            [
                (Kind::Execute, "outer", 10),
                (Kind::Execute, "inner", 60),
                (Kind::Import, "b", 20),
            ]
        );
    }

    #[test]
    fn a_span_without_a_name_is_of_what_is_around_it_or_was_before_it() {
        let thread = Thread {
            spans: vec![
                span(Kind::Read, 0, 1, "main"),
                span(Kind::Write, 1, 2, ""),
                span(Kind::Dlopen, 5, 6, ""),
                span(Kind::Import, 4, 7, "_c"),
            ],
            open: Vec::new(),
        };
        assert_eq!(
            own(&nest(&thread, at(0), at(9))),
            [
                (Kind::Read, "main", 1),
                (Kind::Write, "main", 1),
                (Kind::Import, "_c", 2),
                (Kind::Dlopen, "_c", 1),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_moment_counts_twice(spans in prop::collection::vec((0u64..60, 0u64..40, 0usize..2), 0..25), open in 0u64..80) {
            let spans = spans.into_iter().map(|(begin, time, kind)| {
                span([Kind::Import, Kind::Execute][kind], begin, begin + time, "m")
            });
            let thread = Thread { spans: spans.collect(), open: vec![(at(open), "o".into())] };
            let nodes = nest(&thread, at(10), at(70));
            let own: Duration = nodes.iter().map(|node| node.own).sum();
            prop_assert_eq!(own, covered(&nodes));
            prop_assert!(own <= at(60));
            for (index, node) in nodes.iter().enumerate() {
                prop_assert!(node.begin <= node.end);
                if let Some(outer) = node.parent {
                    prop_assert!(outer < index);
                    prop_assert!(nodes[outer].begin <= node.begin && node.end <= nodes[outer].end);
                }
            }
        }
    }
}
