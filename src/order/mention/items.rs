//! The items: each has its own part of a sentence, from its quantity and size to the next item.

use super::heads::{COUNTING, Head, heads};
use super::{Mention, is_negated};
use crate::order::answer;
use crate::order::letters::lower_case;
use crate::order::spoken::Spoken;
use crate::order::state::{Item, OrderState, Size};
use std::ops::Range;

/// Crusts that nobody mentions.
const PLAIN_CRUSTS: [&str; 4] = ["regular", "standard", "normal", "classic"];
const OTHER_CRUSTS: [&str; 7] = [
    "thin crust",
    "thick crust",
    "deep dish",
    "stuffed crust",
    "pan crust",
    "hand tossed",
    "gluten free",
];
/// What is only said of an item that was ordered so, toppings above all: one of them in an item's part
/// that is not the item's own makes it another item.
const TOPPINGS: [&str; 39] = [
    "pepperoni",
    "ham",
    "pineapple",
    "mushroom",
    "olive",
    "onion",
    "anchovy",
    "sausage",
    "bacon",
    "salami",
    "spinach",
    "feta",
    "tomato",
    "basil",
    "jalapeno",
    "chicken",
    "beef",
    "steak",
    "prosciutto",
    "artichoke",
    "broccoli",
    "pepper",
    "tuna",
    "shrimp",
    "corn",
    "meatball",
    "chorizo",
    "ricotta",
    "arugula",
    "eggplant",
    "zucchini",
    "avocado",
    "tofu",
    "calzone",
    "stromboli",
    "slice",
    "salad",
    "sandwich",
    "well done",
];
/// How much of a topping there is, if it was ordered so.
const AMOUNTS: [&str; 4] = ["extra", "double", "light", "half"];
/// What every pizza has, unless it is denied.
const ALWAYS: [&str; 2] = ["cheese", "sauce"];
/// Counted beside the items, and none.
const BESIDE: [&str; 12] = [
    "pizza", "pie", "topping", "size", "customer", "friend", "few", "couple", "quarter", "moment",
    "2nd", "question",
];
/// Behind these the sentence speaks of something else than the item.
const BEYOND: [&str; 12] = [
    "delivery",
    "deliver",
    "delivered",
    "pickup",
    "pick",
    "phone",
    "name",
    "address",
    "under",
    "total",
    "subtotal",
    "what",
];
/// A field of an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::order) enum Part {
    Quantity,
    Size,
    Crust,
    Name,
    Notes,
    Topping(usize),
}

/// What a turn says of the order's items.
pub(in crate::order) struct Counted {
    heads: Vec<Head>,
    /// Of each item as a whole.
    wholes: Vec<Option<Mention>>,
}

impl Counted {
    /// In a turn of the agent, which reads every item back as a whole.
    pub(in crate::order) fn by_agent(said: &Spoken, items: &[Item]) -> Self {
        Self::of(said, items, None)
    }

    /// In a turn of the shop, which abbreviates what it repeats to the agent, who said these words.
    pub(in crate::order) fn by_shop(said: &Spoken, items: &[Item], agent: &[&Spoken]) -> Self {
        Self::of(said, items, Some(agent))
    }

    fn of(said: &Spoken, items: &[Item], shop_to: Option<&[&Spoken]>) -> Self {
        let heads = heads(said, items);
        let more = more(said, &heads, items);
        let made = shop_to.and_then(|agent| made_otherwise(said, &heads, items, agent));
        let wholes = items.iter().map(|item| {
            let mention = mention(said, &heads, items, item, shop_to.is_some());
            match (&made, &more, mention) {
                (Some(at), _, _) | (_, Some(at), Some(_)) => Some(Mention::other(at.clone())),
                (_, _, mention) => mention,
            }
        });
        Self {
            wholes: wholes.collect(),
            heads,
        }
    }

    /// Whether a size stands at this position that none has.
    pub(in crate::order) fn is_of_other_size(&self, order: &OrderState, at: usize) -> bool {
        let mut heads = self.heads.iter().filter(|head| head.at.contains(&at));
        heads.any(|head| order.items.iter().all(|item| item.size != head.size))
    }

