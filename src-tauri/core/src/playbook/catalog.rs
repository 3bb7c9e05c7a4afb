//! All playbooks, compiled once. One that can't be used is still listed, with why.

use std::{collections::BTreeMap, sync::Arc};

use rhai::{AST, Dynamic};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    about::{About, Recheck},
    answers::{LiveChoices, ScriptFinding, ScriptVerification, Verification},
    engine::{Call, CallContext, ScriptError},
    head::{self, PlaybookSection},
    host::Libs,
    limits::{RUNNING, SCRIPT_BYTES, bare_engine},
    param::{ParamView, Severity},
    step::Step,
    trust::Trust,
};
use crate::{
    model::{Finding, Row, VerdictKind, counted},
    remedy::hex,
};

/// A script's text, and its file name without folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// Such as `01-service-unhealthy.rhai`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A script whose file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadScript {
    /// Its file's name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Whether a playbook with this SHA-256 may run, or why that can't be told.
pub type Judge<'a> = &'a dyn Fn(&str) -> Result<Trust, String>;

/// A playbook.
pub struct Playbook {
    /// The file's name without `.rhai`.
    pub id: String,
    /// What it says about itself; made up from the file's name where it can't say.
    pub about: About,
    /// Its head comment.
    pub sections: Vec<PlaybookSection>,
    /// SHA-256 of its text and of the shared scripts it may import, in lower-case hex.
    pub sha256: String,
    /// Why it can't be used.
    pub error: Option<ScriptError>,
    /// Whether it may run at all.
    pub trust: Trust,
    /// Its file's name.
    pub file: String,
    ast: AST,
    libs: Libs,
}

/// All playbooks, by row.
pub struct Catalog {
    playbooks: Vec<Arc<Playbook>>,
    scripts: Vec<ScriptFile>,
    shared: Vec<ScriptFile>,
    unread: Vec<UnreadScript>,
}

impl Catalog {
    /// Compiles `scripts`, which may import `libs`. A playbook that does not compile, or whose
    /// head or `about()` is not as it must be, is kept with its error; it can't be run.
    pub fn load(scripts: Vec<ScriptFile>, shared: Vec<ScriptFile>) -> Self {
        Self::judged(scripts, shared, &|_| Trust::Shipped)
    }

    /// The same; `trust` says by a playbook's SHA-256 whether it may run. Of one that may not,
    /// nothing is run or even compiled: all that is known of it is its file's name and sum.
    pub fn judged(scripts: Vec<ScriptFile>, shared: Vec<ScriptFile>, trust: &dyn Fn(&str) -> Trust) -> Self {
        Self::judged_by(scripts, shared, Vec::new(), &|sum| Ok(trust(sum)))
    }

    /// The same, with scripts that are there and can't be read, each a playbook that can't be used.
    pub fn judged_by(
        scripts: Vec<ScriptFile>,
        shared: Vec<ScriptFile>,
        unread: Vec<UnreadScript>,
        judge: Judge<'_>,
    ) -> Self {
        let libs = Libs::compile(&shared);
        let mut playbooks: Vec<_> =
            scripts.iter().map(|file| Arc::new(Playbook::load(file, &shared, &libs, judge))).collect();
        playbooks.extend(unread.iter().map(|file| Arc::new(Playbook::unread(file))));
        playbooks.sort_by(|a, b| (&a.about.row, &a.id).cmp(&(&b.about.row, &b.id)));
        Self { playbooks, scripts, shared, unread }
    }

    /// The same catalogue, in which a playbook that was not trusted is.
    pub fn trusting(&self, sha256: &str) -> Self {
        let known = |sum: &str| {
            let same = self.playbooks.iter().find(|p| p.sha256 == sum);
            same.map_or(Trust::Untrusted, |p| p.trust)
        };
        let judge = |sum: &str| Ok(if sum == sha256 { Trust::Trusted } else { known(sum) });
        Self::judged_by(self.scripts.clone(), self.shared.clone(), self.unread.clone(), &judge)
    }

    /// The same catalogue with one more script, which is compiled.
    pub fn with(&self, script: ScriptFile) -> Self {
        let scripts = self.scripts.iter().cloned().chain([script]).collect();
        Self::judged_by(scripts, self.shared.clone(), self.unread.clone(), &|_| Ok(Trust::Trusted))
    }

    /// All, by row.
    pub fn all(&self) -> &[Arc<Playbook>] {
        &self.playbooks
    }

