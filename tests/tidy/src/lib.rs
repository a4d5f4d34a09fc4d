//! The laws of this repository as tests: who may import whom, how large a file may grow, what
//! `protocol/` may not touch, which words are not used, and that the specification and the code
//! name the same things. A law that only stands in prose is forgotten.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod purity;
#[cfg(test)]
mod size;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
