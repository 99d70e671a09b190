//! A few conversations of each family, and what the lab itself can tell.

use super::super::signals::Random;
use super::*;
use std::collections::BTreeSet;

fn lab() -> Lab {
    Lab::new(&rig::clips().unwrap())
}

#[test]
fn there_are_thirty_families_at_least_and_no_name_twice() {
    let names: BTreeSet<&str> = families::all().iter().map(|family| family.name).collect();
    assert_eq!(names.len(), families::all().len());
    assert!(names.len() >= 30, "{}", names.len());
}

#[test]
fn the_same_seed_gives_the_same_conversation() {
    let lab = lab();
    let family = families::all()[0];
    let told = |seed| {
        let (plan, run, ..) = lab.hold(family, seed).unwrap();
        let texts: Vec<String> = plan.lines.iter().map(|line| line.spoken.text()).collect();
        (texts, run.trace)
    };
    assert!(told(3) == told(3));
    assert!(told(3).0 != told(4).0);
}

#[test]
fn a_conversation_of_each_family_ends_right() {
    let judged = lab().hold_all(&families::all(), 1, 1).unwrap();
    let told = |judged: &Judged| {
        let failures = judged.score.failures();
        format!("{} {}: {}", judged.family, judged.seed, failures.join("; "))
    };
    let wrong = judged.iter().filter(|judged| !judged.score.is_right());
    let wrong: Vec<String> = wrong.map(told).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_affirmed_and_what_was_only_heard_are_told_apart() {
    let lab = lab();
    let family = |name: &str| {
        let families = families::all();
        *families.iter().find(|family| family.name == name).unwrap()
    };
    let standing = |name: &str, seed: u64, pointer: &str| {
        let (plan, _, truth, _) = lab.hold(family(name), seed).unwrap();
        let order = &plan.scenario.request["order"];
        let value = order.pointer(pointer).unwrap();
        let value = value.as_str().map_or(value.to_string(), order::plain);
        truth.standing(&format!("/order{pointer}"), &value)
    };
    let phone = "/customer/phone";
    let affirmed = Some(truth::Standing::Affirmed);
    assert_eq!(standing("delivery", 1, phone), affirmed);
    let heard = Some(truth::Standing::Heard);
    assert_eq!(standing("silent-after-read-back", 1, phone), heard);
    assert_eq!(standing("half-heard-phone", 1, phone), None);
    assert_eq!(standing("digits-swapped", 1, phone), None);
}

#[test]
fn a_spoken_line_is_as_long_as_nobody_is_quick() {
    let voices = Voices::new(&rig::clips().unwrap());
    let spoken = voices.shop(&mut Random::new(1), "one large pizza, please");
    let ms = spoken.audio.len() / 8;
    assert!(ms >= "one large pizza, please".len() * 1_000 / 15, "{ms}");
}
