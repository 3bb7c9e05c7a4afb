//! A blank window of the same toolkit: what the memory of the console's window is compared with.

use tauri::{WebviewUrl, WebviewWindowBuilder, http::Response};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tauri::Builder::default()
        // A page of its own: `about:blank` starts no web process at all.
        .register_uri_scheme_protocol("blank", |_, _| {
            Response::new(b"<!doctype html><title>blank</title>".to_vec())
        })
        .setup(|app| {
            let blank = WebviewUrl::CustomProtocol("blank://localhost/".parse()?);
            WebviewWindowBuilder::new(app, "main", blank).inner_size(1280.0, 800.0).build()?;
            Ok(())
        })
        .run(tauri::generate_context!())?;
    Ok(())
}
