use super::*;
use proptest::prelude::*;

const SEC: u64 = 8_000;

fn audio(bytes: u64) -> Vec<u8> {
    vec![0; usize::try_from(bytes).unwrap()]
}

/// Sends a piece; the name of the mark behind it.
fn send(p: &mut Playback, now: u64, item: &str, from: u64, bytes: u64) -> String {
    p.send(now, item, from, audio(bytes))
        .unwrap()
        .after
        .unwrap()
}

fn heard(item: &str, bytes: u64) -> Vec<Heard> {
    let item_id = item.into();
    vec![Heard { item_id, bytes }]
}

fn cut(item: &str, heard_ms: u64, received_ms: u64) -> Cut {
    Cut {
        item_id: item.into(),
        heard_ms,
        received_ms,
    }
}

/// Interrupts for good.
fn stop(p: &mut Playback, now: u64) -> Vec<Cut> {
    p.hold(now);
    p.drop_held()
}

#[test]
fn a_reply_is_heard_when_its_marks_come_back() {
    let mut p = Playback::default();
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    let second = send(&mut p, 10, "a", SEC, SEC);
    assert!(p.is_playing(1_999) && !p.is_playing(2_000));
    assert_eq!(p.echoed(0, &first.before.unwrap()), heard("a", 0));
    assert_eq!(
        p.echoed(1_000, first.after.as_ref().unwrap()),
        heard("a", SEC)
    );
    assert_eq!(
        p.echoed(1_010, first.after.as_ref().unwrap()),
        [],
        "an echo proves once"
    );
    assert!(!p.is_drained());
    assert_eq!(p.echoed(2_000, &second), heard("a", 2 * SEC));
    assert!(p.is_drained());
}

#[test]
fn only_a_reply_that_begins_anew_has_a_mark_in_front() {
    let mut p = Playback::default();
    assert!(p.send(0, "a", 0, audio(SEC)).unwrap().before.is_some());
    assert!(p.send(10, "a", SEC, audio(SEC)).unwrap().before.is_none());
    assert!(p.send(2_000, "b", 0, audio(SEC)).unwrap().before.is_some());
}

#[test]
fn an_interruption_is_placed_where_the_audio_was() {
    let mut p = Playback::default();
    send(&mut p, 0, "a", 0, SEC);
    send(&mut p, 100, "a", SEC, SEC);
    assert_eq!(stop(&mut p, 1_480), [cut("a", 1_480, 2_000)]);
    assert!(!p.is_playing(1_481));
}

#[test]
fn replies_that_queue_behind_each_other_are_placed_one_after_the_other() {
    let mut p = Playback::default();
    send(&mut p, 0, "a", 0, 2 * SEC);
    send(&mut p, 50, "b", 0, 2 * SEC);
    let cuts = stop(&mut p, 2_500);
    assert_eq!(cuts, [cut("b", 500, 2_000)], "a was heard to its end");
    send(&mut p, 3_000, "c", 0, SEC);
    send(&mut p, 3_000, "d", 0, SEC);
    let cuts = stop(&mut p, 3_400);
    assert_eq!(cuts, [cut("c", 400, 1_000), cut("d", 0, 1_000)]);
}

#[test]
fn odd_pieces_do_not_add_up_to_a_drift() {
    let mut p = Playback::default();
    for n in 0..100 {
        p.send(0, "a", n * 799, audio(799));
    }
    assert_eq!(p.ends_at(), 9_988);
}

#[test]
fn echoes_after_a_clear_prove_nothing() {
    let mut p = Playback::default();
    let mark = send(&mut p, 0, "a", 0, SEC);
    stop(&mut p, 100);
    assert_eq!(p.echoed(101, &mark), []);
    let next = send(&mut p, 200, "b", 0, SEC);
    assert_eq!(p.echoed(210, &mark), []);
    assert_eq!(p.echoed(1_200, &next), heard("b", SEC));
    for nonsense in ["", "g", "g1", "g1-999", "x1-1", "g-1-1"] {
        assert_eq!(p.echoed(1_300, nonsense), [], "{nonsense}");
    }
}

