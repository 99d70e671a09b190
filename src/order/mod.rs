//! The order: what the customer wants, what the call established, the words that were heard, and
//! what they prove. Pure, and knows nothing of telephony or of the model.

pub mod answer;
mod confirm;
pub mod evidence;
mod mention;
pub mod money;
mod number_words;
pub mod payment;
pub mod request;
pub mod spoken;
pub mod state;
pub mod tools;
pub mod transcript;
