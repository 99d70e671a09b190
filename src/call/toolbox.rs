//! The model's tool calls, carried out.

use super::Call;
use super::ending::Farewell;
use super::output::LogLine;
use super::timers::Timer;
use crate::json::FieldError;
use crate::order::request::OrderRequest;
use crate::order::tools::{self, Tool};
use crate::realtime::server::ToolCall;

/// How long a total waits for the words that prove it, in ms.
const WORDS_PATIENCE_MS: u64 = 3_000;
/// Tool calls of one call that are carried out; after that a model in a loop can only end the call.
const MAX_TOOL_CALLS: usize = 200;

impl Call {
    pub(super) fn tool_call(&mut self, now: u64, call: ToolCall) {
        let done = &mut self.model.done_calls;
        let tired = done.len() >= MAX_TOOL_CALLS;
        if done.contains(&call.call_id) {
            return;
        } else if !tired {
            done.push(call.call_id.clone());
        }
        self.model.current.tools_called = self.model.current.tools_called.saturating_add(1);
        let result = Tool::parse(&call.name, &call.arguments).and_then(|tool| match tool {
            Tool::EndCall { .. } | Tool::EscalateToHuman | Tool::DoNotCall => {
                self.run_tool(now, &call.call_id, tool)
            }
            _ if tired => Err(vec![FieldError::new(
                "",
                "too many tool calls: end the call",
            )]),
            _ => self.run_tool(now, &call.call_id, tool),
        });
        let output = match result {
            Ok(Ran::Later) => return,
            Ok(Ran::Said(output)) => output,
            Ok(Ran::Recorded) => {
                self.record.log_tool(now, known_name(&call.name), &[]);
                self.save();
                tools::accepted(&self.record.order)
            }
            Err(errors) => {
                self.model.current.tools_failed = self.model.current.tools_failed.saturating_add(1);
                let refused: Vec<String> = errors.iter().map(|e| e.pointer.clone()).collect();
                self.record.log_tool(now, known_name(&call.name), &refused);
                tools::refused(&errors)
            }
        };
        self.log(LogLine::info("tool").what(known_name(&call.name)));
        self.model.outputs.push((call.call_id, output));
    }

    fn run_tool(&mut self, now: u64, call_id: &str, tool: Tool) -> Result<Ran, Vec<FieldError>> {
        match tool {
            Tool::SaveOrderItem { item, replaces } => {
                self.as_asked_for(|wanted| wanted.check_item(&item))?;
                self.record
                    .order
                    .save_item(item, replaces)
                    .map(|()| Ran::Recorded)
            }
            Tool::SetCustomer {
                customer,
                delivery_method,
            } => {
                self.as_asked_for(|wanted| wanted.check_customer(&customer, delivery_method))?;
                self.record.order.set_customer(customer, delivery_method);
                Ok(Ran::Recorded)
            }
            Tool::SetAddress(address) => {
                self.as_asked_for(|wanted| wanted.check_address(&address))?;
                self.record.order.set_address(address);
                Ok(Ran::Recorded)
            }
            Tool::ConfirmTotal(totals) => {
                // The shop's words are written down beside the conversation, often after the
                // model has acted on them.
                if self.record.transcript.is_pending() {
                    self.run_pending_total();
                    self.model.pending_total = Some((call_id.to_owned(), totals));
                    self.timers
                        .set(Timer::Words, now.saturating_add(WORDS_PATIENCE_MS));
                    Ok(Ran::Later)
                } else {
                    Ok(Ran::Said(self.confirm(totals)))
                }
            }
            Tool::PressDigits(_)
                if self.model.is_cut_off()
                    || self.model.pending_keys.is_some()
                    || !self.phone.is_streaming() =>
            {
                Ok(Ran::Said(tools::interrupted()))
            }
            Tool::PressDigits(digits) => {
                self.press(now, call_id, &digits);
                Ok(Ran::Later)
            }
            Tool::EndCall { .. } | Tool::EscalateToHuman | Tool::DoNotCall
                if self.model.is_cut_off() =>
            {
                Err(vec![FieldError::new(
                    "",
                    "the shop has just interrupted: listen first",
                )])
            }
            Tool::EndCall { reason: None } if self.must_give_reason() => {
                Err(vec![FieldError::new(
                    "/reason",
                    "the total is not confirmed: say why the call ends, or finish the order first",
                )])
            }
            Tool::EndCall { reason } => {
                if self.record.order.totals.is_none() {
                    self.record.gave_up = reason;
                }
                self.model.current.farewell = Some(Farewell::Goodbye);
                Ok(Ran::Said(tools::done()))
            }
            Tool::DoNotCall => {
                self.note_do_not_call();
                self.model.current.farewell = Some(Farewell::DoNotCall);
                Ok(Ran::Said(tools::done()))
            }
            Tool::EscalateToHuman if self.settings.handoff_number.is_some() => {
                self.model.current.farewell = Some(Farewell::Handoff);
                Ok(Ran::Said(tools::done()))
            }
            Tool::EscalateToHuman => {
                self.model.current.farewell = Some(Farewell::NoHandoff);
                Ok(Ran::Said(tools::nobody_there()))
            }
        }
    }

