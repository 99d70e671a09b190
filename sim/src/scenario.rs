//! Scenario files (`fixtures/scenarios/*.toml`): one call, what the phone network does, what the
//! people in the shop say and do, what the model says and does, and the outcome to expect.

use serde::Deserialize;

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
}

impl Default for Network {
    fn default() -> Self {
        Self { result: DialResult::Answered, ring_ms: 300, messy_callbacks: false }
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

/// When one of these holds, the shop acts. Exactly one of `answered`, `heard`, `hearing`,
/// `quiet_ms` is set. A rule fires once; at any moment the first rule in file order that holds fires.
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
    /// Nobody has spoken for so long, in ms.
    pub quiet_ms: Option<u64>,
    /// Pause before acting, in ms.
    #[serde(default)]
    pub after_ms: u64,
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
/// `text`, `tool` is set; it is compared with the newest item of the conversation that came
/// since the model's last response. A rule fires once unless `repeat`; the first that fits fires.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRule {
    /// Nothing was said yet on this call.
    #[serde(default)]
    pub opening: bool,
    /// The newest user audio was recognised as this line of the shop.
    pub heard: Option<String>,
    /// The newest text item (system or user) contains this, in any case of letters.
    pub text: Option<String>,
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `status` of the outcome.
    pub status: String,
    /// A part of the outcome: every value given here must be equal there (objects compared key by key).
    #[serde(default)]
    pub outcome: serde_json::Value,
    /// Lines of the agent that must have been played to the end.
    #[serde(default)]
    pub heard: Vec<String>,
    /// How often the bridge must have sent `clear` at least.
    #[serde(default)]
    pub clears: usize,
    /// Number the call must have been handed to.
    pub handed_to: Option<String>,
}
