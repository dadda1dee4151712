use super::*;
use crate::id::ItemId;
use crate::wire::Outcome;

const WELCOME: Welcome = Welcome { sample_bytes_max: 1 << 30, credit_bytes: 10, window: 2 };

fn welcomed() -> ClientSession {
    let mut session = ClientSession::new(Token::default(), "ward-7".to_owned(), 1);
    session.connect(&mut Vec::new()).unwrap();
    session.receive(ServerFrame::Welcome(WELCOME));
    session
}

fn ask(raw_bytes: u64, offer_first: bool) -> Ask {
    Ask { blake3: Some(Blake3([7; 32])), raw_bytes, offer_first, arrival: Arrival::default() }
}

fn ack(request: u64, outcome: Outcome) -> ServerFrame {
    ServerFrame::Acks(vec![Ack { request, outcome, item: ItemId(9), blake3: None }])
}

#[test]
fn nothing_is_said_before_the_welcome() {
    let mut session = ClientSession::new(Token::default(), "ward-7".to_owned(), 1);
    assert_eq!(session.start(&ask(1, true), &mut Vec::new()), Err(NotNow::NotWelcome));
    assert_eq!(session.next_put(&mut Vec::new()), Err(NotNow::NotWelcome));
}

#[test]
fn a_known_digest_is_an_item_without_a_byte_of_credit() {
    let mut session = welcomed();
    let request = session.start(&ask(5, true), &mut Vec::new()).unwrap();
    let events = session.receive(ack(request, Outcome::Duplicate));
    assert!(matches!(events[..], [Event::Acked(_)]));
    assert_eq!((session.credit_bytes(), session.open_count()), (10, 0));
}

#[test]
fn a_wanted_digest_is_put_under_the_same_number() {
    let mut session = welcomed();
    let request = session.start(&ask(5, true), &mut Vec::new()).unwrap();
    assert_eq!(session.next_put(&mut Vec::new()), Ok(None));
    assert_eq!(session.receive(ServerFrame::Want(vec![request])), [Event::Wanted(request)]);
    assert_eq!(session.next_put(&mut Vec::new()), Ok(Some(request)));
    assert_eq!(session.body_allowed(), Some((request, 5)));
}

#[test]
fn a_body_stops_where_the_credit_ends_and_goes_on_with_more() {
    let mut session = welcomed();
    let request = session.start(&ask(25, false), &mut Vec::new()).unwrap();
    session.next_put(&mut Vec::new()).unwrap();
    session.body_sent(10);
    assert_eq!(session.body_allowed(), Some((request, 0)));
    assert_eq!(session.ping(1, &mut Vec::new()), Err(NotNow::BodyOpen(15)));
    session.receive(ServerFrame::Credit { bytes: 100 });
    assert_eq!(session.body_allowed(), Some((request, 15)));
    session.body_sent(15);
    assert_eq!(session.body_allowed(), None);
}

#[test]
fn a_full_window_opens_nothing_more() {
    let mut session = welcomed();
    for _ in 0..2 {
        session.start(&ask(1, false), &mut Vec::new()).unwrap();
    }
    assert_eq!(session.start(&ask(3, false), &mut Vec::new()), Err(NotNow::WindowFull(2)));
    assert_eq!(session.open_count(), 2);
}

#[test]
fn after_a_reconnect_what_is_open_is_put_again_under_its_number() {
    let mut session = welcomed();
    let first = session.start(&ask(4, false), &mut Vec::new()).unwrap();
    let second = session.start(&ask(4, true), &mut Vec::new()).unwrap();
    session.next_put(&mut Vec::new()).unwrap();
    session.body_sent(2);
    session.connect(&mut Vec::new()).unwrap();
    session.receive(ServerFrame::Welcome(WELCOME));
    assert_eq!(session.next_put(&mut Vec::new()), Ok(Some(first)));
    session.body_sent(4);
    assert_eq!(session.next_put(&mut Vec::new()), Ok(Some(second)));
    session.body_sent(4);
    assert!(matches!(session.receive(ack(first, Outcome::Repeated))[..], [Event::Acked(_)]));
}

#[test]
fn a_second_ack_for_one_request_is_seen_as_such() {
    let mut session = welcomed();
    let request = session.start(&ask(0, false), &mut Vec::new()).unwrap();
    session.next_put(&mut Vec::new()).unwrap();
    assert_eq!(session.body_allowed(), None);
    session.receive(ack(request, Outcome::Stored));
    assert_eq!(session.receive(ack(request, Outcome::Stored)), [Event::Unasked(request)]);
}

#[test]
fn a_request_refused_before_its_put_is_never_put() {
    let mut session = welcomed();
    let request = session.start(&ask(5, false), &mut Vec::new()).unwrap();
    session.receive(ServerFrame::Refused {
        request,
        code: RefusedCode::FullBytes,
        retry_after_ms: 0,
        text: String::new(),
    });
    assert_eq!(session.next_put(&mut Vec::new()), Ok(None));
}