#[test]
fn the_marks_of_its_audio_and_of_the_clear_place_a_cut_whatever_the_delays() {
    let mut p = Playback::default();
    // Sent at 0, arrived at 270 with the mark in front of it; cleared at 1,500, arrived at 1,590.
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    let second = send(&mut p, 0, "a", SEC, 2 * SEC);
    p.echoed(270, &first.before.unwrap());
    p.echoed(1_270, first.after.as_ref().unwrap());
    p.hold(1_500);
    assert!(!p.is_known());
    p.echoed(1_590, &second);
    assert!(p.is_known());
    assert_eq!(p.drop_held(), [cut("a", 1_320, 3_000)]);
    let stop = Stop {
        stale_ms: 90,
        error_ms: Some(0),
    };
    assert_eq!(p.newest_stop(), Some(stop));
}

#[test]
fn on_a_steady_line_what_is_late_was_late_itself() {
    let mut p = Playback::default();
    p.line_is_steady(true);
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    p.echoed(60, &first.before.unwrap());
    p.echoed(1_060, first.after.as_ref().unwrap());
    let next = p.send(2_000, "b", 0, audio(3 * SEC)).unwrap();
    p.echoed(2_300, &next.before.unwrap());
    p.hold(3_000);
    assert!(p.is_known());
    p.echoed(3_300, next.after.as_ref().unwrap());
    assert_eq!(p.drop_held(), [cut("b", 1_000, 3_000)]);
}

#[test]
fn on_a_steady_line_a_clear_takes_its_time_and_no_longer() {
    for (told, heard_ms) in [
        (2_550, 1_990),
        (2_575, 2_015),
        (2_600, 2_000),
        (2_850, 2_000),
    ] {
        let mut p = Playback::default();
        p.line_is_steady(true);
        let first = p.send(0, "a", 0, audio(SEC)).unwrap();
        let rest = send(&mut p, 0, "a", SEC, 3 * SEC);
        p.echoed(560, &first.before.unwrap());
        p.echoed(1_560, first.after.as_ref().unwrap());
        p.hold(2_000);
        p.echoed(told, &rest);
        assert_eq!(p.drop_held(), [cut("a", heard_ms, 4_000)], "told at {told}");
    }
}

#[test]
fn where_the_way_varies_the_phones_word_stands() {
    // Sent at 0, arrived at 100 with the mark in front of it; told to stop at 2,000.
    for (told, heard_ms) in [(2_150, 2_050), (2_400, 2_300), (2_900, 2_800)] {
        let mut p = Playback::default();
        p.line_varies(Some(300));
        let first = p.send(0, "a", 0, audio(SEC)).unwrap();
        let rest = send(&mut p, 0, "a", SEC, 3 * SEC);
        p.echoed(100, &first.before.unwrap());
        p.echoed(1_100, first.after.as_ref().unwrap());
        p.hold(2_000);
        p.echoed(told, &rest);
        assert_eq!(p.drop_held(), [cut("a", heard_ms, 4_000)], "told at {told}");
    }
}

#[test]
fn a_clock_that_was_slow_makes_no_difference() {
    // What the phone tells has its own time; what is sent, that of a clock that is 450 ms slow at first.
    let told = |slow_until: usize| {
        let mut p = Playback::default();
        let now = |p: &mut Playback, step: usize, at: u64| {
            if step == slow_until {
                p.shift(450);
            }
            if step < slow_until {
                at.saturating_sub(450)
            } else {
                at
            }
        };
        let at = now(&mut p, 0, 1_000);
        let first = p.send(at, "a", 0, audio(SEC)).unwrap();
        let at = now(&mut p, 1, 1_010);
        let rest = p.send(at, "a", SEC, audio(3 * SEC)).unwrap();
        now(&mut p, 2, 0);
        p.echoed(1_100, &first.before.unwrap());
        now(&mut p, 3, 0);
        p.echoed(2_100, first.after.as_ref().unwrap());
        let at = now(&mut p, 4, 3_000);
        p.hold(at);
        now(&mut p, 5, 0);
        p.echoed(3_050, rest.after.as_ref().unwrap());
        let at = now(&mut p, 6, 3_500);
        let again = p.resume(at).again;
        again
            .iter()
            .map(|again| again.audio.len())
            .collect::<Vec<_>>()
    };
    let steady = told(0);
    for slow_until in 1..=6 {
        assert_eq!(told(slow_until), steady, "slow until step {slow_until}");
    }
}

