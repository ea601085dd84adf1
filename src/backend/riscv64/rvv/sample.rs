//! Forwarded.
