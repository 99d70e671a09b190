//! The queue of calls that wait for their turn: what is sent to it, and its consumer. A message is the
//! id of a call and nothing else; everything about the call is with the account.

use super::api::{NoCall, dial};
use super::log::{self, runtime_error};
use super::{account_do, now_ms, read_config};
use crate::call::request::CallRequest;
use crate::config::Config;
use crate::http::problem::Problem;
use crate::json;
use crate::policy::account::{Ask, Turn, parse_turns};
use futures::channel::oneshot;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::{JsFuture, spawn_local};
use worker::{
    Context, Delay, Env, MessageBatch, MessageExt, RawMessage, Result, event, worker_sys,
};

/// Binding of the queue.
const QUEUE: &str = "CALL_QUEUE";
/// How long a batch is worked at, in ms: the platform ends it after 15 minutes.
const BATCH_MS: u64 = 10 * 60 * 1000;

/// Puts a call on the queue. Twice does no harm.
pub(super) async fn send(env: &Env, id: &str) -> std::result::Result<(), Problem> {
    let sent = async {
        // Not `Queue::send`, which would bring a serializer of JavaScript values.
        let queue: worker_sys::Queue = JsValue::from(env.queue(QUEUE)?).unchecked_into();
        let sent = queue.send(id.into(), JsValue::UNDEFINED)?;
        JsFuture::from(sent).await?;
        Ok(())
    };
    sent.await.map_err(runtime_error("queue"))
}

/// Batches come one at a time (`max_concurrency`), and each is worked at in its order: the account says
/// whose turn it is, and how long to wait. A message that is retried comes again after `retry_delay`.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    let Ok(config) = read_config(&env) else {
        batch.retry_all();
        return Ok(());
    };
    let shared = Rc::new((env, config));
    // The first is the last here.
    let mut waiting: Vec<(String, RawMessage)> = batch
        .raw_iter()
        .rev()
        .map(|message| (message.body().as_string().unwrap_or_default(), message))
        .collect();
    let mut placing = Vec::new();
    let began = now_ms();
    while !waiting.is_empty() && now_ms().saturating_sub(began) < BATCH_MS {
        let ids = waiting.iter().rev().map(|(id, _)| id.clone()).collect();
        let (env, config) = &*shared;
        let Ok(answer) = account_do::ask(env, config, Ask::Start(ids).to_text()).await else {
            break;
        };
        for turn in parse_turns(&answer) {
            if let Turn::Wait(ms) = turn {
                Delay::from(Duration::from_millis(ms.max(1))).await;
                break;
            }
            let Some((id, message)) = waiting.pop() else {
                break;
            };
            match turn {
                Turn::Go(request) => {
                    let (done, placed) = oneshot::channel::<()>();
                    placing.push(placed);
                    let shared = Rc::clone(&shared);
                    spawn_local(async move {
                        place(&shared, &id, &request, &message).await;
                        drop(done);
                    });
                }
                Turn::Busy => message.retry(),
                Turn::Done | Turn::Wait(_) => message.ack(),
            }
        }
    }
    for (_, message) in waiting {
        message.retry();
    }
    for placed in placing {
        let _ = placed.await;
    }
    Ok(())
}

/// Places a call whose turn it is, and tells the account what became of it.
async fn place((env, config): &(Env, Config), id: &str, request: &str, message: &RawMessage) {
    let placed = match json::read::<CallRequest>(request) {
        Some(request) => dial(env, config, request, id).await,
        None => Err(NoCall {
            problem: Problem::internal(),
            silent: true,
            busy: false,
        }),
    };
    let busy = matches!(placed, Err(NoCall { busy: true, .. }));
    let end = match placed {
        Ok(placed) => Ask::Placed {
            id: id.to_owned(),
            sid: placed.sid.as_str().to_owned(),
            age_ms: now_ms().saturating_sub(placed.at),
            keep_ms: config.outcome_ttl_ms(),
        },
        Err(_) if busy => Ask::Again(id.to_owned()),
        Err(failure) => {
            log::refused(&failure.problem);
            Ask::Failed {
                id: id.to_owned(),
                silent: failure.silent,
                problem: failure.problem.to_json(),
            }
        }
    };
    let end = end.to_text();
    let told = match account_do::ask(env, config, end.clone()).await {
        Err(_) => account_do::ask(env, config, end).await,
        told => told,
    };
    match told {
        Ok(_) if !busy => message.ack(),
        // Nothing rings twice: without an end it is found to be lost.
        Ok(_) | Err(_) => message.retry(),
    }
}