#[test]
fn where_a_reply_began_may_be_told_after_it_was_stopped() {
    let mut p = Playback::default();
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    p.hold(100);
    p.echoed(270, &first.before.unwrap());
    assert!(!p.is_known());
    p.echoed(390, first.after.as_ref().unwrap());
    assert!(p.is_known());
    assert_eq!(p.drop_held(), [cut("a", 120, 1_000)]);
}

#[test]
fn a_cut_that_was_told_too_early_is_known_to_be_wrong_later() {
    let mut p = Playback::default();
    let first = send(&mut p, 0, "a", 0, SEC);
    let second = send(&mut p, 0, "a", SEC, 2 * SEC);
    p.echoed(1_000, &first);
    assert_eq!(stop(&mut p, 1_500), [cut("a", 1_500, 3_000)]);
    assert_eq!(p.newest_stop(), None);
    p.echoed(1_650, &second);
    assert_eq!(p.newest_stop().unwrap().error_ms, Some(-150));
}

#[test]
fn the_way_to_the_phone_is_learned_from_its_answers() {
    let mut p = Playback::default();
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    p.echoed(120, &first.before.unwrap());
    p.echoed(1_120, first.after.as_ref().unwrap());
    send(&mut p, 2_000, "b", 0, 2 * SEC);
    assert_eq!(p.ends_at(), 4_120);
    assert_eq!(stop(&mut p, 3_000), [cut("b", 1_000, 2_000)]);
}

#[test]
fn one_late_mark_is_late_and_three_are_a_stall() {
    let mut p = Playback::default();
    let marks: Vec<String> = (0..6).map(|n| send(&mut p, 0, "a", n * SEC, SEC)).collect();
    p.echoed(1_000, &marks[0]);
    p.echoed(2_250, &marks[1]);
    assert_eq!(p.ends_at(), 6_000);
    p.echoed(3_000, &marks[2]);
    for (n, mark) in marks.iter().enumerate().skip(3) {
        p.echoed(n as u64 * 1_000 + 1_500, mark);
    }
    assert_eq!(p.ends_at(), 6_500);
}

#[test]
fn what_was_held_back_goes_on_where_it_stopped() {
    let mut p = Playback::default();
    p.line_is_steady(true);
    let first = p
        .send(0, "a", 0, (0..80).flat_map(|n| [n; 100]).collect())
        .unwrap();
    p.echoed(0, &first.before.unwrap());
    let place = p.hold(500).unwrap();
    assert_eq!((place.bytes, place.rest_ms), (4_000, 500));
    assert!(!p.is_playing(500) && p.is_held());
    assert_eq!(p.send(510, "a", SEC, vec![99; 80]), None);
    p.echoed(500, first.after.as_ref().unwrap());
    let again = p.resume(900).again;
    let bytes: Vec<u8> = again.iter().flat_map(|a| a.audio.clone()).collect();
    let rest = (40..80).flat_map(|n| [n; 100]).collect::<Vec<u8>>();
    assert!(bytes[160..4_160] == rest);
    assert_eq!(bytes[4_160..], [99; 80]);
    assert!(again[0].marks.before.is_some() && again[1].marks.before.is_none());
    assert_eq!(
        p.echoed(1_410, again[1].marks.after.as_ref().unwrap()),
        heard("a", SEC + 80)
    );
}