    /// Whether a call may not end yet without a reason: it is asked for once.
    fn must_give_reason(&mut self) -> bool {
        let open = self.record.request.is_some() && self.record.order.totals.is_none();
        open && !std::mem::replace(&mut self.model.told.reason, true)
    }

    /// Refuses what is not as the customer asked for.
    fn as_asked_for(
        &self,
        check: impl Fn(&OrderRequest) -> Vec<FieldError>,
    ) -> Result<(), Vec<FieldError>> {
        let wanted = self.record.request.as_ref().map(|request| &request.order);
        let errors = wanted.map(check).unwrap_or_default();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Confirms the total that waited for the shop's words.
    pub(super) fn run_pending_total(&mut self) {
        let Some((call_id, totals)) = self.model.pending_total.take() else {
            return;
        };
        self.timers.stop(Timer::Words);
        let output = self.confirm(totals);
        self.log(LogLine::info("tool").what("confirm_total"));
        self.model.outputs.push((call_id, output));
        if self.model.flight == super::model::Flight::Free {
            self.send_tool_outputs();
            self.want_after_tools();
        }
    }

    fn confirm(&mut self, totals: crate::order::state::Totals) -> String {
        let request = self.record.request.as_ref();
        let max_total = request.and_then(|r| r.max_total);
        let order = request.map(|r| &r.order);
        let transcript = &self.record.transcript;
        let confirmed = self
            .record
            .order
            .confirm_total(totals, transcript, max_total, order);
        let missing = confirmed.as_ref().err().map_or(&[][..], Vec::as_slice);
        self.record.log_tool(self.clock, "confirm_total", missing);
        self.save();
        match confirmed {
            Ok(()) => {
                let open = self.record.order.unanswered(&self.record.transcript);
                if open.is_empty() || std::mem::replace(&mut self.model.told.yes, true) {
                    tools::accepted(&self.record.order)
                } else {
                    self.model.current.tools_failed =
                        self.model.current.tools_failed.saturating_add(1);
                    tools::unanswered(&self.record.order, &open)
                }
            }
            Err(missing) => {
                self.model.current.tools_failed = self.model.current.tools_failed.saturating_add(1);
                tools::not_yet(&missing)
            }
        }
    }
}

/// What became of a tool call.
enum Ran {
    /// It changed the order.
    Recorded,
    /// It has its own answer.
    Said(String),
    /// It is answered later.
    Later,
}

/// The tool's name as a word of ours, for the log.
fn known_name(name: &str) -> &'static str {
    [
        "save_order_item",
        "set_customer",
        "set_address",
        "confirm_total",
        "press_digits",
        "end_call",
        "escalate_to_human",
        "do_not_call",
    ]
    .into_iter()
    .find(|known| *known == name)
    .unwrap_or("unknown")
}
