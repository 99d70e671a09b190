//! The Durable Object of an account, and the Worker's side of it. It keeps the rows of
//! [`account`], and decides nothing.
//!
//! SQL, because it answers at once: between the first look of a question and its last write nothing
//! is awaited, so no other request can come in between.

use super::log::runtime_error;
use super::{now_ms, outgoing, read_config};
use crate::config::Config;
use crate::http::problem::Problem;
use crate::policy::account::{self, Ask, Rows, RowsFailed};
use crate::policy::gate::Policy;
use worker::wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Headers, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    durable_object,
};

/// Binding of the namespace, class [`AccountLedger`].
const ACCOUNT: &str = "ACCOUNT";

/// Asks the account's object; `ask` is the text of an [`Ask`].
pub(super) async fn ask(
    env: &Env,
    config: &Config,
    ask: String,
) -> std::result::Result<String, Problem> {
    let exchange = async {
        let stub = env
            .durable_object(ACCOUNT)?
            .get_by_name(&config.twilio_account_sid)?;
        let request = outgoing::request("https://account/", &Headers::new(), Some(&ask))?;
        let mut response = stub.fetch_with_request(request).await?;
        Ok((response.status_code(), response.text().await?))
    };
    match exchange.await.map_err(runtime_error("account"))? {
        (200, answer) => Ok(answer),
        _ => Err(Problem::internal()),
    }
}

/// The Durable Object.
#[durable_object(fetch)]
pub struct AccountLedger {
    rows: SqlStorage,
    policy: Option<Policy>,
}

impl DurableObject for AccountLedger {
    fn new(state: State, env: Env) -> Self {
        Self {
            rows: state.storage().sql(),
            policy: read_config(&env).ok().map(|config| config.gate),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let ask = Ask::parse(&request.text().await?);
        let (Some(policy), Some(ask)) = (&self.policy, ask) else {
            return Response::error("", 503);
        };
        match account::handle(&mut Sql::open(&self.rows)?, policy, now_ms(), ask) {
            Ok(answer) => Response::ok(answer),
            Err(error) => Err(worker::Error::RustError(error.to_string())),
        }
    }
}

/// The rows as a table. Times are stored as JavaScript numbers.
struct Sql<'a>(&'a SqlStorage);

impl<'a> Sql<'a> {
    fn open(sql: &'a SqlStorage) -> Result<Self> {
        let table = "CREATE TABLE IF NOT EXISTS rows \
            (name TEXT PRIMARY KEY, text TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID; \
            CREATE INDEX IF NOT EXISTS ends ON rows (until)";
        sql.exec_raw(table, None)?;
        Ok(Self(sql))
    }

    /// The texts of the answer, row by row.
    fn run(
        &self,
        query: &str,
        values: Vec<JsValue>,
    ) -> std::result::Result<Vec<String>, RowsFailed> {
        let cursor = self.0.exec_raw(query, values).map_err(|_| RowsFailed)?;
        let mut texts = Vec::new();
        for row in cursor.raw() {
            for value in row.map_err(|_| RowsFailed)? {
                if let SqlStorageValue::String(text) = value {
                    texts.push(text);
                }
            }
        }
        Ok(texts)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times are far below 2^53, or mean never"
)]
fn number(ms: u64) -> JsValue {
    JsValue::from_f64(ms as f64)
}

impl Rows for Sql<'_> {
    fn get(&self, name: &str) -> std::result::Result<Option<String>, RowsFailed> {
        let query = "SELECT text FROM rows WHERE name = ?";
        Ok(self.run(query, vec![name.into()])?.pop())
    }

    fn put(&mut self, name: &str, text: &str, until: u64) -> std::result::Result<(), RowsFailed> {
        let query = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)";
        self.run(query, vec![name.into(), text.into(), number(until)])
            .map(drop)
    }

    fn remove(&mut self, name: &str) -> std::result::Result<(), RowsFailed> {
        let query = "DELETE FROM rows WHERE name = ?";
        self.run(query, vec![name.into()]).map(drop)
    }

    fn expire(&mut self, now: u64) -> std::result::Result<(), RowsFailed> {
        let query = "DELETE FROM rows WHERE until <= ?";
        self.run(query, vec![number(now)]).map(drop)
    }

    fn list(
        &self,
        after: &str,
        end: &str,
        limit: usize,
    ) -> std::result::Result<Vec<(String, String)>, RowsFailed> {
        let query = "SELECT name, text FROM rows WHERE name > ? AND name < ? ORDER BY name LIMIT ?";
        let values = vec![after.into(), end.into(), number(limit as u64)];
        let mut texts = self.run(query, values)?.into_iter();
        let mut rows = Vec::new();
        while let (Some(name), Some(text)) = (texts.next(), texts.next()) {
            rows.push((name, text));
        }
        Ok(rows)
    }
}
