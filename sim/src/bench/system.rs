//! The systems that are measured: how each is started, and how a call reaches it.

use super::driver::Driver;
use super::front::{self, Front};
use super::process::{self, Usage};
use super::workerd::{self, Served};
use crate::api::Api;
use crate::rig::{FROM_NUMBER, root};
use crate::twilio::create::get;
use crate::twilio::sid;
use crate::twilio::twiml::{self, Request, Stream, Verb};
use crate::twilio::webhook::{Form, Webhooks, put};
use crate::worker::free_port;
use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// Our Worker
    Orderline,
    /// A pass-through Durable Object, its phone socket hibernatable, as ours is
    FloorHibernatable,
    /// The same with standard sockets
    FloorStandard,
    /// A bridge in Node as tutorials have it
    Node,
    /// twilio-realtime-agents of npm
    TwilioRealtimeAgents,
    /// @openai/agents-extensions of npm
    OpenaiAgents,
}

impl System {
    /// As the tables call it.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it is compared with: the floor of the same kind of socket. Bridges in Node have nothing
    /// but standard ones.
    pub fn floor(self) -> Option<Self> {
        match self {
            Self::FloorHibernatable | Self::FloorStandard => None,
            Self::Orderline => Some(Self::FloorHibernatable),
            Self::Node | Self::TwilioRealtimeAgents | Self::OpenaiAgents => {
                Some(Self::FloorStandard)
            }
        }
    }

    /// What a call costs beside so many others is worth to know.
    pub fn is_compared(self) -> bool {
        matches!(self, Self::Orderline | Self::FloorHibernatable)
    }

    /// How many calls it holds is worth to know.
    pub fn climbs(self) -> bool {
        matches!(self, Self::Orderline | Self::FloorHibernatable | Self::Node)
    }
}

/// A system that runs; dropping it ends every process of it.
pub struct Running {
    system: System,
    child: Child,
    url: String,
    folder: PathBuf,
    api: Api,
    account_sid: String,
    auth_token: String,
}

