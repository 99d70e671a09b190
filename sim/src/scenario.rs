//! Scenario files (`fixtures/scenarios/*.toml`): one call, what the phone network does, what the
//! people in the shop say and do, what the model says and does, and the outcome to expect.

use crate::clips::Clips;
use crate::fault::TimedFault;
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

/// One scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's stem.
    #[serde(skip)]
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// The body of `POST /api/call`; `to` is unique among the scenarios, so that they can run at the same time.
    pub request: serde_json::Value,
    /// Text that occurs in the session instructions of this call and of no other scenario: the
    /// customer's name. The simulated model finds its script by it.
    pub instructions_contain: String,
    /// What the phone network does with the call.
    #[serde(default)]
    pub network: Network,
    /// What the people in the shop say and do.
    #[serde(default)]
    pub shop: Vec<ShopRule>,
    /// What the model says and does.
    #[serde(default)]
    pub model: Vec<ModelRule>,
    /// What goes wrong; only where the sockets are real.
    #[serde(default)]
    pub faults: Vec<TimedFault>,
    /// The outcome to expect.
    pub expect: Expect,
}

/// What the phone network does with the call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// How the dialling ends.
    pub result: DialResult,
    /// How long the phone rings, in ms.
    pub ring_ms: u64,
    /// Status callbacks are sent twice and out of order.
    pub messy_callbacks: bool,
    /// The call comes to us, from the request's `to`, instead of being placed.
    pub inbound: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            result: DialResult::Answered,
            ring_ms: 300,
            messy_callbacks: false,
            inbound: false,
        }
    }
}

/// How dialling ends: the terminal status when nobody speaks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum DialResult {
    /// Somebody picks up.
    Answered,
    /// Line busy.
    Busy,
    /// Nobody picks up.
    NoAnswer,
    /// The number cannot be reached.
    Failed,
}

/// When one of these holds, the shop acts. Exactly one of `answered`, `heard`, `hearing`, `pressed`,
/// `quiet_ms` is set. A rule fires once unless `repeat`; at any moment the first rule in file order that holds fires.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopRule {
    /// The call was answered and the stream is open.
    #[serde(default)]
    pub answered: bool,
    /// This line of the agent has been played to its end, and the agent is quiet.
    pub heard: Option<String>,
    /// `at_ms` of this line of the agent have been played, and it still plays: an interruption.
    pub hearing: Option<String>,
    /// With `hearing`: how many ms of the line.
    #[serde(default)]
    pub at_ms: u64,
    /// The agent has pressed these keys and no others, since the beginning or the last rule of this
    /// kind.
    pub pressed: Option<String>,
    /// Nobody has spoken for so long, in ms.
    pub quiet_ms: Option<u64>,
    /// Pause before acting, in ms.
    #[serde(default)]
    pub after_ms: u64,
    /// May fire more than once.
    #[serde(default)]
    pub repeat: bool,
    /// Says again what it said last; what it heard of this kind is then answered.
    #[serde(default)]
    pub again: bool,
    /// Line to say.
    pub say: Option<String>,
    /// Key to press.
    pub dtmf: Option<String>,
    /// Hang up (after the line).
    #[serde(default)]
    pub hang_up: bool,
    /// The media socket dies without `stop`, and the call with it.
    #[serde(default)]
    pub line_drops: bool,
}

/// What the model does when it is asked for a response. Exactly one of `opening`, `heard`,
/// `text`, `always`, `tool` is set; it is compared with the newest item of the conversation that came
/// since the model's last response. A rule fires once unless `repeat`; the first that fits fires.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRule {
    /// Nothing was said yet on this call.
    #[serde(default)]
    pub opening: bool,
    /// The newest user audio was recognised as this line of the shop.
    pub heard: Option<String>,
    /// The newest text item (system or user) contains this, in any case of letters.
    pub text: Option<String>,
    /// With `text`: and this line of the shop was recognised before it.
    pub after: Option<String>,
    /// Whatever came.
    #[serde(default)]
    pub always: bool,
    /// The newest item is the output of this tool.
    pub tool: Option<String>,
    /// With `tool`: the output contains this.
    pub output: Option<String>,
    /// May fire more than once.
    #[serde(default)]
    pub repeat: bool,
    /// Line to say.
    pub say: Option<String>,
    /// Tools to call, after the line, in the same response.
    #[serde(default)]
    pub calls: Vec<ToolCall>,
    /// The socket closes with this code when half of the line's audio is sent.
    pub drop_socket: Option<u16>,
}