#[test]
fn without_the_phones_word_a_little_is_said_again() {
    let mut p = Playback::default();
    send(&mut p, 0, "a", 0, 4 * SEC);
    p.hold(3_000);
    let again = p.resume(3_400).again;
    assert_eq!(again[0].audio.len() as u64, SEC + REPEAT);
}

#[test]
fn what_was_heard_before_it_was_said_again_counts_as_heard() {
    let mut p = Playback::default();
    let first = p.send(0, "a", 0, audio(4 * SEC)).unwrap();
    send(&mut p, 0, "a", 4 * SEC, SEC);
    p.echoed(0, &first.before.unwrap());
    p.hold(3_000);
    let marks = &p.resume(3_400).again[0].marks;
    // It goes on at 2.5 s, and then the phone tells that it had played to 3.1 s.
    p.echoed(3_100, &first.after.unwrap());
    p.echoed(3_400, marks.before.as_ref().unwrap());
    p.hold(3_500);
    p.echoed(3_500, marks.after.as_ref().unwrap());
    assert_eq!(p.drop_held(), [cut("a", 3_100, 5_000)]);
    assert_eq!(p.newest_stop().unwrap().error_ms, Some(0));
}

#[test]
fn short_pieces_share_a_mark() {
    let mut p = Playback::default();
    let afters: Vec<Option<String>> = (0..22)
        .map(|n| p.send(n, "a", n * 160, audio(160)).unwrap().after)
        .collect();
    let asked: Vec<usize> = (0..22).filter(|n| afters[*n].is_some()).collect();
    assert_eq!(asked, [19]);
    assert_eq!(
        p.echoed(405, afters[19].as_ref().unwrap()),
        heard("a", 3_200)
    );
    // Another item does not share it, nor the same one with a hole.
    assert!(p.continues(405, "a", 22 * 160));
    assert!(!p.continues(405, "b", 0) && !p.continues(405, "a", 23 * 160));
    let owed = p.owed_mark().unwrap();
    assert_eq!(p.owed_mark(), None);
    assert_eq!(p.echoed(445, &owed), heard("a", 22 * 160));
    assert!(p.is_drained());
}

#[test]
fn where_the_way_varies_pieces_are_shorter() {
    let mut p = Playback::default();
    p.line_varies(Some(100));
    let mut asks = |n: u64| p.send(n, "a", n * 160, audio(160)).unwrap().after.is_some();
    assert_eq!((0..22).filter(|n| asks(*n)).collect::<Vec<u64>>(), [9, 19]);
}

#[test]
fn an_echo_that_may_have_been_later_moves_nothing_towards_it() {
    let ends_at = |lag: u64| {
        let mut p = Playback::default();
        let first = p.send(0, "a", 0, audio(SEC)).unwrap();
        let second = send(&mut p, 0, "a", SEC, SEC);
        p.echoed(0, &first.before.unwrap());
        p.echoed(1_000, first.after.as_ref().unwrap());
        send(&mut p, 1_000, "a", 2 * SEC, SEC);
        // Frames were lost, and their time with them.
        p.clock_lags(lag);
        p.echoed(1_100, &second);
        p.ends_at()
    };
    assert_eq!([0, 400, 2_000].map(ends_at), [2_100, 2_500, 3_000]);
}

#[test]
fn what_may_have_been_skipped_is_told() {
    let resumed = |steady: bool, second: u64, rest: u64| {
        let mut p = Playback::default();
        p.line_is_steady(steady);
        let first = p.send(0, "a", 0, audio(SEC)).unwrap();
        let more: Vec<String> = (1..4).map(|n| send(&mut p, 0, "a", n * SEC, SEC)).collect();
        p.echoed(0, &first.before.unwrap());
        p.hold(1_900);
        p.echoed(1_000, first.after.as_ref().unwrap());
        p.echoed(second, &more[0]);
        p.echoed(rest, &more[1]);
        p.echoed(rest, &more[2]);
        p.resume(2_500).doubts
    };
    let doubt = |from: u64, to: u64| {
        let item_id = "a".to_owned();
        vec![Doubt {
            item_id,
            bytes: from * 8..to * 8,
        }]
    };
    // The marks that were thrown away tell 2.2 s, and may have been late: only the pieces whose marks
    // came before theirs are known to have played.
    assert_eq!(resumed(false, 2_000, 2_200), doubt(2_000, 2_140));
    assert_eq!(resumed(false, 2_200, 2_200), doubt(1_900, 2_140));
    assert_eq!(resumed(false, 2_450, 2_450), doubt(1_900, 2_390));
    assert_eq!(resumed(false, 1_900, 1_900), []);
    assert_eq!(resumed(true, 2_000, 2_200), []);
}

