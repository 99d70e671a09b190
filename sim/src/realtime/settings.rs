//! Settings checked key by key: those of the session's audio, and those that `session.update` and
//! `response.create` share (`protocols.md` §1.3).

use super::fields::{ApiError, Fields};
use serde_json::{Value, json};

const VOICES: [&str; 10] = [
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar",
];

/// The `audio.input` of a session.
pub fn check_input(input: &Fields<'_>) -> Result<(), ApiError> {
    input.only(&[
        "format",
        "noise_reduction",
        "transcription",
        "turn_detection",
    ])?;
    format(input)?;
    if let Some(noise) = input.object_or_null("noise_reduction")? {
        noise.only(&["type", "strength"])?;
        noise.required("type", noise.one_of("type", &["near_field", "far_field"])?)?;
        noise.number("strength", 0.0, 1.0)?;
    }
    if let Some(transcription) = input.object_or_null("transcription")? {
        transcription.only(&[
            "model",
            "language",
            "languages",
            "keywords",
            "prompt",
            "delay",
        ])?;
        let model = transcription.string("model")?;
        transcription.string("language")?;
        let lists = matches!(model, Some("gpt-transcribe" | "gpt-live-transcribe"));
        for key in ["languages", "keywords"] {
            if transcription.array(key)?.is_some() && !lists {
                return Err(transcription.invalid(key, "none with this transcription model"));
            }
        }
        let whisper = model == Some("gpt-realtime-whisper");
        if transcription.string("prompt")?.is_some() && whisper {
            return Err(transcription.invalid("prompt", "none with this transcription model"));
        }
        if transcription
            .one_of("delay", &["minimal", "low", "medium", "high", "xhigh"])?
            .is_some()
            && !whisper
        {
            return Err(transcription.invalid("delay", "none with this transcription model"));
        }
    }
    let Some(turns) = input.object_or_null("turn_detection")? else {
        return Ok(());
    };
    let kind = turns.one_of("type", &["server_vad", "semantic_vad"])?;
    if turns.required("type", kind)? == "semantic_vad" {
        turns.only(&["type", "eagerness", "create_response", "interrupt_response"])?;
        turns.one_of("eagerness", &["low", "medium", "high", "auto"])?;
    } else {
        turns.only(&[
            "type",
            "threshold",
            "prefix_padding_ms",
            "silence_duration_ms",
            "create_response",
            "interrupt_response",
            "idle_timeout_ms",
        ])?;
        turns.number("threshold", 0.0, 1.0)?;
        turns.integer("prefix_padding_ms", 0, 10_000)?;
        turns.integer("silence_duration_ms", 0, 10_000)?;
        if !turns.is_null("idle_timeout_ms") {
            turns.integer("idle_timeout_ms", 5_000, 30_000)?;
        }
    }
    turns.boolean("create_response")?;
    turns.boolean("interrupt_response")?;
    Ok(())
}

/// `audio/pcmu` and `audio/pcma` carry no rate.
pub fn format(direction: &Fields<'_>) -> Result<(), ApiError> {
    let Some(format) = direction.object("format")? else {
        return Ok(());
    };
    let kind = format.one_of("type", &["audio/pcm", "audio/pcmu", "audio/pcma"])?;
    if format.required("type", kind)? == "audio/pcm" {
        format.only(&["type", "rate"])?;
        format.integer("rate", 24_000, 24_000)?;
        return Ok(());
    }
    format.only(&["type"])
}

/// A voice by name or by id.
pub fn voice(output: &Fields<'_>) -> Result<(), ApiError> {
    if output.get("voice").is_some_and(Value::is_object) {
        let Some(custom) = output.object("voice")? else {
            return Ok(());
        };
        custom.only(&["id"])?;
        return custom.required("id", custom.string("id")?).map(|_| ());
    }
    output.one_of("voice", &VOICES).map(|_| ())
}

/// `["audio"]` or `["text"]`; both at once is not allowed.
pub fn modalities(s: &Fields<'_>) -> Result<(), ApiError> {
    match s.get("output_modalities") {
        Some(m) if *m != json!(["audio"]) && *m != json!(["text"]) => {
            Err(s.invalid("output_modalities", "['text'] and ['audio']"))
        }
        _ => Ok(()),
    }
}

/// Function tools are flat: no nested `function` object.
pub fn check_tools(s: &Fields<'_>) -> Result<(), ApiError> {
    for (n, tool) in s.array("tools")?.into_iter().flatten().enumerate() {
        let tool = Fields::new(format!("{}[{n}]", s.path("tools")), tool)?;
        let kind = tool.one_of("type", &["function", "mcp"])?;
        if tool.required("type", kind)? == "mcp" {
            continue;
        }
        tool.only(&["type", "name", "description", "parameters"])?;
        tool.required("name", tool.string("name")?)?;
        tool.string("description")?;
        if let Some(parameters) = tool.object("parameters")?
            && parameters.get("type").is_none_or(|t| t != "object")
        {
            return Err(parameters.invalid("type", "'object'"));
        }
    }
    Ok(())
}

/// A word, or the tool that must be called.
pub fn check_tool_choice(s: &Fields<'_>) -> Result<(), ApiError> {
    if !s.get("tool_choice").is_some_and(Value::is_object) {
        return s
            .one_of("tool_choice", &["none", "auto", "required"])
            .map(|_| ());
    }
    let Some(choice) = s.object("tool_choice")? else {
        return Ok(());
    };
    if choice.required("type", choice.one_of("type", &["function", "mcp"])?)? == "function" {
        choice.only(&["type", "name"])?;
        choice.required("name", choice.string("name")?)?;
    }
    Ok(())
}

/// Only `gpt-realtime-2.x` reason (§1.3).
pub fn check_reasoning(s: &Fields<'_>, model: &str) -> Result<(), ApiError> {
    let Some(reasoning) = s.object("reasoning")? else {
        return Ok(());
    };
    if !model.starts_with("gpt-realtime-2") || model.starts_with("gpt-realtime-2025") {
        let path = s.path("reasoning");
        return Err(ApiError::at(
            "invalid_value",
            path,
            format!("Reasoning is not supported by '{model}'."),
        ));
    }
    reasoning.only(&["effort"])?;
    reasoning
        .one_of("effort", &["minimal", "low", "medium", "high", "xhigh"])
        .map(|_| ())
}

/// 1..4096 or `"inf"`.
pub fn check_max_output_tokens(s: &Fields<'_>) -> Result<(), ApiError> {
    if s.get("max_output_tokens").is_some_and(|m| m == "inf") {
        return Ok(());
    }
    s.integer("max_output_tokens", 1, 4_096).map(|_| ())
}

/// How the context is kept short.
pub fn check_truncation(s: &Fields<'_>) -> Result<(), ApiError> {
    if !s.get("truncation").is_some_and(Value::is_object) {
        return s.one_of("truncation", &["auto", "disabled"]).map(|_| ());
    }
    let Some(truncation) = s.object("truncation")? else {
        return Ok(());
    };
    truncation.only(&["type", "retention_ratio", "token_limits"])?;
    truncation.required("type", truncation.one_of("type", &["retention_ratio"])?)?;
    truncation.required(
        "retention_ratio",
        truncation.number("retention_ratio", 0.0, 1.0)?,
    )?;
    if let Some(limits) = truncation.object("token_limits")? {
        limits.only(&["post_instructions"])?;
        limits.integer("post_instructions", 0, i64::MAX)?;
    }
    Ok(())
}
