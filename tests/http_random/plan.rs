//! What happens in a round, drawn from a seed. All times are in milliseconds.

use std::fmt;

use fastrand::Rng;

/// What happens in a round.
#[derive(Debug, Clone)]
pub struct Plan {
    pub settings: Settings,
    pub clients: Vec<ClientPlan>,
    /// Every request of all clients, by its number.
    pub requests: Vec<Request>,
    pub end: End,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub door: Door,
    pub servers: usize,
    /// How long a server runs before it is restarted.
    pub restart: Option<u64>,
    pub write_timeout: Option<u64>,
    /// How many bytes a direction of a connection holds.
    pub capacity: usize,
    pub max_requests: Option<u64>,
    pub max_in_flight: Option<usize>,
    pub handler_timeout: Option<u64>,
    pub max_connection_age: Option<u64>,
    pub lame_duck: u64,
    pub quiet: Option<u64>,
    pub spread: u64,
    pub wait_upgraded: bool,
    pub half_close: bool,
    /// The drain timeout of the group, and of the servers.
    pub drain: u64,
    pub own_drain: Option<u64>,
    pub linger: u64,
    /// Whether each connection begins with a PROXY header.
    pub is_proxied: bool,
}

/// What the handlers are written for.
#[derive(Debug, Clone, Copy)]
pub enum Door {
    Http,
    Tide,
    /// An app of tide as a service of tower.
    TideService,
}

#[derive(Debug, Clone, Copy)]
pub enum End {
    /// Once all clients have ended.
    Late,
    Stop(u64),
    Cancel(u64),
    /// A stop, and so much later a cancel.
    Both(u64, u64),
}

#[derive(Debug, Clone)]
pub struct ClientPlan {
    pub server: usize,
    pub start: u64,
    /// Requests that are sent at once, by their numbers: the answers are read before the next ones are sent.
    pub batches: Vec<Vec<usize>>,
    /// How long it waits between two batches.
    pub pause: u64,
    pub leave: Leave,
}

/// How a client ends.
#[derive(Debug, Clone, Copy)]
pub enum Leave {
    /// When all is answered, or the server has closed.
    Well,
    /// So long after it has sent its last batch, without reading.
    Gone(u64),
    /// The same, after a part of a head.
    InHead(u64),
    /// It sends no end of its last request's body, and leaves then.
    InBody(u64),
}

impl Leave {
    pub fn is_well(self) -> bool {
        matches!(self, Self::Well)
    }
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    pub body: Sent,
    pub expects: bool,
    pub closes: bool,
    pub is_http10: bool,
    pub handler: Handler,
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub enum Sent {
    None,
    Length(usize),
    Chunks(usize, usize),
    /// Chunks of a byte, this far apart, until there is an answer.
    Endless(u64),
    /// Something that is answered with 400.
    Bad,
}

#[derive(Debug, Clone, Copy)]
pub struct Handler {
    pub wait: u64,
    pub reads: bool,
    pub out: Out,
    /// How long a part of its body is.
    pub part: usize,
    /// Whether a body that breaks claims a length.
    pub claims: bool,
    /// Whether a body of known length has a part more.
    pub has_more: bool,
    /// Whether the body has a buffer of its own, through the doors of tide.
    #[cfg_attr(not(feature = "tide"), allow(dead_code))]
    pub is_buffered: bool,
}

/// How a body breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    Fails,
    Panics,
    /// It is shorter than it has claimed.
    Ends,
}

/// What a handler answers with.
#[derive(Debug, Clone, Copy)]
pub enum Out {
    /// So many bytes, with this status.
    Length(u16, usize),
    /// So many parts, this far apart. Whether a length is claimed.
    Parts(usize, u64, bool),
    /// The same, and then something else than what was to come.
    Breaks(usize, u64, Breach),
    Panic,
    /// 101, and so many bytes are sent back.
    Upgrade(usize),
    /// Parts this far apart, until the stop token is stopped.
    UntilStop(u64),
}