/// A tool call of the scripted model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Tool name.
    pub name: String,
    /// Arguments, sent as JSON.
    pub arguments: serde_json::Value,
}

/// What must be true in the end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `status` of the outcome.
    pub status: String,
    /// A part of the outcome: every value given here must be equal there (objects compared key by key).
    #[serde(default)]
    pub outcome: serde_json::Value,
    /// Lines of the agent that must have been played from the beginning to the end, perhaps with a
    /// pause.
    #[serde(default)]
    pub heard: Vec<String>,
    /// How often the bridge must have sent `clear` at least.
    #[serde(default)]
    pub clears: usize,
    /// Number the call must have been handed to.
    pub handed_to: Option<String>,
}

impl Scenario {
    /// Reads one scenario file; every rule must have exactly one trigger.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let name = path
            .file_stem()
            .and_then(|s| s.to_str())
            .context("a scenario needs a name")?;
        Self::parse(name, &text)
    }

    /// Parses a scenario; errors name the file and the rule.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let mut scenario: Self = toml::from_str(text).with_context(|| format!("{name}.toml"))?;
        name.clone_into(&mut scenario.name);
        ensure!(
            scenario.to().is_some(),
            "{name}.toml: `request.to` is missing"
        );
        ensure!(
            !scenario.instructions_contain.is_empty(),
            "{name}.toml: `instructions_contain` is empty"
        );
        for (n, rule) in scenario.shop.iter().enumerate() {
            rule.check()
                .with_context(|| format!("{name}.toml: shop rule {}", n + 1))?;
        }
        for (n, rule) in scenario.model.iter().enumerate() {
            rule.check()
                .with_context(|| format!("{name}.toml: model rule {}", n + 1))?;
        }
        Ok(scenario)
    }

    /// The number that is dialled.
    pub fn to(&self) -> Option<&str> {
        self.request.get("to")?.as_str()
    }

    /// Every line that the rules and expectations name must be there.
    pub fn check_lines(&self, clips: &Clips) -> anyhow::Result<()> {
        let shop = self.shop.iter().enumerate().flat_map(|(n, rule)| {
            [&rule.heard, &rule.hearing, &rule.say]
                .map(|line| (format!("shop rule {}", n + 1), line.as_ref()))
        });
        let model = self.model.iter().enumerate().flat_map(|(n, rule)| {
            [&rule.heard, &rule.after, &rule.say]
                .map(|line| (format!("model rule {}", n + 1), line.as_ref()))
        });
        let expected = self
            .expect
            .heard
            .iter()
            .map(|line| ("expect.heard".to_owned(), Some(line)));
        for (place, line) in shop.chain(model).chain(expected) {
            if let Some(line) = line
                && clips.get(line).is_none()
            {
                bail!(
                    "{}.toml: {place}: there is no line `{line}` in lines.tsv",
                    self.name
                );
            }
        }
        Ok(())
    }
}

/// Reads all scenario files of a folder, in the order of their names, and checks their lines.
pub fn load_all(dir: &Path, clips: &Clips) -> anyhow::Result<Vec<Scenario>> {
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut paths: Vec<_> = entries
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let scenarios: Vec<Scenario> = paths
        .iter()
        .map(|p| Scenario::load(p))
        .collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    for scenario in &scenarios {
        scenario.check_lines(clips)?;
        // They run at the same time, and are told apart by these.
        for key in [
            scenario.to().unwrap_or_default(),
            &scenario.instructions_contain,
        ] {
            ensure!(
                seen.insert(key.to_owned()),
                "{}.toml: another scenario uses `{key}` too",
                scenario.name
            );
        }
    }
    Ok(scenarios)
}

