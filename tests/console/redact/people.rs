//! People: one name for one number in whatever spelling, nothing of what they said, and a thread that can
//! still be followed.

use ratiba_core::bundle::redact::{Content, Pseudonyms};

use super::{by_rules, cleaned, cleaned_with, search::is_in};

#[test]
fn one_person_has_one_name_in_every_spelling_and_every_file() {
    let redactor = by_rules();
    let mut names = Pseudonyms::default();
    let mut clean = |text: &str| cleaned_with(&redactor, Content::Text, text, &mut names);
    assert_eq!(clean("call 0712 345 678 or +254 733 000 111"), "call ‹phone-1› or ‹phone-2›");
    assert_eq!(clean("msisdn=254712345678 712345678 0712-345-678"), "msisdn=‹phone-1› ‹phone-1› ‹phone-1›");
    assert_eq!(
        clean("{\"id\":\"ws_CO_23112026140107273712345678\",\"PhoneNumber\":254712345678}"),
        "{\"id\":\"ws_CO_23112026140107273‹payer-1›\",\"PhoneNumber\":\"‹phone-1›\"}"
    );
    assert_eq!(clean("ws_CO_23112026140107273733000111"), "ws_CO_23112026140107273‹payer-2›");
    assert_eq!(clean("sip:+254712345678@sip.example.com"), "sip:‹phone-1›@sip.example.com");
    assert_eq!(
        clean("wamid.HBgMMjU0NzEyMzQ1Njc4FQIAEhg= again wamid.HBgMMjU0NzEyMzQ1Njc4FQIAEhg="),
        "wamid.‹message-1› again wamid.‹message-1›"
    );
    assert_eq!(clean("Wanjiku.K@example.co.ke, wanjiku.k@example.co.ke"), "‹email-1›, ‹email-1›");
    let kept = serde_json::to_string(&names).unwrap();
    let loaded: Pseudonyms = serde_json::from_str(&kept).unwrap();
    assert_eq!(loaded, names);
    assert_eq!(
        names.iter().map(|one| format!("{}={}", one.name, one.original)).take(2).collect::<Vec<_>>(),
        ["‹phone-1›=254712345678", "‹phone-2›=254733000111"]
    );
    let mut other = Pseudonyms::default();
    assert_eq!(
        cleaned_with(&redactor, Content::Text, "254733000111", &mut other),
        "‹phone-1›",
        "another bundle, other names"
    );
}

#[test]
fn a_receipt_is_one_where_a_name_or_words_of_mpesa_say_so() {
    let redactor = by_rules();
    for (text, shown) in [
        (
            "{\"Name\":\"MpesaReceiptNumber\",\"Value\":\"NLJ7RT61SV\"}",
            "{\"Name\":\"MpesaReceiptNumber\",\"Value\":\"‹receipt-1›\"}",
        ),
        ("mpesa_receipt=NLJ7RT61SV", "mpesa_receipt=‹receipt-1›"),
        ("NLJ7RT61SV Confirmed. M-Pesa", "‹receipt-1› Confirmed. M-Pesa"),
        ("build NLJ7RT61SV done", "build NLJ7RT61SV done"),
        (
            "M-PESA TIMEDOUTXY is no receipt, 2026112406 none",
            "M-PESA TIMEDOUTXY is no receipt, 2026112406 none",
        ),
    ] {
        assert_eq!(cleaned(&redactor, Content::Text, text), shown);
    }
    let mut names = Pseudonyms::default();
    cleaned_with(&redactor, Content::Text, "receipt: NLJ7RT61SV", &mut names);
    let shown = cleaned_with(&redactor, Content::Text, "build NLJ7RT61SV done", &mut names);
    assert_eq!(shown, "build ‹receipt-1› done", "what has a name is found wherever it stands");
}

#[test]
fn what_people_say_and_are_called_is_left_out_and_what_happened_is_not() {
    let redactor = by_rules();
    let esc = "\x1b[36mtext\x1b[0m=\x1b[35m'I am Wanjiku'\x1b[0m";
    for text in [
        r#"{"text": "I am Wanjiku", "event": "webhook.whatsapp message", "level": "info"}"#.to_owned(),
        r#"{"messages":[{"text":{"body":"I am Wanjiku"},"type":"text"}],"contacts":[{"profile":{"name":"I am Wanjiku"}}]}"#.into(),
        r#"{"payload":"{\"text\":{\"body\":\"I am Wanjiku\"}}","event":"x"}"#.into(),
        r#"{"message": "I am Wanjiku", "event": "said", "level": "info"}"#.into(),
        format!("2026-11-24T06:00:00Z [info     ] webhook.whatsapp message {esc} tenant=amani"),
        "2026-11-24T06:00:00Z [info     ] voice.turn transcript='I am Wanjiku' caller_name=\"I am Wanjiku\"".into(),
        "{'event': 'x', 'utterance': 'I am Wanjiku'}".into(),
        r#"[{"channel_values": {"messages": [{"content": "I am Wanjiku", "role": "user"}]}}]"#.into(),
    ] {
        let out = cleaned(&redactor, Content::Text, &text);
        assert!(!is_in(&out, "Wanjiku") && out.contains("‹12 characters›"), "{out}");
    }
    for text in [
        r#"{"event": "webhook.whatsapp message", "logger": "whatsapp", "level": "info", "error": "I am not a person"}"#,
        r#"{"severity": "ERROR", "message": "relation \"payments\" does not exist"}"#,
        "ERROR: message: relation does not exist",
        r#"{"errorCode": "500.002.1001", "errorMessage": "Request cancelled by user"}"#,
    ] {
        assert_eq!(cleaned(&redactor, Content::Text, text), text);
    }
}

#[test]
fn variables_of_a_traceback_are_dropped_and_the_traceback_stays() {
    let redactor = by_rules();
    let frame = r#"{"filename":"/app/stk.py","lineno":7,"name":"push","locals":{"customer":"Wanjiku","n":{"a":[1]}}}"#;
    let text = format!(
        r#"{{"exception":[{{"exc_type":"E","exc_value":"boom","frames":[{frame}],"exceptions":[{{"frames":[{frame}]}}]}}],"event":"failed"}}"#
    );
    let shown = r#"{"filename":"/app/stk.py","lineno":7,"name":"push","locals":"‹locals left out›"}"#;
    let out = cleaned(&redactor, Content::Json, &text);
    assert_eq!(out, text.replace(frame, shown));
    assert_eq!(cleaned(&redactor, Content::Json, &out), out);
    let cut = &text[..text.find("Wanjiku").unwrap() + 7];
    let out = cleaned(&redactor, Content::Text, &format!("{cut}\nnext line"));
    assert!(!out.contains("Wanjiku") && out.ends_with("\nnext line"), "{out}");
    let open = r#"{"locals": {"a": "kept, since it is no frame's"}}"#;
    assert_eq!(cleaned(&redactor, Content::Json, open), open);
}

#[test]
fn columns_tell_what_their_cells_are() {
    let redactor = by_rules();
    let text = "id,msisdn,text,receipt,amount\n1,0712345678,\"hello, you\",NLJ7RT61SV,150000\n2,+254 712 345 678,,QGH7RT61SV,5\n";
    assert_eq!(
        cleaned(&redactor, Content::Csv, text),
        "id,msisdn,text,receipt,amount\n1,‹phone-1›,\"‹10 characters›\",‹receipt-1›,150000\n2,‹phone-1›,,‹receipt-2›,5\n"
    );
}
