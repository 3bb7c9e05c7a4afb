//! Embeds the front end and its permissions, only where the window is built.

fn main() {
    // Playbooks are part of the binary: it must be built again when one changes.
    println!("cargo:rerun-if-changed=playbooks");
    #[cfg(feature = "desktop")]
    {
        let attributes =
            tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*.json");
        if let Err(error) = tauri_build::try_build(attributes) {
            println!("cargo:warning={error:#}");
            std::process::exit(1);
        }
    }
}