    /// Whether the turn counts items, and this one is none of them.
    pub(in crate::order) fn leaves_out(&self, said: &Spoken, items: &[Item], which: usize) -> bool {
        let Some(item) = items.get(which) else {
            return false;
        };
        let is_counted =
            |head: &&Head| head.quantity.is_some() && answer::is_stated(said, head.at.start);
        let counts = self.heads.iter().any(|head| is_counted(&head));
        let is_said = !words_of(said, item).is_empty();
        counts && !is_said && counted(&self.heads, item.size) < ordered(items, item.size)
    }

    /// One of the items as a whole.
    pub(in crate::order) fn item(&self, which: usize) -> Option<Mention> {
        self.wholes.get(which).cloned().flatten()
    }

    /// One field of an item: in the words that say the whole item, or, while there is no other item it
    /// could belong to, wherever it is said.
    pub(in crate::order) fn part(
        &self,
        said: &Spoken,
        items: &[Item],
        which: usize,
        part: Part,
    ) -> Option<Mention> {
        let wanted = items.get(which)?;
        let whole = self.item(which).filter(|mention| mention.says);
        if whole.is_none() && items.len() > 1 {
            return None;
        }
        let within = whole
            .as_ref()
            .map_or(0..said.len(), |mention| mention.at.clone());
        let head = self
            .heads
            .iter()
            .find(|head| within.contains(&head.at.start) && head.size == wanted.size);
        let text = |text: &str| {
            let found = said.find(text).into_iter();
            let at = found.min_by_key(|at| !within.contains(&at.start))?;
            let denied = is_negated(said, at.start);
            Some(Mention { says: !denied, at })
        };
        match part {
            Part::Quantity => head.and_then(|head| {
                let says = head.fits(wanted);
                // "A large" is one; without any number, one is what the noun by itself says.
                (head.quantity.is_some() || whole.is_some()).then(|| Mention {
                    says,
                    at: match &head.quantity {
                        Some(_) => head.at.start..said.number_end(head.at.start),
                        None => head.at.clone(),
                    },
                })
            }),
            Part::Size => {
                let size = wanted.size?.spoken();
                head.and_then(|head| said.find(size).into_iter().find(|at| at.end == head.at.end))
                    .map(Mention::same)
            }
            Part::Crust => {
                let crust = wanted.crust.as_deref()?;
                text(special_crust(wanted).unwrap_or(crust)).or_else(|| {
                    let other = said.find_any(&OTHER_CRUSTS).into_iter().next()?;
                    // Of several items each has its own, which the whole has none of.
                    (special_crust(wanted).is_none()
                        && items.len() == 1
                        && !is_negated(said, other.start))
                    .then(|| Mention::other(other))
                })
            }
            Part::Name => text(wanted.name.as_deref()?),
            Part::Notes => text(wanted.notes.as_deref()?),
            Part::Topping(at) => text(wanted.toppings.get(at)?),
        }
    }
}

/// One of the order's items: its quantity before its size, its toppings, and a crust worth
/// mentioning. With several items each has its own part of the sentence, and a part that fits none
/// of them contradicts them all.
fn mention(
    said: &Spoken,
    heads: &[Head],
    items: &[Item],
    wanted: &Item,
    by_shop: bool,
) -> Option<Mention> {
    let mut stray = None;
    let mut found = None;
    for head in heads {
        let own = part_of(said, heads, head, items.len() == 1);
        let whole = |item: &Item| whole(said, head, item, &own);
        // "One large, one small", "your two large pizzas".
        let abbreviates = by_shop
            && !has_other_topping(said, wanted, &own.near)
            && (items.iter().any(|item| head.fits(item))
                || head.number() == Some(ordered(items, head.size)));
        if let Some(at) = whole(wanted) {
            found = found.or(Some(at));
        } else if (head.quantity.is_some()
            || has_other_topping(said, wanted, &own.near)
            || is_of_no_item(said, head, items))
            && !abbreviates
            && !items.iter().any(|item| whole(item).is_some())
        {
            stray = stray.or_else(|| Some(head.at.clone()));
        }
    }
    let denied = wanted.toppings.iter().chain(&wanted.name).find_map(|text| {
        let found = said.find(text).into_iter();
        found.into_iter().find(|at| is_negated(said, at.start))
    });
    let recounted = items.len() == 1 && found.is_some() || heads.is_empty();
    let recounted = recounted
        .then(|| recount(said, wanted, found.as_ref().map_or(0, |at| at.end)))
        .flatten();
    match (stray.or(denied).or(recounted), found) {
        (Some(at), _) => Some(Mention::other(at)),
        (None, Some(at)) => Some(Mention::same(at)),
        (None, None) => None,
    }
}

