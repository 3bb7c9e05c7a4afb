//! A drill's file: `tests/drills/<playbook>.toml`.

use std::collections::BTreeMap;

use ratiba_core::{
    model::{Subject, VerdictKind},
    remedy::RunOutcome,
};
use serde::Deserialize;

use super::{act::Act, visible::Visible};

/// All ways in which one row's fault can be caused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillFile {
    /// The playbook that must find it.
    pub id: String,
    /// Services without which the row can't be judged: while one is down, it must be unknown.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Drills of other rows, as `id/variant`, during which this row is rightly present or suspected too.
    #[serde(default)]
    pub also_in: Vec<String>,
    /// The ways; the first is the default.
    pub variant: Vec<Drill>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// What it does, in words.
    pub title: String,
    /// What the file's own playbook must say. `absent`: it must find nothing.
    #[serde(default = "present")]
    pub verdict: VerdictKind,
    /// Whom the first finding must name: each field given must be equal; none given: it names nobody.
    #[serde(default)]
    pub subject: Subject,
    /// What the first finding's reason must say. Needed unless the verdict is `absent`.
    pub says: Option<String>,
    /// Texts that the first finding's evidence must hold, each in one item written as `what: value`.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Playbooks that must be ranked, in this order; default: the file's own.
    pub expects: Option<Vec<String>>,
    /// Playbooks that may be present or suspected besides.
    #[serde(default)]
    pub also_allowed: Vec<String>,
    /// Playbooks that must be unknown.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Causes it.
    pub inject: Vec<Act>,
    /// How it is known to be there: all of these.
    #[serde(deserialize_with = "one_or_more")]
    pub visible: Vec<Visible>,
    /// Parameters of the plan.
    #[serde(default)]
    pub params: BTreeMap<String, toml::Value>,
    /// The plan must be refused, with this in the sentence.
    pub refused: Option<String>,
    /// What a person would do meanwhile, where the plan has a step for one.
    #[serde(default)]
    pub by_hand: Vec<Act>,
    /// How the run must end.
    #[serde(default = "fixed")]
    pub ends: RunOutcome,
    /// What the run may change beside the subject's container, as names of the lab's world; `*` stands
    /// for anything.
    #[serde(default)]
    pub may_change: Vec<String>,
    /// Whether the run can be taken back: then it is, and all must be as before it.
    #[serde(default)]
    pub undo: bool,
    /// What a second plan says, if that is another thing than that the fault is not there.
    pub then: Option<String>,
    /// What moves by itself while the fault lasts, as names of the lab's world.
    #[serde(default)]
    pub restless: Vec<String>,
    /// What taking back leaves as the run made it, since a step of it has no undo: names as in `may_change`.
    #[serde(default)]
    pub stays: Vec<String>,
    /// Reverts what `heal` does not by itself; must also do when the console has repaired it.
    #[serde(default)]
    pub heal: Vec<Act>,
}

fn present() -> VerdictKind {
    VerdictKind::Present
}

fn fixed() -> RunOutcome {
    RunOutcome::Fixed
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Visible>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Several(Vec<toml::Value>),
        One(toml::Value),
    }
    let given = match Given::deserialize(deserializer)? {
        Given::Several(several) => several,
        Given::One(one) => vec![one],
    };
    given.into_iter().map(|value| value.try_into().map_err(serde::de::Error::custom)).collect()
}

impl DrillFile {
    /// Reads one. What makes no sense is refused here, not in the middle of a drill.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
        if file.variant.is_empty() {
            return Err(format!("{} has no variant", file.id));
        }
        for drill in &file.variant {
            drill.check().map_err(|why| format!("{}/{}: {why}", file.id, drill.name))?;
        }
        Ok(file)
    }
}

impl Drill {
    /// Playbooks that must be ranked first, in this order, in a drill of `id`.
    pub fn expected_order(&self, id: &str) -> Vec<String> {
        let own = if self.verdict == VerdictKind::Absent { Vec::new() } else { vec![id.to_owned()] };
        self.expects.clone().unwrap_or(own)
    }

    /// What of it is still to be written, in words; empty: nothing.
    pub fn unwritten(&self) -> Vec<&str> {
        let acts =
            [&self.inject, &self.by_hand, &self.heal].into_iter().flatten().filter_map(|act| match act {
                Act::Unwritten(what) => Some(what.as_str()),
                _ => None,
            });
        let seen = self.visible.iter().filter_map(|visible| match visible {
            Visible::Unwritten(what) => Some(what.as_str()),
            _ => None,
        });
        acts.chain(seen).collect()
    }

    fn check(&self) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err("its name may only have lower-case letters, digits and -".into());
        }
        if self.visible.is_empty() {
            return Err("a drill must prove that its fault is there: `visible` is empty".into());
        }
        match self.verdict {
            VerdictKind::Unknown => {
                return Err(
                    "`verdict` is present, suspected or absent; rows that must be unknown go into `unknown`"
                        .into(),
                );
            }
            VerdictKind::Absent => {
                let plans = self.refused.is_some() || self.undo || !self.by_hand.is_empty();
                if plans || !self.params.is_empty() || !self.may_change.is_empty() {
                    return Err("what must be absent is not planned: no `params`, `refused`, `by_hand`, `may_change`, `undo`".into());
                }
            }
            VerdictKind::Present | VerdictKind::Suspected => {
                if self.says.as_ref().is_none_or(|says| says.is_empty()) {
                    return Err("`says` is missing: part of the first finding's reason".into());
                }
            }
        }
        if !self.stays.is_empty() && !self.undo {
            return Err("`stays` is about an undo, and `undo` is not set".into());
        }
        if self.refused.is_some() && (self.undo || !self.may_change.is_empty()) {
            return Err("a refused plan changes nothing: no `undo`, no `may_change`".into());
        }
        Ok(())
    }
}
