//! A database of its own in the lab's Postgres and a Redis database beside the lab's, so that what is staged there
//! is no fault of the lab.

use std::sync::atomic::{AtomicU32, Ordering};

use ratiba_testkit::lab;

use crate::ctl::{Ctl, set};

/// Redis has 16 databases, and the lab is in the first.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Tables under their default names, in the schema `{s}`.
const TABLES: &str = "CREATE SCHEMA {s};
CREATE TABLE {s}.payments (id uuid PRIMARY KEY, thread_id text, booking_id uuid, state text, amount_minor bigint, currency text,
    msisdn text, checkout_request_id text, merchant_request_id text, result_code int, result_desc text, receipt text,
    created_at timestamptz, updated_at timestamptz);
CREATE TABLE {s}.bookings (id uuid PRIMARY KEY, thread_id text, staff_id uuid, service_id uuid, starts_at timestamptz, state text);
CREATE TABLE {s}.checkpoints (thread_id text, checkpoint_ns text DEFAULT '', checkpoint_id text, checkpoint jsonb, metadata jsonb,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));";
const PUBLIC: &str = "CREATE TABLE public.tenants (slug text PRIMARY KEY, name text, vertical text, daraja_callback_url text,
    daraja_shortcode text, is_active bool, created_at timestamptz);
CREATE TABLE public.payment_routing (checkout_request_id text PRIMARY KEY, tenant_slug text, payment_id uuid, thread_id text, created_at timestamptz);
CREATE TABLE public.payment_callbacks_unrouted (id bigserial PRIMARY KEY, checkout_request_id text, payload jsonb, reason text, received_at timestamptz);";

/// The two databases; the one in Postgres and the keys in Redis are gone when the test ends.
pub struct Staged {
    database: String,
    redis: u32,
    keys: Vec<String>,
}

impl Staged {
    /// With these tenants, registered, each with its tables.
    pub fn new(name: &str, tenants: &[&str]) -> Self {
        let redis = 1 + NEXT.fetch_add(1, Ordering::SeqCst) % 15;
        let staged = Self { database: format!("clitest_{name}"), redis, keys: Vec::new() };
        lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", staged.database));
        lab::psql("ratiba", &format!("CREATE DATABASE {}", staged.database));
        staged.psql(PUBLIC);
        for tenant in tenants {
            staged.psql(&TABLES.replace("{s}", &format!("tenant_{tenant}")));
            staged.psql(&format!("INSERT INTO public.tenants VALUES ('{tenant}', 'The {tenant}', 'salon', 'https://a.ke/{tenant}', '174379', true, now())"));
        }
        staged
    }

    pub fn psql(&self, sql: &str) -> String {
        lab::psql(&self.database, sql)
    }

    /// Sets a thread's value.
    pub fn thread(&mut self, id: &str, value: &str) {
        let key = format!("ratiba:fsm:thread:{id}");
        lab::redis_eval(&format!(
            "redis.call('SELECT', {}) return redis.call('SET', '{key}', '{value}')",
            self.redis
        ));
        self.keys.push(key);
    }

    /// A profile of these databases.
    pub fn profile(&self, ctl: &Ctl) -> String {
        ctl.profile(|text| {
            let text = text.replacen("/ratiba\"\npassword", &format!("/{}\"\npassword", self.database), 1);
            let url = text.lines().find_map(|line| line.strip_prefix("url = \"redis://")).unwrap().to_owned();
            let at = url.trim_end_matches("/0\"");
            set(&text, "redis", "url", &format!("url = \"redis://{at}/{}\"", self.redis))
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for key in &self.keys {
            lab::redis_eval(&format!(
                "redis.call('SELECT', {}) return redis.call('DEL', '{key}')",
                self.redis
            ));
        }
        lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database));
    }
}