/// Something that is counted beside the items and is none of them: "and a Coke", "plus two salads".
fn more(said: &Spoken, heads: &[Head], items: &[Item]) -> Option<Range<usize>> {
    let Range { start, end } = heads.first()?.at;
    let mut own = said.find_any(&OTHER_CRUSTS);
    own.extend(items.iter().flat_map(|item| words_of(said, item)));
    own.extend(heads.iter().map(|head| head.at.clone()));
    let is_known = |at: usize| {
        said.word(at)
            .is_none_or(|word| answer::is_known(word) || BESIDE.contains(&word))
            || own.iter().any(|own| own.contains(&at))
    };
    let counted = |at: usize| {
        let is_counted = said.is_one_of(at, &["a", "an", "some", "another"])
            || said.number_at(at).is_some_and(|number| number <= 20);
        let mut behind = at + 1..said.len();
        // "A two liter Coke".
        let counts = |at: usize| said.is_one_of(at, &COUNTING) || said.number_at(at).is_some();
        let thing = behind.find(|at| said.is_pause(*at) || !counts(*at))?;
        (is_counted && !said.is_pause(thing) && !is_known(thing)).then_some(at..thing + 1)
    };
    let joins = |at: usize| said.is_one_of(at, &["and", "plus", "also", "with"]);
    let beyond = (end..said.len()).find(|at| said.is_one_of(*at, &BEYOND));
    let listed = |at: usize| said.is_pause(at) && beyond.is_none_or(|beyond| at < beyond);
    let behind = (end..said.len()).filter(|at| joins(at - 1) || listed(*at));
    let and = start.checked_sub(1).filter(|at| joins(*at));
    let before = and.map_or(0..0, |and| and.saturating_sub(4)..and);
    behind.chain(before).find_map(counted)
}

/// How many of this size were ordered.
fn ordered(items: &[Item], size: Option<Size>) -> u64 {
    let of_size = items.iter().filter(|item| item.size == size);
    of_size.map(|item| u64::from(item.quantity)).sum()
}

/// How many of this size a turn counts.
fn counted(heads: &[Head], size: Option<Size>) -> u64 {
    let of_size = heads.iter().filter(|head| head.size == size);
    of_size.map(|head| head.number().unwrap_or(1)).sum()
}

