//! Passwords of the lab, which its adapters need and its profile only refers to.

use std::path::Path;

use ratiba_adapters::dotenv;
use ratiba_core::profile::{Profile, SecretRef};

/// A password from the checkout's `.env`.
pub fn secret(profile: &Profile, secret: Option<&SecretRef>) -> String {
    let Some(SecretRef::Dotenv(name)) = secret else { panic!("the lab's passwords are in its .env") };
    let dotenv = Path::new(profile.repo.path.as_ref().unwrap()).join(".env");
    dotenv::read(&dotenv, name).unwrap().unwrap()
}
