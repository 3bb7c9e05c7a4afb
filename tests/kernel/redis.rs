//! Compare-and-set in Redis, on the lab's.

use ratiba_testkit::lab::redis_eval as eval;

use super::playbook::Kernel;

fn step(key: &str, field: &str, value: &str) -> String {
    format!(r#"[step::redis(#{{ title: "Set it", key: "{key}", {field} {value} }})]"#)
}

#[test]
fn a_string_is_set_keeps_its_time_to_live_and_is_put_back() {
    eval("redis.call('SET', 'kernel:a', 'old', 'PX', '600000')");
    let kernel = Kernel::with(&step("kernel:a", "", "value: \"new\""));
    let plan = kernel.plan(&[]);
    assert_eq!((&plan.step(1)["before"], &plan.step(1)["after"]), (&"old".into(), &"new".into()));
    assert_eq!(plan.step(1)["risk"], "reversible");
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert_eq!(eval("return redis.call('GET', 'kernel:a')"), "new");
    let ttl: i64 = eval("return redis.call('PTTL', 'kernel:a')").parse().unwrap();
    assert!((1..=600_000).contains(&ttl), "{ttl}");
    let undo = kernel.undone(&run);
    assert_eq!(eval("return redis.call('GET', 'kernel:a')"), "old");
    assert!(eval("return redis.call('PTTL', 'kernel:a')").parse::<i64>().unwrap() > 0);
    // And an undo can be taken back.
    kernel.undone(&undo);
    assert_eq!(eval("return redis.call('GET', 'kernel:a')"), "new");
    eval("redis.call('DEL', 'kernel:a')");
}

#[test]
fn a_field_of_a_hash_is_set_and_removed_again_where_there_was_none() {
    eval("redis.call('HSET', 'kernel:h', 'other', '1')");
    let kernel = Kernel::with(&step("kernel:h", "field: \"f\",", "value: \"it's \\\"quoted\\\" ✓\""));
    let run = kernel.repaired(&[]);
    assert_eq!(eval("return redis.call('HGET', 'kernel:h', 'f')"), "it's \"quoted\" ✓");
    kernel.undone(&run);
    assert_eq!(eval("return redis.call('HKEYS', 'kernel:h')"), "other");
    eval("redis.call('DEL', 'kernel:h')");
}

#[test]
fn a_value_that_moved_since_the_plan_is_left_alone_and_named() {
    eval("redis.call('SET', 'kernel:m', 'old')");
    let kernel = Kernel::with(&step("kernel:m", "", "value: \"new\""));
    let plan = kernel.plan(&[]);
    eval("redis.call('SET', 'kernel:m', 'somebody')");
    let done = kernel.apply(&plan, 4);
    assert_eq!((&done["outcome"], &done["run"]), (&"refused".into(), &"".into()));
    let change = &done["changes"][0];
    assert_eq!((&change["what"], &change["field"]), (&"kernel:m".into(), &"value".into()), "{done:#}");
    assert_eq!((&change["planned"], &change["now"]), (&"old".into(), &"somebody".into()), "{done:#}");
    assert_eq!(eval("return redis.call('GET', 'kernel:m')"), "somebody");
    eval("redis.call('DEL', 'kernel:m')");
}

#[test]
fn an_undo_takes_nothing_newer_away() {
    eval("redis.call('SET', 'kernel:u', 'old')");
    let kernel = Kernel::with(&step("kernel:u", "", "value: \"new\""));
    let run = kernel.repaired(&[]);
    eval("redis.call('SET', 'kernel:u', 'newer')");
    kernel.fails(&["undo", &run, "--yes"], 4, &["kernel:u", "newer"]);
    assert_eq!(eval("return redis.call('GET', 'kernel:u')"), "newer");
    eval("redis.call('DEL', 'kernel:u')");
}

#[test]
fn a_key_of_another_type_is_no_plan() {
    eval("redis.call('DEL', 'kernel:l') redis.call('LPUSH', 'kernel:l', '1')");
    let kernel = Kernel::with(&step("kernel:l", "", "value: \"new\""));
    kernel.plan_fails(&["kernel:l is a list in Redis, not a string"]);
    eval("redis.call('DEL', 'kernel:l')");
}