impl Plan {
    pub fn random(seed: u64) -> Plan {
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let rng = &mut rng;
        let settings = Settings::random(rng);
        let all_well = rng.bool();
        let (mut requests, mut clients) = (Vec::new(), Vec::new());
        for _ in 0..rng.usize(1..=6) {
            let batches = (0..rng.usize(1..=4)).map(|_| {
                let length = *rng.choice(&[1, 1, 1, 2, 3, 16]).unwrap();
                batch(rng, length, &mut requests)
            });
            clients.push(ClientPlan {
                batches: batches.collect(),
                server: rng.usize(..settings.servers),
                start: rng.u64(..100),
                pause: *rng.choice(&[0, 1, 90, 110, 400]).unwrap(),
                leave: match rng.usize(..8) {
                    _ if all_well => Leave::Well,
                    0 => Leave::Gone(rng.u64(..50)),
                    1 => Leave::Gone(rng.u64(..500)),
                    2 => Leave::InHead(rng.u64(..300)),
                    3 => Leave::InBody(rng.u64(..300)),
                    _ => Leave::Well,
                },
            });
        }
        if settings.capacity < 1000 {
            requests.iter_mut().for_each(Request::shorten);
        } else if rng.usize(..4) == 0 {
            requests.iter_mut().for_each(|one| one.lengthen(rng));
        }
        let (first, second) = (rng.u64(..900), rng.u64(..400));
        let end = match rng.usize(..6) {
            0 | 1 => End::Late,
            2 | 3 => End::Stop(first),
            4 => End::Cancel(first),
            _ => End::Both(first, second),
        };
        Plan {
            settings,
            clients,
            requests,
            end,
        }
    }
}

impl Plan {
    /// Returns plans with a client, a batch or a request less.
    pub fn smaller(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for (at, client) in self.clients.iter().enumerate() {
            let mut without = self.clone();
            without.clients.remove(at);
            plans.push(without);
            for (of, batch) in client.batches.iter().enumerate() {
                let mut without = self.clone();
                without.clients[at].batches.remove(of);
                plans.push(without);
                for one in 0..batch.len().saturating_sub(1) {
                    let mut without = self.clone();
                    without.clients[at].batches[of].remove(one);
                    plans.push(without);
                }
            }
        }
        plans
    }
}

impl Settings {
    fn random(rng: &mut Rng) -> Settings {
        let drain = *rng.choice(&[0, 50, 500, 2000, 10_000]).unwrap();
        let some = |rng: &mut Rng, choices: &[u64]| match rng.bool() {
            true => rng.choice(choices).copied(),
            false => None,
        };
        Settings {
            door: *rng
                .choice(&[Door::Http, Door::Tide, Door::TideService])
                .unwrap(),
            restart: match rng.usize(..4) {
                0 => Some(rng.u64(100..600)),
                _ => None,
            },
            write_timeout: some(rng, &[50]),
            servers: rng.usize(1..=2),
            capacity: *rng.choice(&[7, 200, 64 * 1024, 1024 * 1024]).unwrap(),
            max_requests: some(rng, &[1, 2, 3, 5]),
            max_in_flight: some(rng, &[1, 2, 3]).map(|limit| limit as usize),
            handler_timeout: some(rng, &[0, 20, 100, 300]),
            max_connection_age: some(rng, &[0, 100, 500]),
            lame_duck: some(rng, &[1, 50, 500, 2000]).unwrap_or(0),
            quiet: some(rng, &[0, 20, 200]),
            spread: some(rng, &[1, 100, 500, 5000]).unwrap_or(0),
            wait_upgraded: rng.bool(),
            half_close: rng.bool(),
            drain,
            own_drain: some(rng, &[0, 20, 300]),
            linger: *rng.choice(&[0, 500]).unwrap(),
            is_proxied: cfg!(feature = "proxy-protocol") && rng.usize(..4) == 0,
        }
    }
}

/// Draws requests that are sent at once.
fn batch(rng: &mut Rng, length: usize, requests: &mut Vec<Request>) -> Vec<usize> {
    (0..length)
        .map(|at| {
            requests.push(Request::random(rng, at + 1 == length));
            requests.len() - 1
        })
        .collect()
}

