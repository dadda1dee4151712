//! Who asks: in every message to the centre, which authorises by it and tracks by it (first seed, "Entering Customer
//! Information").

use crate::message::{BadMessage, Fields, names, put, text};
use serde::{Deserialize, Serialize};

/// Bytes of one field: a line on a form.
pub const CUSTOMER_BYTES_MAX: usize = 256;

/// The five fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Customer {
    /// Company name.
    pub company: String,
    /// Account number: what the centre knows the customer by.
    pub account: String,
    /// Whom to talk to.
    pub contact: String,
    /// Telephone, with area code.
    pub telephone: String,
    /// Mail address.
    pub email: String,
}

impl Customer {
    /// As headers of a request.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        for (name, value) in [
            (names::COMPANY, &self.company),
            (names::ACCOUNT, &self.account),
            (names::CONTACT, &self.contact),
            (names::TELEPHONE, &self.telephone),
            (names::EMAIL, &self.email),
        ] {
            put(&mut headers, name, value);
        }
        headers
    }

    /// Out of a request.
    ///
    /// # Errors
    /// A field is too long or no text.
    pub fn read(fields: &Fields<'_>) -> Result<Self, BadMessage> {
        Ok(Self {
            company: text(fields, names::COMPANY, CUSTOMER_BYTES_MAX)?,
            account: text(fields, names::ACCOUNT, CUSTOMER_BYTES_MAX)?,
            contact: text(fields, names::CONTACT, CUSTOMER_BYTES_MAX)?,
            telephone: text(fields, names::TELEPHONE, CUSTOMER_BYTES_MAX)?,
            email: text(fields, names::EMAIL, CUSTOMER_BYTES_MAX)?,
        })
    }
}
