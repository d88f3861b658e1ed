//! Where letters go: a file for each, in a folder. Your own work comes here.

use std::path::Path;

use anyhow::{Context, bail};
use smol::{Timer, fs};

use crate::drill;
use crate::letters::Letter;
use crate::settings::Settings;

/// Delivers a letter. It may be called again for the same one, so what it does a second time changes nothing.
pub async fn deliver(outbox: &Path, letter: &Letter, settings: &Settings) -> anyhow::Result<()> {
    drill::panic_if_asked("delivery", &letter.text);
    // A name that nobody has (RFC 2606).
    if letter.recipient.ends_with(".invalid") {
        bail!("`{}` is not known", letter.recipient);
    }
    Timer::after(settings.print_time).await;
    let text = format!(
        "To {}\n\n{}\n\n{}\n",
        letter.recipient, letter.text, settings.signature
    );

    fs::create_dir_all(outbox).await.context("the outbox")?;
    let path = outbox.join(format!("{}.txt", letter.id));
    let draft = path.with_extension("draft");
    fs::write(&draft, text).await.context("the draft")?;
    // A reader of the folder sees a whole letter, or none.
    fs::rename(&draft, &path).await.context("the letter")
}
