//! The whole server over a network in memory: raw bytes and valid requests, cut and with pauses, on one
//! connection or several, with a stop or a cancel.
//!
//! The first bytes of an input are choices, the rest is what the clients send: as it is, or, if the
//! first byte is odd, as choices for valid requests.

#![no_main]

mod answers;
mod echo;
mod input;
mod requests;
mod session;

use std::time::Duration;

use answers::{Answer, Fields, read};
use echo::Echo;
use input::Input;
use libfuzzer_sys::fuzz_target;
use neap::http::Server;
use requests::Request;
use session::{Blow, Client, End, Plan, Ran, Seen};

/// The longest head that is accepted: short, so that inputs reach it.
const MAX_HEAD: usize = 700;
/// The longest body that is accepted: a valid request has none that is longer.
const MAX_BODY: u64 = requests::LONGEST_BODY as u64;
/// What divides the bytes of the clients.
const DIVIDER: u8 = 0xff;

/// A client, and its requests if they are valid.
struct Case {
    client: Client,
    requests: Option<Vec<Request>>,
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let is_valid = input.flag();
    let mut plan = plan(&mut input);
    let cases = match is_valid {
        true => valid(&mut input, &plan.clients[0]),
        false => raw(&mut input, &plan.clients[0]),
    };
    plan.clients = cases.iter().map(|case| case.client.clone()).collect();
    limit_work(&mut plan);
    let cut = run(&plan);
    for (case, seen) in cases.iter().zip(cut.seen) {
        let whole = run(&Plan {
            clients: vec![Client::whole(&*case.client.bytes)],
            window: 1 << 20,
            blow: Blow::None,
            at: 0,
        });
        let whole = whole.seen.into_iter().flatten().next().expect("an answer");
        let usual = answers(case, &whole);
        check_usual(case, &usual);
        if let Some(seen) = seen {
            check(&plan, case, &usual, &seen);
            if !cut.is_cancelled {
                check_lost(&plan, case, &seen);
            }
        }
    }
});

fn run(plan: &Plan) -> Ran {
    let set = |server: Server<Echo>| server.max_head(MAX_HEAD).max_body(MAX_BODY);
    let echo = |clock: &neap::test::Clock| Echo {
        clock: clock.clone(),
    };
    session::run(plan, echo, set).unwrap_or_else(|broken| panic!("{broken}\n{plan:?}"))
}

/// Makes a plan with one client, whose bytes come later.
fn plan(input: &mut Input<'_>) -> Plan {
    let sizes = [1, 2, 3, 5, 16, 61, 255, 1000, 20_000];
    let sizes = (0..input.below(4)).map(|_| input.one_of(&sizes)).collect();
    let pauses = [0, 0, 1, 1000, 1000, 700_000, 3_000_000, 40_000_000];
    let mut pause = || Duration::from_micros(input.one_of(&pauses));
    let pauses = vec![pause(), pause()];
    let mut client = Client {
        sizes,
        pauses,
        is_deaf: input.below(8) == 7,
        end: input.one_of(&[
            End::Await,
            End::Await,
            End::Await,
            End::Await,
            End::Finish,
            End::Reset,
            End::Close,
            End::Await,
        ]),
        ..Client::whole([])
    };
    // A pause before each of very many pieces would take longer than any limit.
    if client.sizes.iter().any(|size| *size < 61) {
        let longest = Duration::from_millis(1);
        client
            .pauses
            .iter_mut()
            .for_each(|pause| *pause = (*pause).min(longest));
    }
    let blow = input.one_of(&[Blow::None, Blow::None, Blow::Stop, Blow::Stop, Blow::Cancel]);
    Plan {
        clients: vec![client],
        window: input.one_of(&[1 << 20, 1, 2, 7, 64, 500, 4096, 65_536]),
        blow,
        at: input.below(256) * input.one_of(&[1, 1, 7]),
    }
}

/// Has a run take no more than some hundred pieces, and no time that would be too long for a server.
fn limit_work(plan: &mut Plan) {
    const PIECES: usize = 300;
    for client in &mut plan.clients {
        let least = client.bytes.len() / PIECES;
        client
            .sizes
            .iter_mut()
            .for_each(|size| *size = (*size).max(least));
        plan.window = plan.window.max(least);
    }
}

/// Makes clients that send valid requests.
fn valid(input: &mut Input<'_>, model: &Client) -> Vec<Case> {
    let clients = 1 + input.below(3);
    let mut cases = Vec::new();
    while cases.len() < clients {
        let requests = requests::requests(input);
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for request in &requests {
            starts.push(bytes.len());
            bytes.extend_from_slice(&request.bytes);
        }
        cases.push(Case {
            client: Client {
                bytes,
                starts,
                ..model.clone()
            },
            requests: Some(requests),
        });
    }
    cases
}

/// Makes clients that send the rest of the input as it is.
fn raw(input: &mut Input<'_>, model: &Client) -> Vec<Case> {
    let clients = input.0.split(|byte| *byte == DIVIDER).take(3);
    let case = |bytes: &[u8]| Case {
        client: Client {
            bytes: bytes.to_vec(),
            ..model.clone()
        },
        requests: None,
    };
    clients.map(case).collect()
}

/// Reads the answers that a client has seen.
fn answers(case: &Case, seen: &Seen) -> Vec<Answer> {
    // A refusal of half a head is none to HEAD, so the answer's own field says it.
    let is_head = |_, fields: &Fields| {
        let says = |value: &str| matches!(value, "HEAD" | "CONNECT");
        fields
            .iter()
            .any(|(name, value)| name == "x-method" && says(value))
    };
    read(&seen.bytes, seen.ended, is_head).unwrap_or_else(|broken| {
        let (seen, sent) = (&seen.bytes, &case.client.bytes);
        panic!("{broken}\n{}\n{}", seen.escape_ascii(), sent.escape_ascii())
    })
}

