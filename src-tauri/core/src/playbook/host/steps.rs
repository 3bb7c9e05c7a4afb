//! `step::…`: makers of steps. They only build data; a plan is what becomes of it. What a map must
//! have is said by the step's type, and a wrong one names the field.

use rhai::{Array, Dynamic, ImmutableString, Map, Module};

use super::{Probed, refused};

fn map<const N: usize>(entries: [(&str, Dynamic); N]) -> Map {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn service_up(service: ImmutableString) -> Dynamic {
    map([("service_up", map([("service", service.into())]).into())]).into()
}

fn of_kind(kind: &str, mut step: Map) -> Probed {
    step.insert("kind".into(), kind.into());
    Ok(step.into())
}

fn command(place: &str, mut step: Map) -> Probed {
    step.insert("place".into(), place.into());
    of_kind("command", step)
}

/// `said`: what a person is told.
fn until_port_free(title: ImmutableString, said: Map, port: i64, within_s: i64) -> Map {
    let done = map([("port_free", map([("port", port.into())]).into())]);
    let mut step = map([("title", title.into()), ("done", done.into()), ("within_s", within_s.into())]);
    step.extend(said);
    step
}

pub(super) fn module() -> Module {
    let mut module = Module::new();
    // step::compose("restart", "redis", "who will notice")
    module.set_native_fn(
        "compose",
        |verb: ImmutableString, service: ImmutableString, blast_radius: ImmutableString| {
            let action = map([(verb.as_str(), map([("service", service.into())]).into())]);
            of_kind("compose", map([("action", action.into()), ("blast_radius", blast_radius.into())]))
        },
    );
    // step::down("who will notice")
    module.set_native_fn("down", |blast_radius: ImmutableString| {
        let action = map([("down", Map::new().into())]);
        of_kind("project", map([("action", action.into()), ("blast_radius", blast_radius.into())]))
    });
    // step::up_all(["postgres", "redis"], "who will notice")
    module.set_native_fn("up_all", |services: Array, blast_radius: ImmutableString| {
        let action = map([("up", map([("services", services.into())]).into())]);
        of_kind("project", map([("action", action.into()), ("blast_radius", blast_radius.into())]))
    });
    // step::exec(#{ title, service, argv, within_s, … }): in the service's running container
    module.set_native_fn("exec", |step: Map| command("exec", step));
    // step::run(#{ title, service, argv, within_s, … }): in a container of its own
    module.set_native_fn("run", |step: Map| command("run", step));
    module.set_native_fn("patch", |step: Map| {
        match ["reverse", "modes", "contents", "in_place"].iter().find(|k| step.contains_key(**k)) {
            Some(key) => Err(refused(format!("step::patch takes no `{key}`: that is for an undo"))),
            None => of_kind("patch", step),
        }
    });
    for kind in ["sql", "redis", "dotenv", "http", "backup", "wait_until", "manual"] {
        // step::sql(#{ title, … })
        module.set_native_fn(kind, move |step: Map| of_kind(kind, step));
    }
    // step::returned(1, "id"): a column of the rows that step 1 returns, as an array
    module.set_native_fn("returned", |step: i64, column: ImmutableString| {
        Ok(map([("of_step", step.into()), ("column", column.into())]))
    });
    // step::wait_until_up("redis", 60)
    module.set_native_fn("wait_until_up", |service: ImmutableString, within_s: i64| {
        let title = format!("Wait until {service} is up").into();
        let step = [("title", title), ("condition", service_up(service)), ("within_s", within_s.into())];
        of_kind("wait_until", map(step))
    });
    // step::manual_until_port_free("Free port 5434", ["…"], 5434, 600)
    module.set_native_fn(
        "manual_until_port_free",
        |title: ImmutableString, instructions: Array, port: i64, within_s: i64| {
            let said = map([("instructions", instructions.into())]);
            of_kind("manual", until_port_free(title, said, port, within_s))
        },
    );
    // step::manual_until_port_free("Free port 5434", #{ facts, instructions }, 5434, 600)
    module.set_native_fn(
        "manual_until_port_free",
        |title: ImmutableString, said: Map, port: i64, within_s: i64| {
            of_kind("manual", until_port_free(title, said, port, within_s))
        },
    );
    module
}
