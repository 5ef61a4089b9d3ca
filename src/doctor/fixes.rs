//! What helps against a cause, with the lines to do it, and what looks as if it did and does not.

use super::causes::{Cause, Finding, Lack};
use super::remedies::{Advisor, Fix, Works, fails, word, works};
use super::rights::user_name;
use super::subject::Subject;
use super::writing::Obstacle;

/// What helps against what was found.
pub fn fixes(subject: &Subject, finding: &Finding) -> Vec<Fix> {
    let advisor = Advisor { subject, finding };
    match &finding.cause {
        Cause::Missing { lack, obstacle } => {
            let mut fixes = advisor.against_lack(lack);
            // Whoever deletes the file need not be the app.
            if let Some(obstacle) = obstacle
                && *lack != Lack::Corrupt
            {
                let more = advisor.against_obstacle(obstacle, lack);
                for fix in more {
                    if !fixes.iter().any(|known| known.what == fix.what) {
                        fixes.push(fix);
                    }
                }
            }
            // What works comes first.
            fixes.sort_by_key(|fix| fix.works == Works::No);
            fixes
        }
        Cause::PrefixInMemory { .. } => advisor.against_memory(),
        Cause::PrefixGrows => advisor.against_growth(),
    }
}

impl Advisor<'_> {
    fn against_lack(&self, lack: &Lack) -> Vec<Fix> {
        match lack {
            Lack::Corrupt => {
                let file = self.pyc();
                vec![
                    works("delete the damaged file").line(format!(
                        "{}rm {}",
                        self.sudo(),
                        word(&file)
                    )),
                    fails(
                        "start it again",
                        "each start reads the same bytes, and fails",
                    ),
                ]
            }
            Lack::Unreadable => vec![
                works("let everybody read what is there")
                    .line(self.chmod())
                    .because("and set umask 022 (in a unit: UMask=0022) where it is made"),
                fails(
                    "compile again without -f",
                    "compileall finds the bytecode up to date, and leaves it with its mode",
                ),
            ],
            Lack::NeverCompiled(part) => vec![self.compile_at_build(*part)],
            Lack::Upgraded => {
                vec![self.compile(&[]).because(
                    "each time that the interpreter is upgraded: in the hook of the upgrade",
                )]
            }
            Lack::Level => vec![self.compile(&[])],
            Lack::Mtime | Lack::Size | Lack::Hash => {
                let options = ["--invalidation-mode", "unchecked-hash"];
                let mut fixes = vec![self.compile(&options).because(
                    "such bytecode is taken whatever the source's time: compile again whenever the \
                     source changes",
                )];
                if *lack == Lack::Mtime {
                    fixes.push(fails(
                        "compile before the times are set",
                        "bytecode keeps the time that the source had then",
                    ));
                }
                fixes
            }
            Lack::AppImage => vec![
                works("ship the bytecode in the image, and set no prefix")
                    .line("python3 -m compileall -q --invalidation-mode unchecked-hash AppDir"),
                fails(
                    "a prefix on a persistent folder",
                    "what is written there is never looked for again, and the folder grows with each \
                     start",
                ),
            ],
            Lack::Absent | Lack::Flags => Vec::new(),
        }
    }

    fn against_obstacle(&self, obstacle: &Obstacle, lack: &Lack) -> Vec<Fix> {
        let mut fixes = Vec::new();
        let compiles = !matches!(
            lack,
            Lack::Unreadable
                | Lack::NeverCompiled(_)
                | Lack::Upgraded
                | Lack::Level
                | Lack::Mtime
                | Lack::Size
                | Lack::Hash
                | Lack::AppImage
        );
        match obstacle {
            Obstacle::DontWrite { by } => {
                if compiles {
                    fixes.push(
                        self.compile(&[])
                            .because("compileall writes in spite of it"),
                    );
                }
                fixes.push(self.allow_writing(by));
                fixes.push(fails(
                    "a prefix (PYTHONPYCACHEPREFIX)",
                    format!("under {by} nothing is written there either"),
                ));
            }
            Obstacle::Sandbox { by } => {
                if self.subject.prefix.is_some() {
                    fixes.extend(self.lasting_prefix(lack));
                    fixes.push(self.vain_chown(format!("{by}: read-only whoever owns it")));
                    return fixes;
                }
                if compiles {
                    fixes.push(self.compile(&[]).because(
                        "outside of the service, as whoever installs it: its sandbox holds for the \
                         service alone",
                    ));
                }
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(self.vain_chown(format!(
                    "{by} makes it read-only for the service, whoever owns it"
                )));
            }
            Obstacle::ReadOnlyMount { point, .. } => {
                if compiles {
                    fixes.push(self.compile(&[]));
                }
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(self.vain_chown(format!(
                    "{} is read-only whoever owns what is on it",
                    point.display()
                )));
            }
            Obstacle::Denied { owner, .. } => {
                if compiles && self.subject.prefix.is_none() {
                    fixes.push(self.compile(&[]).because(format!(
                        "as {}, who owns the folder, and at each deployment",
                        user_name(*owner)
                    )));
                }
                fixes.extend(self.lasting_prefix(lack));
                if !matches!(lack, Lack::AppImage) {
                    fixes.extend(self.chown());
                }
            }
            Obstacle::NoFolder => {
                fixes.push(works("remove what stands where the folder would be"));
            }
            Obstacle::Full { point } => {
                fixes.push(works("make room").line(format!("df -h {0} && df -i {0}", word(point))));
                fixes.push(fails(
                    "start it again",
                    "each start compiles, and finds no room to write",
                ));
            }
            Obstacle::Emptied { .. } => {
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(fails(
                    "compile beside the sources alone",
                    "a prefix hides every __pycache__; take the prefix back, too, and it works",
                ));
            }
        }
        fixes
    }

    fn against_memory(&self) -> Vec<Fix> {
        let mut fixes = Vec::from_iter(self.lasting_prefix(&Lack::Absent));
        fixes.push(fails(
            "compile beside the sources alone",
            "a prefix hides every __pycache__; take the prefix back, too, and it works",
        ));
        fixes
    }

    fn against_growth(&self) -> Vec<Fix> {
        let mut fixes = Vec::new();
        if let Some(prefix) = &self.subject.prefix {
            fixes.push(
                works("empty it once; the next start fills it again").line(format!(
                    "{}rm -r {}",
                    self.sudo(),
                    word(&prefix.path)
                )),
            );
            if prefix.by.starts_with("PYTHONPYCACHEPREFIX") {
                fixes.push(
                    works("set it for the app alone, by a flag that is not handed down").line(
                        format!("python3 -X pycache_prefix={} …", word(&prefix.path)),
                    ),
                );
            }
        }
        fixes
    }
}