impl Running {
    /// Starts it, and waits until it answers.
    pub async fn start(system: System, front: &Front, logs: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        let name = system.name();
        let folder = root().join(format!("target/bench/{}-{name}-{port}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let account_sid = format!("AC{}", "0123456789abcdef".repeat(2));
        let auth_token = "fedcba9876543210".repeat(2);
        let api_token = "bench-token-0123456789".to_owned();
        let model = format!("{}/v1", front.url);
        let mut command = match system {
            System::Orderline => {
                let variables = vec![
                    ("API_TOKEN", api_token.clone()),
                    ("OPENAI_API_KEY", "sk-bench".to_owned()),
                    ("OPENAI_BASE_URL", model.clone()),
                    ("TWILIO_BASE_URL", front.url.clone()),
                    ("TWILIO_ACCOUNT_SID", account_sid.clone()),
                    ("TWILIO_AUTH_TOKEN", auth_token.clone()),
                    ("TWILIO_FROM_NUMBER", FROM_NUMBER.to_owned()),
                    ("PUBLIC_BASE_URL", url.clone()),
                    ("QUIET_HOURS", "off".to_owned()),
                    ("MAX_CONCURRENT_CALLS", "1000".to_owned()),
                    ("CALLS_PER_SECOND", "1000".to_owned()),
                    ("MAX_CALLS_PER_DAY", "100000".to_owned()),
                    ("MAX_COST_PER_DAY", "1000000".to_owned()),
                    ("MAX_CALL_MINUTES", "14".to_owned()),
                    // Where nobody speaks, the agent is to stay silent, as the others do.
                    ("SILENCE_PROMPT_MS", "60000".to_owned()),
                ];
                workerd::command(&Served::wrangler(&root(), variables)?.write(&folder, port)?)
            }
            System::FloorHibernatable | System::FloorStandard => {
                let hibernatable = if system == System::FloorHibernatable {
                    "1"
                } else {
                    ""
                };
                let variables = vec![
                    ("OPENAI_BASE_URL", model.clone()),
                    ("HIBERNATABLE", hibernatable.to_owned()),
                ];
                let module = root().join("benches/floor/floor.js");
                workerd::command(&Served::plain(module, variables).write(&folder, port)?)
            }
            System::Node => node("benches/node/bridge.mjs"),
            System::TwilioRealtimeAgents => node("benches/peers/twilio-realtime-agents.mjs"),
            System::OpenaiAgents => node("benches/peers/openai-agents.mjs"),
        };
        let output = File::create(logs.join(format!("{name}.log")))?;
        let child = command
            .env("PORT", port.to_string())
            .env("OPENAI_API_KEY", "sk-bench")
            .env("OPENAI_BASE_URL", &model)
            .env("OPENAI_AGENTS_DISABLE_TRACING", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut running = Self {
            system,
            child,
            api: Api::new(&url, &api_token),
            url,
            folder,
            account_sid,
            auth_token,
        };
        running
            .wait()
            .await
            .with_context(|| format!("see {}/{name}.log", logs.display()))?;
        Ok(running)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        let (http, url) = (reqwest::Client::new(), format!("{}/healthz", self.url));
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended: {status}");
            }
            if http
                .get(&url)
                .send()
                .await
                .is_ok_and(|reply| reply.status() == 200)
            {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("it does not answer")
    }

    /// What it costs, so far and now.
    pub fn usage(&self) -> Usage {
        process::group(self.child.id())
    }

    /// Places the nth call, and opens its media stream.
    pub async fn call(&self, nth: usize, front: &Front, driver: &Driver) -> anyhow::Result<()> {
        let (call_sid, stream) = if self.system == System::Orderline {
            self.place(nth, front).await?
        } else {
            let url = format!("{}/media-stream", self.url.replace("http", "ws"));
            let stream = Stream {
                url,
                name: None,
                status_callback: None,
                parameters: BTreeMap::new(),
            };
            (sid::new("CA"), stream)
        };
        front::open(
            driver,
            &stream,
            &call_sid,
            &self.account_sid,
            &self.auth_token,
        )
        .await
    }

    /// As a customer and Twilio do: the call's SID, and the stream that the Worker wants.
    async fn place(&self, nth: usize, front: &Front) -> anyhow::Result<(String, Stream)> {
        let to = format!("+1213{:07}", 5_550_000 + nth);
        let call_sid = self
            .api
            .place(&json!({"to": to, "maxTotal": 40.0, "order": {
                "items": [{"size": "medium", "crust": "thin", "toppings": ["mushrooms", "olives"], "quantity": 2}],
                "delivery_method": "pickup",
                "customer": {"name": "Marcus Bell", "phone": "+13105550143"}}}))
            .await?;
        let wanted = front.placed(&call_sid).context("Twilio was not asked")?;
        let voice = get(&wanted, "Url").context("no Url")?;
        let mut form = Form::new();
        for (name, value) in [
            ("CallSid", call_sid.as_str()),
            ("AccountSid", &self.account_sid),
            ("From", FROM_NUMBER),
            ("To", &to),
            ("CallStatus", "in-progress"),
            ("Direction", "outbound-api"),
            ("ApiVersion", "2010-04-01"),
        ] {
            put(&mut form, name, value);
        }
        let request = Request {
            url: voice.to_owned(),
            post: true,
        };
        let reply = Webhooks::new(&self.auth_token)
            .deliver(&request, &form)
            .await;
        let reply = reply.map_err(anyhow::Error::msg)?;
        let verbs = twiml::parse(&reply.body, voice).verbs.into_iter();
        let stream = verbs
            .filter_map(|verb| match verb {
                Verb::Connect { stream, .. } => Some(stream),
                _ => None,
            })
            .next();
        Ok((
            call_sid,
            stream.with_context(|| format!("no stream in {}", reply.body))?,
        ))
    }

    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args([name, "--", &group])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal("-TERM");
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal("-KILL");
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn node(script: &str) -> Command {
    let pinned = root().join("node_modules/.bin/node");
    let mut command = Command::new(if pinned.exists() {
        pinned
    } else {
        PathBuf::from("node")
    });
    command.arg(root().join(script));
    command
}
