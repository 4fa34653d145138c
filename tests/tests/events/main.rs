//! What the gateway tells others, and what they make of it.

mod consumer;
mod crm;
mod document;
mod kinds;
mod large;
mod merged;
mod persons;
mod replay;
mod stand;
