//! Rooms, messages and people on a terminal, all day.
//!
//! Two halves: [`App`] decides and draws, and knows neither terminal nor clock nor network: what
//! happens goes in by [`App::handle`], what is to be done comes out of [`App::poll`], and
//! [`App::draw`] puts its state on a screen. [`run`] is the shell around it: it owns the terminal and
//! the [`client::Client`], waits for whatever comes first, and never lets the screen wait for the
//! network.

mod app;
mod composer;
mod draw;
mod dropped;
mod editor;
mod effect;
mod feed;
mod input;
mod key;
mod mode;
mod notice;
mod pane;
mod room_list;
mod settings;
mod shell;
mod text;
mod theme;
mod typing;

pub use app::App;
pub use effect::{Deed, Effect, Part};
pub use input::{Fault, Hit, Input};
pub use settings::Settings;
pub use shell::{TuiError, local_offset_s, run};
pub use theme::{Palette, Theme};
