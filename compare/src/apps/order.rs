//! What `POST /order` reads and answers with: 1 kB of JSON.

use serde::{Deserialize, Serialize};

/// An order of a shop.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    id: u64,
    customer: Customer,
    items: Vec<Item>,
    express: bool,
    total: f64,
    note: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Customer {
    name: String,
    street: String,
    city: String,
    country: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    sku: String,
    title: String,
    count: u32,
    price: f64,
    tags: Vec<String>,
}
