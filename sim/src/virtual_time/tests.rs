use super::post::Lane;
use super::*;
use crate::scenario::load_all;
use std::path::Path;
use std::sync::LazyLock;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
const JITTER_MS: u64 = 60;

/// The committed scenarios and the clips that they name; calls that come in are played in workerd
/// only.
static FIXTURES: LazyLock<(Vec<Scenario>, Clips)> = LazyLock::new(|| {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
    let clips = Clips::load(&fixtures.join("speech")).unwrap();
    let mut scenarios = load_all(&fixtures.join("scenarios"), &clips).unwrap();
    scenarios.retain(|scenario| !scenario.network.inbound);
    (scenarios, clips)
});

fn jitter(seed: u64) -> Delays {
    Delays {
        jitter_ms: JITTER_MS,
        model_jitter_ms: JITTER_MS,
        seed,
        ..Delays::default()
    }
}

fn scenario(name: &str) -> Scenario {
    let (scenarios, _) = &*FIXTURES;
    let named = scenarios.iter().find(|scenario| scenario.name == name);
    named.unwrap().clone()
}

/// The first call of all.
fn run_first(scenario: Scenario, delays: Delays) -> Run {
    run(scenario, &FIXTURES.1, delays, Kept::new()).unwrap()
}

/// What a first call leaves to the others: the greeting.
static KEPT: LazyLock<Kept> =
    LazyLock::new(|| run_first(scenario("shop-says-mm-hmm"), Delays::default()).kept);

/// Runs every scenario as the first call and as a later one, and shows all that went wrong in any
/// of them.
fn every_scenario_meets_its_expectations(delays: Delays) {
    let (scenarios, clips) = &*FIXTURES;
    let mut wrong = String::new();
    for kept in [Kept::new(), KEPT.clone()] {
        for scenario in scenarios {
            let run = run(scenario.clone(), clips, delays, kept.clone()).unwrap();
            let differences = run.differences();
            if !differences.is_empty() {
                let (name, list) = (&scenario.name, differences.join("\n  "));
                let (known, events) = (kept.len(), run.events());
                wrong += &format!("{name}, {known} greetings, {delays:?}:\n  {list}\n{events}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_scenario_meets_its_expectations_in_virtual_time() {
    every_scenario_meets_its_expectations(Delays::default());
}

fn first_audio_ms(run: &Run) -> u64 {
    run.play.timeline.first_audio_ms().unwrap()
}

#[test]
fn the_first_call_keeps_the_greeting_and_the_next_begins_with_it_at_once() {
    let (_, clips) = &*FIXTURES;
    let near = Delays {
        phone_ms: 0,
        ..Delays::default()
    };
    let first = run_first(scenario("shop-says-mm-hmm"), near);
    let kept: Vec<_> = first.kept.values().collect();
    assert_eq!(kept, [&clips.get("generic/disclosure").unwrap().audio]);
    assert!(first_audio_ms(&first) > 50, "the model has to speak it");
    let later = scenario("happy-delivery");
    let later = run(later, clips, near, first.kept).unwrap();
    assert!(first_audio_ms(&later) <= 50);
    assert_eq!(later.differences(), [""; 0]);
}

#[test]
fn every_scenario_meets_its_expectations_with_jitter() {
    std::thread::scope(|threads| {
        for seed in SEEDS {
            threads.spawn(move || every_scenario_meets_its_expectations(jitter(seed)));
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_call_byte_for_byte() {
    let (scenarios, clips) = &*FIXTURES;
    for scenario in scenarios {
        let play = |()| run(scenario.clone(), clips, jitter(7), KEPT.clone()).unwrap();
        let [first, second] = [(); 2].map(play);
        assert!(first.trace == second.trace, "{}", scenario.name);
        assert_eq!(first.events(), second.events());
        assert_eq!(first.outcome, second.outcome);
    }
}

#[test]
fn another_seed_gives_another_call() {
    let [first, second] = [1, 2].map(|seed| run_first(scenario("busy"), jitter(seed)).trace);
    assert_ne!(first, second);
}

#[test]
fn an_outcome_that_was_not_expected_is_found() {
    let mut scenario = scenario("busy");
    scenario.expect.status = "confirmed".into();
    let run = run_first(scenario, Delays::default());
    let difference = "/status: expected \"confirmed\", is \"busy\"";
    assert_eq!(run.differences(), [difference]);
}

#[test]
fn each_way_has_its_delay_and_keeps_its_order() {
    let mut post = Post::new(Delays {
        jitter_ms: 50,
        model_jitter_ms: 50,
        ..Delays::default()
    });
    for socket in 1..=20 {
        post.send(Lane::ModelOut, Delivery::Model(ToModel::Closed { socket }));
    }
    post.send(Lane::Rest, Delivery::Phone(ToPhone::HangUp));
    let mut sockets = Vec::new();
    while let Some(at) = post.next_at() {
        assert!(post.take().is_none(), "it is not yet there");
        post.advance(at);
        while let Some((_, delivery)) = post.take() {
            match delivery {
                Delivery::Model(ToModel::Closed { socket }) => {
                    assert!((20..=70).contains(&at));
                    sockets.push(socket);
                }
                _ => assert!((30..=80).contains(&at)),
            }
        }
    }
    assert!(sockets.into_iter().eq(1..=20));
}
