//! LiveKit's API with an access token, and Daraja's query.

use super::playbook::Kernel;

#[test]
fn a_room_is_made_with_a_token_and_taken_back_while_it_is_empty() {
    let kernel = Kernel::with(
        r##"[step::http(#{ title: "Make the room",
            request: #{ livekit: #{ service: "RoomService", method: "CreateRoom",
                grants: #{ video: #{ roomCreate: true } }, body: #{ name: "kernel-room" } } },
            has: #{ name: "kernel-room" },
            undo: #{ title: "Delete the room",
                request: #{ livekit: #{ service: "RoomService", method: "DeleteRoom",
                    grants: #{ video: #{ roomCreate: true } }, body: #{ room: "{answer:/name}" } } },
                look: #{ what: "the room is empty",
                    request: #{ livekit: #{ service: "RoomService", method: "ListRooms",
                        grants: #{ video: #{ roomList: true } }, body: #{ names: ["{answer:/name}"] } } },
                    has: #{ rooms: [#{ name: "{answer:/name}", num_participants: 0 }] } } },
            blast_radius: "Nobody" })]"##,
    );
    let plan = kernel.plan(&[]);
    let preview = plan.step(1)["preview"].as_str().unwrap();
    assert!(preview.contains("/twirp/livekit.RoomService/CreateRoom"), "{preview}");
    assert!(!plan.view.to_string().contains("Bearer"), "a token is made for the call and kept nowhere");
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    kernel.undone(&run);
    // Without the room there is nothing to take back again.
    kernel.fails(&["undo", &run, "--yes"], 4, &["taken back"]);
}

#[test]
fn a_look_that_is_no_look_is_refused_when_the_plan_is_made() {
    let kernel = Kernel::with(
        r##"[step::http(#{ title: "Delete",
            request: #{ livekit: #{ service: "RoomService", method: "ListRooms", grants: #{}, body: #{} } },
            guards: [#{ what: "gone", has: (),
                request: #{ livekit: #{ service: "RoomService", method: "DeleteRoom", grants: #{}, body: #{} } } }],
            blast_radius: "" })]"##,
    );
    kernel.fails(&["plan", "90-kernel"], 3, &["not one that only looks"]);
}

#[test]
fn a_push_is_queried_with_the_profiles_keys() {
    let kernel = Kernel::with(
        r#"[step::http(#{ title: "Ask Daraja", only_looks: true, ok_statuses: [200, 500, 400],
            request: #{ stk_query: #{ checkout_request_id: "ws_CO_251120260900001230712345678" } } })]"#,
    );
    let plan = kernel.plan(&[]);
    assert_eq!(plan.step(1)["risk"], "read");
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    let done = events.iter().find(|e| e["event"] == "step_done").unwrap();
    assert!(done["detail"].as_str().unwrap().starts_with("answered "), "{events:#?}");
    let said = kernel.run(events.last().unwrap()["run"].as_str().unwrap()).to_string();
    assert!(said.contains("errorCode") || said.contains("ResultCode"), "Daraja itself answered: {said}");
    assert!(!said.contains("Wrong credentials") && !said.contains("Invalid Access Token"), "{said}");
}

#[test]
fn an_answer_without_what_it_must_have_ends_the_run_and_says_what_that_means() {
    let kernel = Kernel::with(
        r#"[step::http(#{ title: "Ask Daraja", only_looks: true, ok_statuses: [200, 500, 400],
            has: #{ ResultCode: "no such code" }, otherwise: "It may have been paid",
            request: #{ stk_query: #{ checkout_request_id: "ws_CO_251120260900001230712345678" } } })]"#,
    );
    let events = kernel.apply_with(&kernel.plan(&[]), 1, |_, _| {});
    let failed = events.iter().find(|e| e["event"] == "step_failed").unwrap();
    let why = failed.to_string();
    assert!(
        why.contains("It may have been paid. It answered ") && why.contains("no such code"),
        "{events:#?}"
    );
}