/// Checks the answers that come without a blow to bytes that come at once.
fn check_usual(case: &Case, usual: &[Answer]) {
    let Some(requests) = &case.requests else {
        let text = || case.client.bytes.escape_ascii();
        for answer in usual {
            assert!(answer.status >= 200, "{answer:?}\n{}", text());
            // The app refuses nothing: where the message ends is not known.
            let is_good = answer.status < 400 || answer.closes;
            assert!(is_good, "{answer:?}\n{}", text());
        }
        return;
    };
    for (request, answer) in requests.iter().zip(usual) {
        assert!(answer.is_whole, "{request:?}: {answer:?}");
        assert_eq!(answer.status, 200, "{request:?}: {answer:?}");
        check_echo(request, answer);
    }
    let is_open = usual.last().is_none_or(|last| !last.closes);
    assert!(
        usual.len() == requests.len() || !is_open,
        "{} answers: {requests:?}",
        usual.len()
    );
}

/// Checks that an answer has what the request had.
fn check_echo(request: &Request, answer: &Answer) {
    let body = &answer.body;
    if request.method == "HEAD" {
        assert!(body.is_empty());
        return;
    }
    if request.endpoint == "back" {
        assert_eq!(body, &request.body, "{request:?}");
        return;
    }
    let begin = format!("{} http://h{} Some(Http1_", request.method, request.target);
    assert!(
        body.starts_with(begin.as_bytes()),
        "{request:?}: {answer:?}"
    );
    let end = match request.endpoint {
        "none" => &[],
        "part" => &request.body[..request.body.len().min(3)],
        _ => &*request.body,
    };
    let head = body
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .expect("a head");
    assert_eq!(&body[head + 2..], end, "{request:?}");
}

/// Checks what a client has seen against what comes without a blow to bytes that come at once.
fn check(plan: &Plan, case: &Case, usual: &[Answer], seen: &Seen) {
    let found = answers(case, seen);
    let client = &case.client;
    let context = || {
        format!(
            "\nusual {usual:#?}\nfound {found:#?}\nended {:?}, sent {} of {}: {}\n{plan:?}",
            seen.ended,
            seen.sent,
            client.bytes.len(),
            client.bytes.escape_ascii()
        )
    };
    let is_quiet = plan.blow == Blow::None && plan.is_prompt() && client.end == End::Await;
    let asks = client.bytes.to_ascii_lowercase();
    let asks = asks.windows(6).any(|part| part == b"expect");
    if is_quiet && !asks {
        assert_eq!(
            found.len(),
            usual.len(),
            "another number of answers{}",
            context()
        );
        // A response that is cut is so at once.
        let is_cut = found.last().is_some_and(|last| !last.is_whole);
        assert!(
            is_cut || seen.ended == answers::Ended::Well,
            "no good end{}",
            context()
        );
    }
    let is_cut_short = !client.bytes.ends_with(b"\r\n\r\n");
    for (at, (found, usual)) in found.iter().zip(usual).enumerate() {
        let same = found.status == usual.status
            && found.body == usual.body
            && found.trailers == usual.trailers
            && without_connection(found) == without_connection(usual)
            && (found.closes == usual.closes || plan.blow != Blow::None || asks);
        let is_refusal = |answer: &Answer| answer.closes && answer.status >= 400;
        // Which reason is found first depends on what has come: a limit is, in one that comes in pieces.
        let is_limit = |answer: &Answer| matches!(answer.status, 414 | 431);
        let is_alike = found.status == usual.status || is_limit(found) || is_limit(usual);
        let same = same || is_refusal(found) && is_refusal(usual) && is_alike;
        // How a broken message is answered depends on what of it has come, and on how much of the
        // answer has left.
        let is_broken = |answer: &Answer| !answer.is_whole || is_refusal(answer);
        let may_differ = if is_quiet {
            is_broken(usual) && (is_cut_short || !found.is_whole || !usual.is_whole)
        } else {
            true
        };
        let may_differ = may_differ && is_broken(found);
        assert!(same || may_differ, "answer {at} is another{}", context());
    }
    if found.len() > usual.len() {
        let late = &found[usual.len()..];
        let is_late =
            late.len() == 1 && late[0].closes && (late[0].status >= 400 || !late[0].is_whole);
        // A connection that would be closed quietly may have its last bytes refused.
        assert!(!is_quiet && is_late, "answers too many{}", context());
    }
}

fn without_connection(answer: &Answer) -> Vec<&(String, String)> {
    let fields = answer.fields.iter();
    fields.filter(|(name, _)| name != "connection").collect()
}

/// Checks that no request was lost: sent whole as the first unanswered one, and not answered.
fn check_lost(plan: &Plan, case: &Case, seen: &Seen) {
    let client = &case.client;
    let Some(requests) = case
        .requests
        .as_ref()
        .filter(|_| client.end == End::Await && !client.is_deaf && !client.is_too_slow())
    else {
        return;
    };
    let found = answers(case, seen);
    let answered = found.iter().filter(|answer| answer.is_whole).count();
    if found
        .last()
        .is_some_and(|last| last.is_whole && last.closes)
    {
        return;
    }
    if let Some(next) = requests.get(answered) {
        let end = client.starts[answered] + next.bytes.len();
        assert!(
            seen.sent < end,
            "request {answered} is lost: {found:#?}, {:?}, sent {}, {plan:?}",
            seen.ended,
            seen.sent
        );
    }
}