#[test]
fn what_had_played_but_was_not_proven_gets_another_mark() {
    let mut p = Playback::default();
    p.line_is_steady(true);
    let first = p.send(0, "a", 0, audio(SEC)).unwrap();
    let second = send(&mut p, 0, "a", SEC, SEC);
    p.echoed(0, &first.before.unwrap());
    p.hold(1_060);
    p.echoed(1_060, first.after.as_ref().unwrap());
    p.echoed(1_060, &second);
    let again = p.resume(1_400).again;
    assert!(again[0].audio.is_empty());
    assert_eq!(
        p.echoed(1_400, again[0].marks.after.as_ref().unwrap()),
        heard("a", SEC)
    );
}

#[test]
fn an_agent_that_is_not_speaking_loses_no_proof_by_being_held() {
    let mut p = Playback::default();
    let mark = send(&mut p, 0, "a", 0, SEC);
    assert_eq!(p.hold(1_000), None);
    assert_eq!(p.echoed(1_060, &mark), heard("a", SEC));
    assert_eq!(p.send(1_100, "b", 0, audio(SEC)), None);
    assert_eq!(p.drop_held(), [cut("b", 0, 1_000)]);
}

#[test]
fn nothing_is_cut_when_everything_was_heard() {
    let mut p = Playback::default();
    send(&mut p, 0, "a", 0, SEC);
    assert_eq!(stop(&mut p, 1_200), []);
}

proptest! {
    /// Whatever is sent, echoed, held, resumed and dropped, in whatever order: heard ≤ sent, proof
    /// only grows, and what was cleared is never heard.
    #[test]
    fn proof_never_exceeds_what_was_sent(steps in proptest::collection::vec((0u8..6, 0u64..400), 1..80)) {
        let mut p = Playback::default();
        let (mut now, mut marks, mut sent, mut proven) = (0, Vec::new(), 0, 0);
        let mut item = 0;
        for (kind, n) in steps {
            now += n;
            match kind {
                0 | 1 => {
                    if !p.continues(now, &format!("i{item}"), sent) {
                        marks.extend(p.owed_mark());
                    }
                    let sending = p.send(now, &format!("i{item}"), sent, audio(n * 8));
                    marks.extend(sending.and_then(|m| m.after));
                    sent += n * 8;
                }
                2 => {
                    let pick = usize::try_from(n).unwrap() % marks.len().max(1);
                    for proof in marks.get(pick).map(|m| p.echoed(now, m)).unwrap_or_default() {
                        // What had played before it is proven by the same mark.
                        if proof.item_id != format!("i{item}") {
                            continue;
                        }
                        prop_assert!(proof.bytes >= proven && proof.bytes <= sent);
                        proven = proof.bytes;
                    }
                }
                3 if !p.is_held() => { p.hold(now); }
                4 => marks.extend(p.resume(now).again.into_iter().filter_map(|again| again.marks.after)),
                _ => {
                    if !p.is_held() {
                        p.hold(now);
                    }
                    for cut in p.drop_held() {
                        prop_assert!(cut.heard_ms < cut.received_ms);
                        // An older one may still have been playing.
                        let current = cut.item_id == format!("i{item}");
                        prop_assert!(!current || cut.received_ms <= sent / 8);
                    }
                    prop_assert!(!p.is_held());
                    (item, sent, proven) = (item + 1, 0, 0);
                    marks.clear();
                }
            }
        }
    }
}
