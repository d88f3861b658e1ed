//! What is to hold in every state of a group, said without a look at the plan.

use super::data::{Group, Service, Stage};
use crate::service::lifecycle::{Flag, Phase};

/// What is wrong with a state, and with which service.
pub(super) type Broken = Option<String>;

fn broken(index: usize, why: &str) -> Broken {
    Some(format!("service {index} {why}"))
}

/// Checks the start of a service at the moment it has started.
pub(super) fn started(group: &Group, index: usize) -> Broken {
    if !group.needs(index).all(|below| below.was_good) {
        return broken(index, "has started before its needs were ready (G7)");
    }
    if !group.is_open {
        return broken(index, "has started before the group");
    }
    None
}

/// Checks that a service may be told to stop, at the moment it is told.
pub(super) fn told(group: &Group, index: usize) -> Broken {
    let service = &group.services[index];
    let is_gone = |above: usize| group.services[above].is_gone();
    if !group.dependents(index).all(is_gone) {
        return broken(index, "was told while another needs it (G7)");
    }
    if service.stops_alone || group.is_hasty {
        return None;
    }
    if group.stage == Stage::Running {
        return broken(index, "was told though nobody has asked for it");
    }
    let is_last = service.is_background && !needs_foreground(group, index);
    (is_last && !group.is_quiet())
        .then(|| format!("service {index}, in the background, was told before the last (G16)"))
}

/// Returns true if a service needs one that is not in the background, directly or not.
fn needs_foreground(group: &Group, index: usize) -> bool {
    (0..index)
        .filter(|&below| group.services[index].needs(below))
        .any(|below| !group.services[below].is_background || needs_foreground(group, below))
}

/// Returns true if a service only waits for its turn.
fn is_eligible(group: &Group, index: usize) -> bool {
    let are_ready = || group.needs(index).all(Service::is_known_ready);
    group.is_open && group.services[index].is_held() && are_ready()
}

/// Checks the turns that were given by one decision.
pub(super) fn granted(group: &Group, granted: &[usize]) -> Broken {
    let is_counted = |&index: &usize| !group.services[index].is_background;
    group.limit?;
    let last = granted.iter().copied().filter(is_counted).max()?;
    (0..last)
        .filter(is_counted)
        .find(|&index| is_eligible(group, index) && !group.services[index].stops_alone)
        .and_then(|index| broken(index, "was passed over (G17)"))
}

/// Returns true if a service in the foreground has a turn, or needs none. One that is to stop alone
/// is held, and keeps the turn it may have until it is gone.
fn has_turn(service: &&Service) -> bool {
    let is_held = service.phase() == Phase::Waiting && service.has(Flag::Held);
    let waits = is_held && !service.stops_alone;
    !service.is_background && !waits && !service.is_gone()
}

/// Checks a state in which nobody is in the midst of something.
pub(super) fn settled(group: &Group) -> Broken {
    let is_full = || {
        let turns = group.services.iter().filter(has_turn).count();
        group.limit.is_some_and(|limit| turns >= limit)
    };
    for (index, service) in group.services.iter().enumerate() {
        // One that is to stop alone, after those that need it, is not to start.
        let is_wanted = !group.is_stopped && !service.stops_alone;
        let waits = is_wanted && is_eligible(group, index);
        if waits && (service.is_background || !is_full()) {
            return broken(index, "waits though a turn is free (G17)");
        }
        let is_gone = |above: usize| group.services[above].is_gone();
        let is_needed = !group.dependents(index).all(is_gone);
        if service.is_untold() && !is_needed && is_due(group, index) {
            return broken(index, "was not told");
        }
        let is_cancelling = matches!(group.stage, Stage::Cancelling | Stage::Dropped)
            || service.cancels_alone && !is_needed;
        if is_cancelling && service.phase() == Phase::Stopping {
            return broken(index, "was not cancelled");
        }
    }
    None
}

/// Returns true if a service is to have been told, once all that need it are gone.
fn is_due(group: &Group, index: usize) -> bool {
    let service = &group.services[index];
    if service.stops_alone {
        return true;
    }
    let is_unread = group.notice_stopped || group.notice_quiet;
    match group.stage {
        Stage::Running => false,
        Stage::Dropped => true,
        _ if is_unread => false,
        _ if group.is_hasty || group.is_quiet() => true,
        _ => {
            let keeps = |below: &Service| !below.is_background && !below.is_gone();
            !service.is_background || group.needs(index).any(keeps)
        }
    }
}

/// Checks any state.
pub(super) fn always(group: &Group) -> Broken {
    let is_counted = |service: &&Service| !service.is_background && service.is_running();
    let running = group.services.iter().filter(is_counted).count();
    if group.limit.is_some_and(|limit| running > limit) {
        return Some(format!("{running} services run at once (G17)"));
    }
    if group.is_settled() {
        settled(group)
    } else {
        None
    }
}

/// Checks a state in which every service that is to end has ended, and nothing is to be done.
pub(super) fn at_rest(group: &Group) -> Broken {
    if group.is_stopped {
        let left = group.services.iter().position(|service| !service.has_left);
        return left.and_then(|left| broken(left, "never ends, and nor does the group (G10)"));
    }
    (group.is_open && group.is_quiet()).then(|| "the group is quiet and goes on".to_owned())
}
