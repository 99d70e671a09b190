//! Everything a run needs, started in order: the simulated Twilio, the simulated Realtime server,
//! and the Worker pointed at them. Dropping the rig ends all of it.

use crate::api::Api;
use crate::clips::Clips;
use crate::edge::Edge;
use crate::play::{Play, Plays};
use crate::realtime;
use crate::scenario::{Scenario, load_all};
use crate::twilio::{Twilio, TwilioConfig};
use crate::worker::{Runtime, Worker, free_port};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Where a call goes when it is handed to a human.
pub const HANDOFF_NUMBER: &str = "+13105550199";
/// The number the simulated calls come from.
pub const FROM_NUMBER: &str = "+13105550100";
/// Variables that a run against the real services takes from the environment where they are set.
const OPTIONAL: [&str; 3] = [
    "OPENAI_REALTIME_MODEL",
    "OPENAI_VOICE",
    "OPENAI_TRANSCRIBE_MODEL",
];
/// The same, of a call over the real phone network.
const OPTIONAL_ON_THE_PHONE: [&str; 3] = ["HANDOFF_NUMBER", "ALLOWED_COUNTRIES", "QUIET_HOURS"];

/// Who answers for OpenAI and for Twilio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// Both simulated.
    Simulated,
    /// The real Realtime API, a simulated phone network.
    RealModel,
    /// Both real; the Worker listens on this port, and `PUBLIC_BASE_URL` leads there.
    Real { port: u16 },
}

/// What the Worker runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Alone,
    BehindEdge,
    /// [`Runtime::Plain`].
    Plain,
}

/// A running product and its simulated surroundings.
pub struct Rig {
    pub worker: Worker,
    pub api: Api,
    pub plays: Plays,
    /// What the Worker was told, by variable name.
    pub variables: Vec<(&'static str, String)>,
    /// Base URLs of the simulated services.
    pub twilio_url: String,
    pub realtime_url: String,
    /// The simulated phone network, to make calls come in.
    pub twilio: Arc<Twilio>,
    /// Ends when dropped.
    _edge: Option<Edge>,
    /// Aborted on drop.
    servers: JoinSet<anyhow::Result<()>>,
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// The spoken lines of `fixtures/speech`.
pub fn clips() -> anyhow::Result<Clips> {
    Clips::load(&root().join("fixtures/speech"))
}

/// The named scenarios of `fixtures/scenarios`; all of them when no name is given.
pub fn scenarios(clips: &Clips, names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let all = load_all(&root().join("fixtures/scenarios"), clips)?;
    let known: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!(
            "there is no scenario {unknown}; there are: {}",
            known.join(", ")
        );
    }
    Ok(all
        .into_iter()
        .filter(|scenario| names.is_empty() || names.contains(&scenario.name))
        .collect())
}

/// The shop for a real model, which goes by silence alone.
pub fn real_model(clips: &Clips) -> anyhow::Result<Scenario> {
    let scenario = Scenario::load(&root().join("fixtures/real/real-model.toml"))?;
    scenario.check_lines(clips)?;
    Ok(scenario)
}

impl Rig {
    /// Starts everything for these scenarios; the Worker's output goes to `log`.
    pub async fn start(
        scenarios: Vec<Scenario>,
        clips: Clips,
        peers: &Peers,
        log: &Path,
    ) -> anyhow::Result<Self> {
        Self::start_with(&[], scenarios, clips, peers, log).await
    }

