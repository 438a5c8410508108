//! Route matchers: tables of what they must answer, properties, and the real packages beside them.

mod canonical;
mod conformance;
mod coverage;
mod patterns;
mod properties;
