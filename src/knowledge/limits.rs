//! How much of everything a bot's folder may hold. All chosen by hand, far above what shops write.
//!
//! They keep a slip (a video saved as `products.csv`, a quotation mark that swallows the rest of a table)
//! from costing the server its memory, and they keep every later stage within known sizes.

/// Bytes of one file of knowledge: a catalogue of 100,000 goods takes about 40 MB.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Files below `faq/`.
pub const FAQ_FILES_MAX: usize = 2_000;
/// Folders inside one another below `faq/`.
pub const FAQ_DEPTH_MAX: usize = 8;
/// FAQ entries of one bot.
pub const ENTRIES_MAX: usize = 200_000;
/// Articles of one bot.
pub const PRODUCTS_MAX: usize = 200_000;
/// Rules of one bot.
pub const RULES_MAX: usize = 10_000;
/// Tasks of one bot.
pub const TASKS_MAX: usize = 100;
/// Groups of sensitive words of one bot.
pub const SENSITIVE_MAX: usize = 10_000;
/// Lines of `synonyms.txt` and of `terms.txt` that say something.
pub const WORD_LINES_MAX: usize = 200_000;
/// Words of one group of synonyms.
pub const GROUP_WORDS_MAX: usize = 100;
/// Characters of a word in `synonyms.txt` or `terms.txt`.
pub const WORD_CHARS_MAX: usize = 50;
/// Bytes of an id; ids are ASCII and show up in addresses.
pub const ID_BYTES_MAX: usize = 100;
/// Characters of a question, and of each phrasing.
pub const QUESTION_CHARS_MAX: usize = 200;
/// Phrasings of one entry.
pub const PHRASINGS_MAX: usize = 100;
/// Bytes of an answer.
pub const ANSWER_BYTES_MAX: usize = 20_000;
/// Characters of a product's name, category or series, and of each item in its lists.
pub const NAME_CHARS_MAX: usize = 100;
/// Items in one list of a product: aliases, colours, sizes.
pub const ITEMS_MAX: usize = 200;
/// Bytes of a product's description.
pub const DESCRIPTION_BYTES_MAX: usize = 4_000;
/// Price in fen: ten million yuan.
pub const PRICE_FEN_MAX: u32 = 1_000_000_000;
/// Pieces in stock.
pub const STOCK_MAX: u32 = 100_000_000;
/// Years of a date, both included: a typing slip (`20027`) must not switch an answer off for ever.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;
/// Questions offered below the greeting.
pub const SUGGESTIONS_MAX: usize = 6;
/// Bytes of a welcome's words. Source: WeCom developer centre, 发送新客户欢迎语 (path 92137).
pub const WELCOME_BYTES_MAX: usize = 4_000;
/// Attachments of a welcome. Source: as above.
pub const WELCOME_ATTACHMENTS_MAX: usize = 9;
/// Characters of the `state` of a way to a member or a group. Source: 联系我 (path 92228).
pub const STATE_CHARS_MAX: usize = 30;
/// Findings of one code in one file that are told one by one; the rest is counted.
pub const FINDINGS_PER_CODE_MAX: usize = 50;
/// Characters of a value that a finding repeats.
pub const SHOWN_CHARS_MAX: usize = 40;
/// Bytes of all files of a version together.
pub const SNAPSHOT_BYTES_MAX: usize = 256 << 20;
/// Files of a version.
pub const SNAPSHOT_FILES_MAX: usize = 10_000;
/// Folders inside one another in a version.
pub const SNAPSHOT_DEPTH_MAX: usize = 10;
