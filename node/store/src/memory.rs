//! The backend in memory.