impl ShopRule {
    fn check(&self) -> anyhow::Result<()> {
        one_of(&[
            ("answered", self.answered),
            ("heard", self.heard.is_some()),
            ("hearing", self.hearing.is_some()),
            ("pressed", self.pressed.is_some()),
            ("quiet_ms", self.quiet_ms.is_some()),
        ])?;
        ensure!(
            self.at_ms == 0 || self.hearing.is_some(),
            "`at_ms` goes with `hearing`"
        );
        let acts = self.say.is_some() || self.dtmf.is_some() || self.hang_up || self.line_drops;
        ensure!(
            acts || self.again,
            "does nothing: set `say`, `again`, `dtmf`, `hang_up` or `line_drops`"
        );
        ensure!(
            self.say.is_none() || !self.again,
            "`again` goes without `say`"
        );
        Ok(())
    }
}

impl ModelRule {
    fn check(&self) -> anyhow::Result<()> {
        one_of(&[
            ("opening", self.opening),
            ("heard", self.heard.is_some()),
            ("text", self.text.is_some()),
            ("always", self.always),
            ("tool", self.tool.is_some()),
        ])?;
        ensure!(
            self.after.is_none() || self.text.is_some(),
            "`after` goes with `text`"
        );
        ensure!(
            self.output.is_none() || self.tool.is_some(),
            "`output` goes with `tool`"
        );
        ensure!(
            self.drop_socket.is_none() || self.say.is_some(),
            "`drop_socket` goes with `say`"
        );
        Ok(())
    }
}

fn one_of(triggers: &[(&str, bool)]) -> anyhow::Result<()> {
    let names = |set: bool| {
        let names: Vec<_> = triggers
            .iter()
            .filter(|t| t.1 || !set)
            .map(|t| format!("`{}`", t.0))
            .collect();
        names.join(", ")
    };
    match triggers.iter().filter(|t| t.1).count() {
        1 => Ok(()),
        0 => bail!("has no trigger: set one of {}", names(false)),
        _ => bail!("has more than one trigger: {}", names(true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "about = \"a\"\ninstructions_contain = \"Ann\"\nrequest = { to = \"+13105550100\" }\nexpect = { status = \"confirmed\" }\n";

    fn error(rules: &str) -> String {
        format!(
            "{:#}",
            Scenario::parse("x", &format!("{HEAD}{rules}")).unwrap_err()
        )
    }

    #[test]
    fn the_committed_scenarios_are_sound() {
        let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
        let clips = Clips::load(&fixtures.join("speech")).unwrap();
        let scenarios = load_all(&fixtures.join("scenarios"), &clips).unwrap();
        assert!(scenarios.iter().any(|s| s.name == "happy-delivery"));
    }

    #[test]
    fn a_rule_has_exactly_one_trigger() {
        let e = error("[[model]]\nopening = true\nsay = \"a\"\n[[model]]\nsay = \"b\"\n");
        assert_eq!(
            e,
            "x.toml: model rule 2: has no trigger: set one of `opening`, `heard`, `text`, `always`, `tool`"
        );
        let e = error("[[shop]]\nanswered = true\nheard = \"a\"\nsay = \"b\"\n");
        assert_eq!(
            e,
            "x.toml: shop rule 1: has more than one trigger: `answered`, `heard`"
        );
    }

    #[test]
    fn misspelt_and_misplaced_fields_are_refused() {
        assert!(
            error("[[shop]]\nanswered = true\nsays = \"b\"\n").contains("unknown field `says`")
        );
        assert!(error("[[shop]]\nanswered = true\n").contains("does nothing"));
        assert!(
            error("[[model]]\nopening = true\noutput = \"b\"\n")
                .contains("`output` goes with `tool`")
        );
    }

    #[test]
    fn a_line_that_is_not_there_is_named_with_its_rule() {
        let scenario = Scenario::parse(
            "x",
            &format!("{HEAD}[[shop]]\nanswered = true\nsay = \"nope\"\n"),
        )
        .unwrap();
        let e = scenario
            .check_lines(&Clips::new(Vec::new()).unwrap())
            .unwrap_err();
        assert_eq!(
            e.to_string(),
            "x.toml: shop rule 1: there is no line `nope` in lines.tsv"
        );
    }
}