/// What the shop says it makes without counting it, and nobody ordered: "your mushroom pizza". What the
/// agent said beside the same word may be a street, and what has a capital letter a shop.
fn made_otherwise(
    said: &Spoken,
    heads: &[Head],
    items: &[Item],
    agent: &[&Spoken],
) -> Option<Range<usize>> {
    let own: Vec<Range<usize>> = items.iter().flat_map(|item| words_of(said, item)).collect();
    let is_own = |at: &Range<usize>| own.iter().any(|own| own.contains(&at.start));
    let pair = |at: usize| {
        let beside = |at: usize| said.word(at).is_some_and(|word| !answer::is_known(word));
        let said_by = |words: &&Spoken| {
            (1..words.len()).any(|i| said.same(at, words, i - 1) && said.same(at + 1, words, i))
        };
        (beside(at) && beside(at + 1)) && agent.iter().any(said_by)
    };
    let is_name = |at: usize| {
        said.raw(at..at + 1).starts_with(char::is_uppercase) && said.sentence(at).0.start != at
    };
    let is_meant = |at: &Range<usize>| {
        answer::is_stated(said, at.start)
            && !is_name(at.start)
            && !pair(at.start)
            && !at.start.checked_sub(1).is_some_and(pair)
    };
    let is_pizza = |at: usize| said.is_one_of(at, &["pizza", "pie"]) && !said.is_pause(at);
    let mut found = said.find_any(&TOPPINGS);
    found.extend(said.find_any(&OTHER_CRUSTS));
    // "A medium", where none was ordered, but not "a small fee".
    let sized = items.iter().all(|item| item.size.is_some());
    let of_money = ["order", "fee", "charge", "bill", "change", "delivery"];
    found.extend(heads.iter().filter_map(|head| {
        let size = head.at.end - 1..head.at.end;
        let is_other = sized && items.iter().all(|item| item.size != head.size);
        (is_other && !said.is_one_of(size.end, &of_money)).then_some(size)
    }));
    // "A large cheese", where every one has something on it.
    let topped = |item: &Item| item.name.is_some() || !item.toppings.is_empty();
    if items.iter().all(topped) {
        let plain = said.find_any(&["cheese", "plain"]).into_iter();
        found.extend(plain.filter(|at| {
            let behind_size = heads.iter().any(|head| head.at.end == at.start);
            behind_size && !said.is_pause(at.start) || is_pizza(at.end)
        }));
    }
    // "Extra cheese".
    let amounts = said.find_any(&AMOUNTS).into_iter();
    found.extend(
        amounts.filter(|at| {
            said.is_one_of(at.end, &ALWAYS) || own.iter().any(|own| own.start == at.end)
        }),
    );
    found.retain(|at| !is_negated(said, at.start));
    // "Without cheese".
    let mut always = said.find_any(&ALWAYS);
    always.retain(|at| is_negated(said, at.start));
    found.extend(always);
    found.retain(|at| !is_own(at));
    // "Two pizzas".
    let all: u64 = items.iter().map(|item| u64::from(item.quantity)).sum();
    let without: u64 = all - ordered(items, None);
    found.extend((0..said.len()).filter_map(|at| {
        let number = said.number_at(at).filter(|number| *number <= 20)?;
        let own = |at: &usize| own.iter().any(|own| own.contains(at));
        let thing = (at + 1..said.len()).find(|at| !own(at))?;
        (is_pizza(thing) && number != all && number != without).then_some(at..thing + 1)
    }));
    found.into_iter().find(is_meant)
}

/// Whether an item is said by a size that none has: "the medium", "a medium pepperoni".
fn is_of_no_item(said: &Spoken, head: &Head, items: &[Item]) -> bool {
    let Range { start, end } = head.at;
    let begins = said.is_pause(start)
        || start
            .checked_sub(1)
            .is_none_or(|before| said.is_one_of(before, &["a", "the"]));
    let ends = end == said.len()
        || said.is_pause(end)
        || said.is_one_of(end, &["pizza", "pie"])
        || said.find_any(&TOPPINGS).iter().any(|at| at.start == end);
    begins
        && ends
        && items
            .iter()
            .all(|item| item.size.is_some() && item.size != head.size)
}

/// "Make that two", "two of those": another quantity without its item.
fn recount(said: &Spoken, item: &Item, from: usize) -> Option<Range<usize>> {
    let corrected = said
        .find_any(&["make that", "make it", "sorry", "i mean", "change that to"])
        .into_iter()
        .map(|at| at.end);
    let of_those = said
        .find_any(&["of those", "of them", "of these"])
        .into_iter()
        .filter_map(|at| at.start.checked_sub(1));
    corrected.chain(of_those).find_map(|at| {
        let quantity = said.number_at(at).filter(|_| at >= from)?;
        let price = said
            .amounts()
            .iter()
            .any(|a| a.explicit && a.from <= at && at < a.to);
        let long = said.number_at(at + 1).is_some();
        (quantity != u64::from(item.quantity) && !price && !long).then_some(at..at + 1)
    })
}

/// The words of one head: its own up to the next, and those in which its toppings may stand.
struct Own {
    near: Range<usize>,
    all: Range<usize>,
}

