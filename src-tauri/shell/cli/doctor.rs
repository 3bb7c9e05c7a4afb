//! `ratibactl doctor`

use ratiba_core::model::Mark;

use super::{
    Ended,
    output::{Output, one_line, table},
};
use crate::api::{Check, CheckStatus, DoctorView};

pub async fn run(profile: Option<&str>, output: &Output) -> Ended {
    // A profile that can't be used is doctor's first finding, not a reason to say nothing.
    let view = match super::live(profile, "check the stack", output).await {
        Ok(console) => console.doctor().await,
        Err(error) => DoctorView { checks: vec![Check::fail("profile", error.message, error.hint)] },
    };
    let failed = view.checks.iter().filter(|c| c.status == CheckStatus::Fail).count();
    output.show(&view, |out| text(&view, out))?;
    let profile_failed = view.checks.iter().any(|c| c.name == "profile" && c.status == CheckStatus::Fail);
    Ok(match failed {
        0 => 0,
        _ if profile_failed => 2,
        _ => 3,
    })
}

fn text(view: &DoctorView, out: &Output) -> String {
    let mut rows = Vec::new();
    for check in &view.checks {
        let mark = match check.status {
            CheckStatus::Ok => out.mark(Mark::Ok, "ok"),
            CheckStatus::Warn => out.mark(Mark::Warn, "warn"),
            CheckStatus::Fail => out.mark(Mark::Crit, "fail"),
        };
        rows.push(vec![mark, check.name.clone(), one_line(&check.detail)]);
        if !check.hint.is_empty() {
            rows.push(vec![String::new(), String::new(), out.dim(&format!("-> {}", one_line(&check.hint)))]);
        }
    }
    table(&rows)
}
