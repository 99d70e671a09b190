//! The Workers runtime: the only place that names `worker`, `js_sys` or `wasm_bindgen`. It
//! translates and decides nothing: requests become routes, socket messages become inputs, outputs
//! become messages, requests and storage.

mod account_do;
mod api;
mod call_do;
mod call_stub;
mod hooks;
mod invoke;
mod local_time;
mod log;
mod model_socket;
mod object_storage;
mod outcome_keeper;
mod outgoing;
mod phone_socket;
mod queue;
mod reply;
mod store;
mod suppressions;
mod timer;
mod twilio_rest;

use crate::config::Config;
use crate::http::problem::Problem;
use crate::http::route::{self, Route};
use worker::{Context, Env, Request, Response, Result, event};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let answer = serve(request, &env).await;
    match answer {
        Ok(response) => Ok(response),
        Err(problem) => {
            log::refused(&problem);
            reply::problem(&problem)
        }
    }
}

async fn serve(request: Request, env: &Env) -> std::result::Result<Response, Problem> {
    let route = route::find(request.method().as_ref(), &request.path())?;
    let config = read_config(env);
    if route == Route::Health {
        return reply::health(config.as_ref().err().map(Vec::as_slice));
    }
    let config = config.map_err(|errors| Problem::not_configured(&errors))?;
    match route {
        Route::PlaceCall => api::place_call(request, env, &config).await,
        Route::Suppressions => suppressions::list(&request, env, &config).await,
        Route::Suppression(number) => suppressions::one(&request, env, &config, &number).await,
        Route::Call(about, sid) => api::about_call(&request, env, &config, about, &sid).await,
        Route::Queued(about, id) => api::about_queued(&request, env, &config, about, &id).await,
        Route::Hook(hook) => hooks::call(request, env, &config, hook).await,
        Route::Media { sid, token } => hooks::media(request, env, &config, &sid, &token).await,
        Route::Health => Err(Problem::internal()),
    }
}

/// The configuration from the environment's variables and secrets.
fn read_config(env: &Env) -> std::result::Result<Config, Vec<crate::config::ConfigError>> {
    Config::read(|name| env.var(name).ok().map(|value| value.to_string()))
}

/// Milliseconds since the Unix epoch.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole milliseconds, and positive since 1970"
)]
fn now_ms() -> u64 {
    // `worker::Date` would make an object for every message.
    js_sys::Date::now() as u64
}
