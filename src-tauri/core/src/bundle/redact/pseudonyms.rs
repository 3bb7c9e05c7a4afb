//! The names that people's data gets in one bundle.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// What has pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A telephone number; the payer in a checkout request's id too.
    Phone,
    /// An e-mail address.
    Email,
    /// A WhatsApp message's id.
    Message,
    /// An M-Pesa receipt.
    Receipt,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::Message, Self::Receipt];

    /// Its word in pseudonyms and its rule's id: `phone`, `email`, `message`, `receipt`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Message => "message",
            Self::Receipt => "receipt",
        }
    }
}

/// No bundle has more of one kind.
const MOST: usize = 100_000;
/// How a value begins that nobody knows any more: it is looked for nowhere.
pub(super) const NOT_KNOWN: &str = "(as in the bundle before: ";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym<'a> {
    /// What stands in the bundle: `‹phone-1›`.
    pub name: String,
    /// What it stands for: a number as `254712345678` where it is Kenyan, else its digits.
    pub original: &'a str,
    /// What that is.
    pub kind: Kind,
}

/// Names by kind, numbered in the order in which the values were first seen: the same files in the same
/// order get the same names, and no name says anything about another bundle. The bundle's maker holds it
/// over all files and keeps it beside the bundle, as JSON: `{"phone": ["254712345678"], …}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Lists", into = "Lists")]
pub struct Pseudonyms {
    lists: Lists,
    numbers: HashMap<(Kind, String), usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Lists {
    phone: Vec<String>,
    email: Vec<String>,
    message: Vec<String>,
    receipt: Vec<String>,
}

impl Lists {
    fn of(&self, kind: Kind) -> &Vec<String> {
        match kind {
            Kind::Phone => &self.phone,
            Kind::Email => &self.email,
            Kind::Message => &self.message,
            Kind::Receipt => &self.receipt,
        }
    }
}

impl From<Lists> for Pseudonyms {
    fn from(lists: Lists) -> Self {
        let of = |kind| (1..).zip(lists.of(kind)).map(move |(n, value)| ((kind, value.clone()), n));
        let numbers = Kind::ALL.into_iter().flat_map(of).collect();
        Self { numbers, lists }
    }
}

impl From<Pseudonyms> for Lists {
    fn from(names: Pseudonyms) -> Self {
        names.lists
    }
}

impl Pseudonyms {
    /// How many there are, of all kinds.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// All of them, by kind and number.
    pub fn iter(&self) -> impl Iterator<Item = Pseudonym<'_>> {
        Kind::ALL.into_iter().flat_map(|kind| {
            (1..).zip(self.lists.of(kind)).map(move |(n, original)| Pseudonym {
                name: shown(kind.id(), n),
                original,
                kind,
            })
        })
    }

    /// Numbers that stand in a text already, whoever they were given to: none of them is given again.
    pub fn reserve(&mut self, text: &str) {
        for piece in text.split('‹').skip(1) {
            let Some((name, _)) = piece.split_once('›') else { continue };
            let Some((word, number)) = name.rsplit_once('-') else { continue };
            let kind = match word {
                "payer" => Some(Kind::Phone),
                word => Kind::ALL.into_iter().find(|kind| kind.id() == word),
            };
            if let (Some(kind), Ok(number @ 1..=MOST)) = (kind, number.parse::<usize>()) {
                while self.lists.of(kind).len() < number {
                    let next = self.lists.of(kind).len() + 1;
                    self.number(kind, &format!("{NOT_KNOWN}{}-{next})", kind.id()));
                }
            }
        }
    }

    /// The name of a value, a new one where it has none.
    pub(super) fn name(&mut self, kind: Kind, value: &str) -> String {
        shown(kind.id(), self.number(kind, value))
    }

    /// The name of a number as the payer's: the same number as where it is a telephone number.
    pub(super) fn payer(&mut self, number: &str) -> String {
        shown("payer", self.number(Kind::Phone, number))
    }

    fn number(&mut self, kind: Kind, value: &str) -> usize {
        let key = (kind, value.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let list = match kind {
            Kind::Phone => &mut self.lists.phone,
            Kind::Email => &mut self.lists.email,
            Kind::Message => &mut self.lists.message,
            Kind::Receipt => &mut self.lists.receipt,
        };
        list.push(value.to_owned());
        let number = list.len();
        self.numbers.insert(key, number);
        number
    }
}

fn shown(word: &str, number: usize) -> String {
    ["‹", word, "-", &number.to_string(), "›"].concat()
}