    /// The one with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Playbook>> {
        self.playbooks.iter().find(|p| p.id == id)
    }

    /// The same by what its id begins with, as lists show it: `5`, `05` or `e5`.
    pub fn by_number(&self, number: &str) -> Option<&Arc<Playbook>> {
        let begins = |id: &str| {
            id.split_once('-').is_some_and(|(n, _)| {
                n == number || (!number.is_empty() && n.trim_start_matches('0') == number)
            })
        };
        self.playbooks.iter().find(|p| begins(&p.id))
    }

    /// The id that was probably meant.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        self.playbooks
            .iter()
            .map(|p| (strsim::jaro_winkler(&p.id, id), p.id.as_str()))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(score, _)| *score > 0.7)
            .map(|(_, id)| id)
    }
}

impl Playbook {
    fn load(
        file: &ScriptFile,
        libs: &[ScriptFile],
        loaded: &Result<Libs, ScriptError>,
        judge: Judge<'_>,
    ) -> Self {
        let id = file.name.trim_end_matches(".rhai").to_owned();
        let mut hasher = Sha256::new();
        for part in std::iter::once(file).chain(libs) {
            hasher.update((part.name.len() as u64).to_le_bytes());
            hasher.update(part.name.as_bytes());
            hasher.update((part.text.len() as u64).to_le_bytes());
            hasher.update(part.text.as_bytes());
        }
        let sha256 = hex(&hasher.finalize());
        let (trust, unread) = match judge(&sha256) {
            Ok(trust) => (trust, None),
            Err(why) => (Trust::Untrusted, Some(why)),
        };
        let may_run = trust != Trust::Untrusted;
        let mut playbook = Self {
            about: about_from_id(&id),
            id,
            sections: if may_run { head::sections(&file.text) } else { Vec::new() },
            sha256,
            error: None,
            trust,
            file: file.name.clone(),
            ast: AST::empty(),
            libs: Libs::default(),
        };
        playbook.error = match unread {
            Some(why) => Some(ScriptError::trust_unread(&file.name, &why)),
            None if may_run => playbook.prepare(file, loaded).err(),
            None => Some(ScriptError::untrusted(&file.name, &playbook.sha256)),
        };
        playbook
    }

    /// There is no text to trust, and nothing to run.
    fn unread(file: &UnreadScript) -> Self {
        let id = file.name.trim_end_matches(".rhai").to_owned();
        Self {
            about: about_from_id(&id),
            id,
            sections: Vec::new(),
            sha256: String::new(),
            error: Some(ScriptError::invalid(&file.name, format!("it can't be read: {}", file.why))),
            trust: Trust::Trusted,
            file: file.name.clone(),
            ast: AST::empty(),
            libs: Libs::default(),
        }
    }

    fn prepare(&mut self, file: &ScriptFile, libs: &Result<Libs, ScriptError>) -> Result<(), ScriptError> {
        self.libs = libs.clone()?;
        if file.text.len() > SCRIPT_BYTES {
            let what = format!("it is longer than {} KiB", SCRIPT_BYTES >> 10);
            return Err(ScriptError::invalid(&self.file, what));
        }
        self.ast =
            bare_engine(&RUNNING).compile(&file.text).map_err(|e| ScriptError::from_parse(&self.file, &e))?;
        let about: About = self.call().run_bare("about")?;
        let row = row_of(&self.id);
        if row.as_ref().is_some_and(|row| *row != about.row) {
            let what = format!("about() says row {}, but its file name says otherwise", about.row);
            return Err(ScriptError::invalid(&self.file, what));
        }
        self.about = about;
        for (function, args) in [("detect", 1), ("plan", 3)] {
            if !self.has(function, args) {
                let what = format!("it has no function {function} with {}", counted(args, "parameter"));
                return Err(ScriptError::invalid(&self.file, what));
            }
        }
        match head::complaint(&self.sections) {
            Some(complaint) => Err(ScriptError::invalid(&self.file, complaint)),
            None => Ok(()),
        }
    }