    /// The same, with other values of some variables.
    pub async fn start_with(
        changes: &[(&'static str, String)],
        scenarios: Vec<Scenario>,
        clips: Clips,
        peers: &Peers,
        log: &Path,
    ) -> anyhow::Result<Self> {
        Self::launch(changes, scenarios, clips, peers, log, None, How::Alone).await
    }

    /// Simulated peers, and a Worker of another build: the one with this main module.
    pub async fn start_build(
        main: &str,
        scenarios: Vec<Scenario>,
        clips: Clips,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let (main, peers) = (Some(main), &Peers::Simulated);
        Self::launch(&[], scenarios, clips, peers, log, main, How::Alone).await
    }

    /// Simulated peers, and an edge in front of the Worker, so that it may be killed and restarted.
    pub async fn start_behind_edge(
        changes: &[(&'static str, String)],
        scenarios: Vec<Scenario>,
        clips: Clips,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let peers = &Peers::Simulated;
        Self::launch(changes, scenarios, clips, peers, log, None, How::BehindEdge).await
    }

    /// Simulated peers, and the Worker in workerd alone.
    pub async fn start_plain(
        changes: &[(&'static str, String)],
        scenarios: Vec<Scenario>,
        clips: Clips,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let peers = &Peers::Simulated;
        Self::launch(changes, scenarios, clips, peers, log, None, How::Plain).await
    }

    async fn launch(
        changes: &[(&'static str, String)],
        scenarios: Vec<Scenario>,
        clips: Clips,
        peers: &Peers,
        log: &Path,
        main: Option<&str>,
        how: How,
    ) -> anyhow::Result<Self> {
        let root = root();
        let plays: Plays = Arc::new(
            scenarios
                .into_iter()
                .map(|scenario| Arc::new(Play::new(scenario)))
                .collect(),
        );
        let mut servers = JoinSet::new();

        let secret = |name: &str| format!("{name}-{}", "s1mu1ated".repeat(3));
        let account_sid = format!("AC{}", "0123456789abcdef".repeat(2));
        let auth_token = "fedcba9876543210".repeat(2);
        let config = TwilioConfig {
            account_sid: account_sid.clone(),
            auth_token: auth_token.clone(),
            from_number: FROM_NUMBER.to_owned(),
        };
        let api_key = secret("sk");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let twilio_url = format!("http://{}", listener.local_addr()?);
        let twilio = Twilio::new(config, plays.clone(), clips.clone())?;
        if !matches!(peers, Peers::Real { .. }) {
            servers.spawn(Arc::clone(&twilio).serve(listener));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let realtime_url = format!("http://{}/v1", listener.local_addr()?);
        if *peers == Peers::Simulated {
            servers.spawn(realtime::serve(
                listener,
                api_key.clone(),
                plays.clone(),
                clips,
            ));
        }

        let port = if let Peers::Real { port } = peers {
            *port
        } else {
            free_port()?
        };
        let edge = if how == How::BehindEdge {
            Some(Edge::start(port).await?)
        } else {
            None
        };
        let local_url = format!("http://127.0.0.1:{port}");
        let url = edge.as_ref().map_or(local_url, |edge| edge.url.clone());
        let api_token = secret("api");
        let mut variables = vec![("API_TOKEN", api_token.clone())];
        if *peers == Peers::Simulated {
            variables.push(("OPENAI_API_KEY", api_key));
            variables.push(("OPENAI_BASE_URL", realtime_url.clone()));
        } else {
            variables.push(required("OPENAI_API_KEY")?);
            variables.extend(OPTIONAL.into_iter().filter_map(optional));
        }
        if let Peers::Real { .. } = peers {
            for name in [
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "TWILIO_FROM_NUMBER",
                "PUBLIC_BASE_URL",
            ] {
                variables.push(required(name)?);
            }
            variables.extend(OPTIONAL_ON_THE_PHONE.into_iter().filter_map(optional));
        } else {
            variables.extend([
                ("TWILIO_BASE_URL", twilio_url.clone()),
                ("TWILIO_ACCOUNT_SID", account_sid),
                ("TWILIO_AUTH_TOKEN", auth_token),
                ("TWILIO_FROM_NUMBER", FROM_NUMBER.to_owned()),
                ("PUBLIC_BASE_URL", url.clone()),
                ("HANDOFF_NUMBER", HANDOFF_NUMBER.to_owned()),
                // Simulated shops answer at any hour, many at a time.
                ("QUIET_HOURS", "off".to_owned()),
                ("MAX_CONCURRENT_CALLS", "50".to_owned()),
                ("CALLS_PER_SECOND", "1000".to_owned()),
                // The log is searched for private values at its most talkative.
                ("LOG_LEVEL", "debug".to_owned()),
            ]);
        }
        variables.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        variables.extend_from_slice(changes);
        let runtime = match how {
            How::Plain => Runtime::Plain,
            How::Alone | How::BehindEdge => Runtime::Wrangler,
        };
        let worker = Worker::start(&root, main, port, &variables, log, runtime).await?;
        let api = Api::new(&url, &api_token);
        Ok(Self {
            worker,
            api,
            plays,
            variables,
            twilio_url,
            realtime_url,
            twilio,
            _edge: edge,
            servers,
        })
    }

    /// A variable of the Worker.
    pub fn variable(&self, name: &str) -> &str {
        self.variables
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// The values that may never be printed.
    pub fn secrets(&self) -> Vec<String> {
        let names = ["API_TOKEN", "OPENAI_API_KEY", "TWILIO_AUTH_TOKEN"];
        names
            .iter()
            .map(|name| self.variable(name).to_owned())
            .collect()
    }

    /// A simulated server that ended by itself broke down.
    pub fn broken(&mut self) -> Option<String> {
        let ended = self.servers.try_join_next()?;
        Some(format!("a simulated server ended: {ended:?}"))
    }
}

fn optional(name: &'static str) -> Option<(&'static str, String)> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(|value| (name, value))
}

fn required(name: &'static str) -> anyhow::Result<(&'static str, String)> {
    optional(name).with_context(|| format!("{name} is not set in the environment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_for_a_real_model_waits_for_no_particular_words() {
        let scenario = real_model(&clips().unwrap()).unwrap();
        assert!(scenario.model.is_empty());
        assert!(
            scenario
                .shop
                .iter()
                .all(|rule| rule.heard.is_none() && rule.hearing.is_none())
        );
    }
}
