//! Names the drills that there are, and embeds the front end and its permissions where the window is
//! built.

use std::{env, fs, path::Path, process::exit};

fn main() {
    // Playbooks are part of the binary: it must be built again when one changes.
    println!("cargo:rerun-if-changed=playbooks");
    if let Err(error) = name_drills() {
        println!("cargo:warning=the drills in tests/drills: {error}");
        exit(1);
    }
    #[cfg(feature = "desktop")]
    {
        let attributes =
            tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*.json");
        if let Err(error) = tauri_build::try_build(attributes) {
            println!("cargo:warning={error:#}");
            exit(1);
        }
    }
}

/// `drills.json`: `{id, variant, title}` of each drill. A row is proven when all of these are, and not
/// only those that somebody ran.
fn name_drills() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=tests/drills");
    let mut paths: Vec<_> = fs::read_dir("tests/drills")?.collect::<Result<_, _>>()?;
    paths.sort_by_key(fs::DirEntry::path);
    let mut drills = Vec::new();
    for path in paths.iter().map(fs::DirEntry::path) {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let file: toml::Table = fs::read_to_string(&path)?.parse().map_err(|e| wrong(&format!("{e}")))?;
        let text = |table: &toml::Table, key: &str| {
            table.get(key).and_then(|value| value.as_str()).map(str::to_owned)
        };
        let id = text(&file, "id").ok_or_else(|| wrong("it has no id"))?;
        for variant in file.get("variant").and_then(|v| v.as_array()).into_iter().flatten() {
            let table = variant.as_table().ok_or_else(|| wrong("a variant is no table"))?;
            let name = text(table, "name").ok_or_else(|| wrong("a variant has no name"))?;
            let title = text(table, "title").unwrap_or_else(|| name.clone());
            drills.push(serde_json::json!({ "id": id, "variant": name, "title": title }));
        }
    }
    let out = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(Path::new(&out).join("drills.json"), serde_json::to_string(&drills)?)?;
    Ok(())
}