fn part_of(said: &Spoken, heads: &[Head], head: &Head, alone: bool) -> Own {
    let next = heads
        .iter()
        .map(|head| head.at.start)
        .find(|next| *next > head.at.start)
        .unwrap_or(said.len());
    let (sentence, _) = said.sentence(head.at.start);
    // "Ham on the large and olives on the small."
    if let Some(on) = head.at.start.checked_sub(2)
        && said.is_word(on, "on")
        && said.is_word(on + 1, "the")
    {
        let before = heads.iter().map(|head| head.at.end);
        let from = before
            .filter(|end| *end <= on)
            .max()
            .unwrap_or(sentence.start);
        let near = from.max(sentence.start)..head.at.end;
        let all = if alone { 0..said.len() } else { near.clone() };
        return Own { near, all };
    }
    let end = (head.at.end..next.min(sentence.end))
        .find(|at| said.is_one_of(*at, &BEYOND))
        .unwrap_or_else(|| next.min(sentence.end));
    // A lone item may have been spread over the turn: "a pepperoni pizza. Large, please."
    let all = if alone {
        0..said.len()
    } else {
        head.at.start..next
    };
    Own {
        near: head.at.start..end.max(head.at.end),
        all,
    }
}

/// Where the head says the whole item, if it does.
fn whole(said: &Spoken, head: &Head, item: &Item, own: &Own) -> Option<Range<usize>> {
    if !head.fits(item) || has_other_topping(said, item, &own.near) {
        return None;
    }
    let mut at = head.at.clone();
    let crust = special_crust(item);
    let texts = item.toppings.iter().chain(&item.name).map(String::as_str);
    for text in texts.chain(crust) {
        let place = nearest(said, text, &own.all, &head.at)?;
        at = at.start.min(place.start)..at.end.max(place.end);
    }
    let other_crust = crust.is_none()
        && said
            .find_any(&OTHER_CRUSTS)
            .iter()
            .any(|other| own.all.contains(&other.start) && !is_negated(said, other.start));
    (!other_crust).then_some(at)
}

/// The place of the text that is nearest to the head, among those that are not denied.
fn nearest(
    said: &Spoken,
    text: &str,
    within: &Range<usize>,
    head: &Range<usize>,
) -> Option<Range<usize>> {
    said.find(text)
        .into_iter()
        .filter(|at| within.contains(&at.start) && !is_negated(said, at.start))
        .min_by_key(|at| at.start.abs_diff(head.end))
}

fn has_other_topping(said: &Spoken, item: &Item, within: &Range<usize>) -> bool {
    let own = words_of(said, item);
    let is_other = |at: &Range<usize>| {
        within.contains(&at.start) && !own.iter().any(|own| own.contains(&at.start))
    };
    // Not "extra large", "half an hour", "three dollars extra".
    let mut others = said.find_any(&AMOUNTS);
    others.retain(|at| {
        !said.is_pause(at.end) && !said.is_one_of(at.end, &["large", "a", "an", "hour", "past"])
    });
    others.extend(said.find_any(&TOPPINGS));
    let is_denied = |at: &Range<usize>| is_negated(said, at.start);
    let mut always = said.find_any(&ALWAYS).into_iter();
    others.iter().any(|at| is_other(at) && !is_denied(at))
        || always.any(|at| is_other(&at) && is_denied(&at))
}

/// Where something of the item is said.
fn words_of(said: &Spoken, item: &Item) -> Vec<Range<usize>> {
    let texts = item.toppings.iter().chain(&item.name).chain(&item.crust);
    let texts = texts.chain(&item.notes);
    texts.flat_map(|text| said.find(text)).collect()
}

/// The crust, if it is worth mentioning.
fn special_crust(item: &Item) -> Option<&str> {
    let crust = item.crust.as_deref()?.trim();
    let name = crust
        .get(crust.len().saturating_sub(6)..)
        .filter(|end| end.eq_ignore_ascii_case(" crust"))
        .and_then(|_| crust.get(..crust.len() - 6))
        .unwrap_or(crust);
    (!PLAIN_CRUSTS.contains(&lower_case(name).as_str())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_the_one_spelling() {
        let lists: [&[&str]; 6] = [
            &TOPPINGS,
            &OTHER_CRUSTS,
            &AMOUNTS,
            &ALWAYS,
            &BESIDE,
            &super::super::CORRECTIONS,
        ];
        for phrase in lists.concat() {
            let said = Spoken::parse(phrase);
            assert_eq!(said.find_any(&[phrase]).len(), 1, "{phrase}");
        }
    }
}
