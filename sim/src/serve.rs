//! `sim serve`: the Worker between its simulated peers, for tests in other languages. Prints one
//! line of JSON with addresses and secrets, and runs until standard input closes.

use crate::rig::{self, Peers, Rig};
use serde_json::json;
use tokio::io::{AsyncReadExt, stdin};

/// Serves until nobody reads any more.
pub async fn run() -> anyhow::Result<bool> {
    let clips = rig::clips()?;
    let scenarios = rig::scenarios(&clips, &[])?;
    let log = rig::root().join("target/serve.log");
    let record = [("RECORD", "1".to_owned())];
    let rig = Rig::start_with(&record, scenarios, clips, &Peers::Simulated, &log).await?;
    let ready = json!({
        "url": rig.worker.url,
        "twilioUrl": rig.twilio_url,
        "realtimeUrl": rig.realtime_url,
        "apiToken": rig.variable("API_TOKEN"),
        "accountSid": rig.variable("TWILIO_ACCOUNT_SID"),
        "authToken": rig.variable("TWILIO_AUTH_TOKEN"),
        "fromNumber": rig.variable("TWILIO_FROM_NUMBER"),
        "log": log,
        "state": rig.worker.state(),
    });
    println!("{ready}");
    stdin().read_to_end(&mut Vec::new()).await?;
    Ok(true)
}
