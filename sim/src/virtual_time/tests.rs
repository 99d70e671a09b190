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

fn busy() -> Scenario {
    let (scenarios, _) = &*FIXTURES;
    let busy = scenarios.iter().find(|scenario| scenario.name == "busy");
    busy.unwrap().clone()
}

/// Runs every scenario, and shows all that went wrong in any of them.
fn every_scenario_meets_its_expectations(delays: Delays) {
    let (scenarios, clips) = &*FIXTURES;
    let mut wrong = String::new();
    for scenario in scenarios {
        let run = run(scenario.clone(), clips, delays).unwrap();
        let differences = run.differences();
        if !differences.is_empty() {
            let (name, list) = (&scenario.name, differences.join("\n  "));
            wrong += &format!("{name}, {delays:?}:\n  {list}\n{}\n", run.events());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_scenario_meets_its_expectations_in_virtual_time() {
    every_scenario_meets_its_expectations(Delays::default());
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
        let play = |()| run(scenario.clone(), clips, jitter(7)).unwrap();
        let [first, second] = [(); 2].map(play);
        assert!(first.trace == second.trace, "{}", scenario.name);
        assert_eq!(first.events(), second.events());
        assert_eq!(first.outcome, second.outcome);
    }
}

#[test]
fn another_seed_gives_another_call() {
    let (_, clips) = &*FIXTURES;
    let [first, second] = [1, 2].map(|seed| run(busy(), clips, jitter(seed)).unwrap().trace);
    assert_ne!(first, second);
}

#[test]
fn an_outcome_that_was_not_expected_is_found() {
    let (_, clips) = &*FIXTURES;
    let mut scenario = busy();
    scenario.expect.status = "confirmed".into();
    let run = run(scenario, clips, Delays::default()).unwrap();
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