impl Request {
    /// Leaves out what takes thousands of reads and writes where only some bytes fit.
    fn shorten(&mut self) {
        if let Sent::Length(length) | Sent::Chunks(_, length) = &mut self.body {
            *length = (*length).min(500);
        }
        if let Out::Length(_, length) = &mut self.handler.out {
            *length = (*length).min(500);
        }
        self.handler.part = self.handler.part.min(100);
    }

    /// Has what comes in parts be long, and come as a file does, or more slowly.
    fn lengthen(&mut self, rng: &mut Rng) {
        if let Out::Parts(parts, apart, is_known) = &mut self.handler.out {
            (*parts, *apart) = (rng.usize(8..16), rng.u64(..4));
            *is_known |= rng.bool();
            self.handler.part = *rng.choice(&[100, 5000, 9000, 20_000, 60_000]).unwrap();
        }
    }

    fn random(rng: &mut Rng, is_last: bool) -> Request {
        let many = *rng.choice(&[0, 1, 10, 5000, 300_000]).unwrap();
        let body = match rng.usize(..12) {
            0 | 1 => Sent::Length(many),
            2 | 3 => Sent::Chunks(rng.usize(..5), *rng.choice(&[1, 100, 9000]).unwrap()),
            4 if is_last => Sent::Endless(*rng.choice(&[1, 15]).unwrap()),
            5 if is_last => Sent::Bad,
            _ => Sent::None,
        };
        let has_body = !matches!(body, Sent::None | Sent::Bad);
        let mut handler = Handler::random(rng);
        if matches!(handler.out, Out::Upgrade(_)) && (has_body || !is_last) {
            handler.out = Out::Length(200, 10);
        }
        let is_plain = !has_body && !matches!(handler.out, Out::Upgrade(_));
        Request {
            method: match has_body {
                true => "POST",
                false if matches!(body, Sent::Bad) => "GET",
                false if is_plain && rng.usize(..6) == 0 => "HEAD",
                false => "GET",
            },
            body,
            expects: has_body && is_last && rng.bool(),
            closes: is_plain && rng.usize(..8) == 0,
            is_http10: is_plain && is_last && rng.usize(..8) == 0,
            handler,
        }
    }
}

impl Handler {
    fn random(rng: &mut Rng) -> Handler {
        let status = *rng.choice(&[200, 200, 204, 304, 404, 500, 502]).unwrap();
        let (parts, apart) = (
            *rng.choice(&[0, 1, 2, 3, 4, 12]).unwrap(),
            *rng.choice(&[0, 0, 3, 40]).unwrap(),
        );
        let many = *rng.choice(&[0, 1, 10, 5000, 60_000]).unwrap();
        let breaches = [Breach::Fails, Breach::Panics, Breach::Ends];
        let breach = *rng.choice(&breaches).unwrap();
        Handler {
            part: *rng
                .choice(&[10, 10, 10, 100, 9000, 20_000, 60_000])
                .unwrap(),
            claims: breach == Breach::Ends || rng.bool(),
            has_more: rng.usize(..4) == 0,
            is_buffered: rng.bool(),
            wait: *rng.choice(&[0, 0, 0, 1, 20, 99, 100, 101, 300]).unwrap(),
            reads: rng.bool(),
            out: match rng.usize(..16) {
                0..=6 => Out::Length(status, many),
                7..=9 => Out::Parts(parts, apart, rng.bool()),
                10 | 11 => Out::Breaks(parts, apart, breach),
                12 => Out::Panic,
                13 | 14 => Out::Upgrade(rng.usize(..2000)),
                _ => Out::UntilStop(*rng.choice(&[30, 300]).unwrap()),
            },
        }
    }
}

/// A line for the settings, and one for each client and request.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}\n{:?}", self.settings, self.end)?;
        for client in &self.clients {
            writeln!(f, "{client:?}")?;
            for number in client.batches.iter().flatten() {
                writeln!(f, "  {number} {:?}", self.requests[*number])?;
            }
        }
        Ok(())
    }
}
