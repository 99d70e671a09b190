//! The order: what the customer wants, what the call established, the words that were heard, and
//! what they prove. Pure, and knows nothing of telephony or of the model.

mod anchors;
pub mod answer;
pub mod backchannel;
mod confirm;
pub mod digits;
pub mod disclosure;
pub mod do_not_call;
pub mod evidence;
pub mod letters;
mod mention;
pub mod money;
mod number_words;
pub mod own_words;
pub mod payment;
pub mod request;
mod sentence;
pub mod spoken;
pub mod state;
pub mod tools;
pub mod transcript;
pub mod wish;
