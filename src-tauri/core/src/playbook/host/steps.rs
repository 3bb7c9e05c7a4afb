//! `step::…`: makers of steps. They only build data; a plan is what becomes of it.

use rhai::{Dynamic, ImmutableString, Map, Module};

fn map<const N: usize>(entries: [(&str, Dynamic); N]) -> Map {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn service_up(service: ImmutableString) -> Dynamic {
    map([("service_up", map([("service", service.into())]).into())]).into()
}

pub(super) fn module() -> Module {
    let mut module = Module::new();
    // step::compose("restart", "redis", "who will notice")
    module.set_native_fn(
        "compose",
        |verb: ImmutableString, service: ImmutableString, blast_radius: ImmutableString| {
            let action = map([(verb.as_str(), map([("service", service.into())]).into())]);
            Ok(map([
                ("kind", "compose".into()),
                ("action", action.into()),
                ("blast_radius", blast_radius.into()),
            ]))
        },
    );
    // step::sql(#{ title, tenant, guards, sql, params, expect_rows, undo, blast_radius })
    module.set_native_fn("sql", |mut step: Map| {
        step.insert("kind".into(), "sql".into());
        Ok(step)
    });
    // step::wait_until_up("redis", 60)
    module.set_native_fn("wait_until_up", |service: ImmutableString, within_s: i64| {
        Ok(map([
            ("kind", "wait_until".into()),
            ("title", format!("Wait until {service} is up").into()),
            ("until", service_up(service)),
            ("within_s", within_s.into()),
        ]))
    });
    // step::manual_until_port_free("Free port 5434", ["…"], 5434, 600)
    module.set_native_fn(
        "manual_until_port_free",
        |title: ImmutableString, instructions: rhai::Array, port: i64, within_s: i64| {
            let done = map([("port_free", map([("port", port.into())]).into())]);
            Ok(map([
                ("kind", "manual".into()),
                ("title", title.into()),
                ("instructions", instructions.into()),
                ("done", done.into()),
                ("within_s", within_s.into()),
            ]))
        },
    );
    module
}
