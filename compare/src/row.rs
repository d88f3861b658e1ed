//! One row of the comparison.

use crate::contender::Contender;
use crate::samples::Samples;

/// A contender and its samples.
pub(crate) type Row = (Contender, Samples);