    fn call(&self) -> Call<'_> {
        Call { file: &self.file, ast: &self.ast, libs: &self.libs }
    }

    fn has(&self, function: &str, args: usize) -> bool {
        self.ast.iter_functions().any(|f| f.name == function && f.params.len() == args)
    }

    fn usable(&self) -> Result<(), ScriptError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Looks for the fault: at least one finding.
    pub fn detect(&self, context: &CallContext) -> Result<Vec<Finding>, ScriptError> {
        self.usable()?;
        let found: Vec<ScriptFinding> = self.call().run(context, "detect", (env(context),))?;
        if found.is_empty() {
            return Err(ScriptError::failed(
                &self.file,
                "detect() answered no finding, not even an absent one",
            ));
        }
        found.into_iter().map(|finding| self.checked(finding, context)).collect()
    }

    fn checked(&self, finding: ScriptFinding, context: &CallContext) -> Result<Finding, ScriptError> {
        if !(0.0..=1.0).contains(&finding.confidence) {
            return Err(ScriptError::failed(&self.file, "detect() gave a confidence outside 0 to 1"));
        }
        if finding.evidence.is_empty() && finding.verdict != VerdictKind::Unknown {
            return Err(ScriptError::failed(&self.file, "detect() gave a verdict without evidence"));
        }
        if finding.reason.is_none() && finding.verdict != VerdictKind::Absent {
            return Err(ScriptError::failed(&self.file, "detect() gave a finding without a reason"));
        }
        Ok(finding.taken(context.known.as_ref()))
    }

    /// The parameters that are asked for at this finding, as the script declares them.
    pub fn asked(&self, finding: &Finding) -> Vec<ParamView> {
        self.about.params.iter().filter(|param| param.is_asked(&finding.data)).cloned().collect()
    }

    /// The same, with the live system's choices.
    pub fn choices(&self, context: &CallContext, finding: &Finding) -> Result<Vec<ParamView>, ScriptError> {
        self.usable()?;
        let mut params = self.asked(finding);
        if self.has("choices", 2) {
            let live: BTreeMap<String, LiveChoices> =
                self.call().run(context, "choices", (env(context), shown(finding)))?;
            for (name, answer) in live {
                let Some(param) = params.iter_mut().find(|p| p.name == name) else {
                    if self.about.params.iter().any(|p| p.name == name) {
                        continue;
                    }
                    let what = format!("choices() names a parameter `{name}` that about() does not have");
                    return Err(ScriptError::failed(&self.file, what));
                };
                param.choices = answer.choices;
                param.why_empty = answer.why_empty.or(param.why_empty.take());
                if answer.default.is_some() {
                    param.default = answer.default;
                }
            }
        }
        Ok(params)
    }

    /// The steps that would repair this finding.
    pub fn plan(
        &self,
        context: &CallContext,
        finding: &Finding,
        params: &BTreeMap<String, Value>,
    ) -> Result<Vec<Step>, ScriptError> {
        self.usable()?;
        let params = to_dynamic(&serde_json::json!(params));
        self.call().run(context, "plan", (env(context), shown(finding), params))
    }

    /// The script's own verification; `None`: it has none, and the default holds.
    pub fn verify(
        &self,
        context: &CallContext,
        finding: &Finding,
    ) -> Result<Option<Verification>, ScriptError> {
        self.usable()?;
        if !self.has("verify", 2) {
            return Ok(None);
        }
        let said: ScriptVerification = self.call().run(context, "verify", (env(context), shown(finding)))?;
        Ok(Some(said.taken(context.known.as_ref())))
    }
}

fn env(context: &CallContext) -> Dynamic {
    let env = &context.env;
    to_dynamic(&serde_json::json!({
        "now": env.now,
        "project": env.project,
        "thresholds": env.thresholds,
        "iso_weekdays": env.schema.iso_weekdays,
        "names": env.names,
    }))
}

fn shown(finding: &Finding) -> Dynamic {
    to_dynamic(&serde_json::json!({
        "verdict": finding.verdict,
        "subject": finding.subject,
        "data": finding.data,
    }))
}

fn to_dynamic(value: &Value) -> Dynamic {
    rhai::serde::to_dynamic(value).unwrap_or(Dynamic::UNIT)
}

/// The row a file name claims: `07-…` is row 7, `e2-…` extra e2.
fn row_of(id: &str) -> Option<Row> {
    let (first, _) = id.split_once('-')?;
    match first.parse::<u32>() {
        Ok(number) => Some(Row::Number(number)),
        Err(_) => first.strip_prefix('e')?.parse::<u32>().ok().map(|_| Row::Extra(first.to_owned())),
    }
}

fn about_from_id(id: &str) -> About {
    About {
        row: row_of(id).unwrap_or_else(|| Row::Extra(id.to_owned())),
        title: id.to_owned(),
        symptom: String::new(),
        severity: Severity::Minor,
        params: Vec::new(),
        recheck: Recheck::default(),
    }
}
