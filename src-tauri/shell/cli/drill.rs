//! `ratibactl drill`

use std::sync::Arc;

use ratiba_core::{model::counted, observe::moment, remedy::Refusal};
use serde_json::json;

use super::{
    Ended,
    args::DrillCommand,
    output::{Output, one_line, table},
};
use crate::api::{
    Console,
    drill::{self, Lab, LabStatus},
    failed, refused,
};

pub async fn run(command: DrillCommand, profile: Option<&str>, output: &Output) -> Ended {
    match command {
        DrillCommand::List => {
            let drills = drill::list(&lab(profile).await?)?;
            output.show(&json!({ "drills": drills }), |_| {
                let row = |d: &drill::DrillView| vec![format!("{}/{}", d.id, d.variant), one_line(&d.title)];
                table(&drills.iter().map(row).collect::<Vec<_>>())
            })?;
        }
        DrillCommand::Up => show(&lab_to_change(profile).await?.up().await?, output)?,
        DrillCommand::Status => show(&lab(profile).await?.status().await?, output)?,
        DrillCommand::Down => show(&lab_to_change(profile).await?.down().await?, output)?,
        DrillCommand::Inject { id } => {
            let (console, lab) = console_and_lab(profile, output).await?;
            output.progress(&format!("causing {id} …"));
            let injected = drill::inject(&console, &lab, &id).await?;
            output.show(&injected, |_| {
                let active = &injected.injected;
                format!(
                    "{}/{} is there since {}. `ratibactl drill heal` reverts it.",
                    active.id,
                    active.variant,
                    moment(active.since)
                )
            })?;
        }
        DrillCommand::ByHand { id } => {
            let (console, lab) = console_and_lab(profile, output).await?;
            drill::by_hand(&console, &lab, &id).await?;
            output.show(&json!({ "done": id }), |_| format!("{id}: done by hand"))?;
        }
        DrillCommand::Traffic { seconds } => {
            let (console, lab) = console_and_lab(profile, output).await?;
            let active = drill::traffic(&console, &lab, seconds).await?;
            output.show(&json!({ "injected": active }), |_| match seconds {
                0 => "nobody writes or calls any more. `ratibactl drill heal` reverts it.".into(),
                n => format!(
                    "each customer writes or calls every {}. `ratibactl drill heal` reverts it.",
                    counted(n as usize, "second")
                ),
            })?;
        }
        DrillCommand::World => {
            let (console, lab) = console_and_lab(profile, output).await?;
            let world = drill::world(&console, &lab).await?;
            output.show(&world, |_| {
                let unread = world
                    .unread
                    .iter()
                    .map(|(part, why)| vec![part.clone(), format!("can't be read: {why}")]);
                let there = world.there.iter().map(|(name, print)| vec![one_line(name), one_line(print)]);
                table(&there.chain(unread).collect::<Vec<_>>())
            })?;
        }
        DrillCommand::Heal => {
            let (console, lab) = console_and_lab(profile, output).await?;
            let healed = drill::heal(&console, &lab).await?;
            output.show(&json!({ "healed": healed }), |_| match healed.len() {
                0 => "no fault was active; all services are up".into(),
                n => format!("{} reverted; all services are up", counted(n, "fault")),
            })?;
        }
    }
    Ok(0)
}

/// The lab that the profile names; without one, that of `RATIBA_LAB_PROJECT`, of the only profile there
/// is, or the default one.
async fn lab(profile: Option<&str>) -> Result<Lab, ratiba_core::wire::WireError> {
    let named = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    if profile.is_none() && !named("RATIBA_PROFILE") && named("RATIBA_LAB_PROJECT") {
        return Lab::of_environment();
    }
    match crate::wiring::read_profile(profile) {
        Ok((read, _)) => match read.lab {
            Some(section) => Ok(Lab::of_profile(&section.dir, &read.compose.project, section.port_offset)),
            None if profile.is_some() => Err(not_a_lab(&read.name)),
            None => Lab::of_environment(),
        },
        // Who names a profile means no other lab.
        Err(error) if profile.is_some() || named("RATIBA_PROFILE") => Err(error),
        Err(_) => Lab::of_environment(),
    }
}

/// The same, where the profile lets it be changed.
async fn lab_to_change(profile: Option<&str>) -> Result<Lab, ratiba_core::wire::WireError> {
    let is_read_only = crate::wiring::read_profile(profile).is_ok_and(|(read, _)| read.read_only);
    if profile.is_some() && is_read_only {
        return Err(refused(&Refusal::ReadOnly));
    }
    lab(profile).await
}

async fn console_and_lab(
    profile: Option<&str>,
    output: &Output,
) -> Result<(Arc<Console>, Lab), ratiba_core::wire::WireError> {
    let console = super::open(profile, output).await?;
    let read = console.profile();
    if read.read_only {
        return Err(refused(&Refusal::ReadOnly));
    }
    // Faults are caused in a lab and nowhere else.
    if read.kind != ratiba_core::profile::ProfileKind::Lab {
        return Err(not_a_lab(&read.name));
    }
    let section = read.lab.as_ref().ok_or_else(|| not_a_lab(&read.name))?;
    let lab = Lab::of_profile(&section.dir, &read.compose.project, section.port_offset);
    Ok((console, lab))
}

fn not_a_lab(name: &str) -> ratiba_core::wire::WireError {
    failed(
        format!("practise on `{name}`: it is not a lab"),
        "Faults are only caused in a lab: bring one up with `ratibactl drill up` and use its profile.",
    )
}

fn show(status: &LabStatus, output: &Output) -> Result<(), ratiba_core::wire::WireError> {
    output.show(status, |_| {
        let mut text =
            format!("{}: {}\n", status.project, if status.running { "running" } else { "not running" });
        if let Some(profile) = &status.profile {
            text += &format!("profile {profile}\n");
        }
        // Where nothing runs, addresses would mislead.
        let endpoints = status.endpoints.as_object().filter(|_| status.running).into_iter().flatten();
        text += &table(
            &endpoints
                .map(|(n, at)| vec![n.clone(), one_line(at.as_str().unwrap_or_default())])
                .collect::<Vec<_>>(),
        );
        for one in &status.active {
            text += &format!("active: {}/{} since {}\n", one.id, one.variant, moment(one.since));
        }
        text
    })
}
