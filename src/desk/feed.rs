//! Catalogues that a shop keeps in a system of its own: pulled on a schedule, and published when something has changed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::knowledge::import;
use crate::knowledge::import::IMPORT_BYTES_MAX;
use crate::knowledge::import::ImportError;
use crate::knowledge::import::Imported;
use crate::knowledge::import::goods;
use crate::knowledge::import::goods::Others;
use crate::knowledge::import::goods::Stocked;
use crate::knowledge::profile::Feed;
use crate::knowledge::profile::PriceUnit;
use crate::knowledge::secret_name;
use crate::knowledge::snapshot::Files;
use crate::message::BotId;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::callback::chain;
use crate::service::fetch::FetchError;
use crate::service::fetch::Fetched;
use crate::service::fetch::Wish;
use crate::service::fetch::fetch;
use crate::service::merge::Merged;
use crate::service::merge::Rest;
use crate::service::merge::merge;
use crate::service::version::Opened;
use crate::service::version::Origin;
use crate::service::version::VersionError;
use crate::service::version::Versions;
use crate::store::NewPublication;
use crate::store::VersionNumber;

/// How often it looks whether a catalogue is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Pages of one address.
const PAGES_MAX: usize = 1_000;

/// Of all articles, those that may be refused: more, and the address says something that we do not understand.
const REFUSED_PART_MAX: usize = 10;

/// A catalogue that shrinks to less than this part is not believed: a system that is half up lists half its goods.
const SHRUNK_PART: usize = 2;

/// Why a catalogue stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The address gave nothing.
    #[error("the address gave nothing")]
    Fetch(#[from] FetchError),
    /// What it gave is no table.
    #[error("what the address gave is no table of goods")]
    Import(#[from] ImportError),
    /// What it gave is a table of something else.
    #[error("what the address gave lists no goods")]
    NoGoods,
    /// It goes on and on.
    #[error("the address has more than {PAGES_MAX} pages")]
    Pages,
    /// The header's variable is not set, or the value stands in `bot.toml` itself.
    #[error("catalogue.authorization must name a variable that is set")]
    NotSet,
    /// Too many articles cannot be used.
    #[error("{n_refused} of {n_goods} articles cannot be used, the first: {first}")]
    Refused {
        /// Articles that cannot be used.
        n_refused: usize,
        /// All articles.
        n_goods: usize,
        /// What is wrong with one of them.
        first: String,
    },
    /// Much has gone.
    #[error(
        "it lists {n_now} articles where there were {n_before}; `yingda import --all-goods` takes it all the same"
    )]
    Shrunk {
        /// Articles before.
        n_before: usize,
        /// Articles now.
        n_now: usize,
    },
    /// It cannot become a version, or another one was published meanwhile.
    #[error("it could not be published")]
    Version(#[from] VersionError),
}

/// What a pull has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The version that answers now.
    pub version: VersionNumber,
    /// Articles before and now.
    pub stocked: Stocked,
    /// Articles that were left out.
    pub refused: Vec<String>,
}

/// The catalogues of all bots that name an address.
pub struct Feeds {
    service: Arc<Service>,
    versions: Versions,
    /// Hosts of the own network that may be asked.
    allowed: BTreeSet<String>,
    variable: fn(&str) -> Option<String>,
    /// When each bot's was last pulled, and the version that came of it.
    pulled: BTreeMap<BotId, (Timestamp, Option<VersionNumber>)>,
}

impl Feeds {
    /// * `allowed`: hosts with their ports that may lie in the own network.
    /// * `variable`: the environment, or what stands for it.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        versions: Versions,
        allowed: BTreeSet<String>,
        variable: fn(&str) -> Option<String>,
    ) -> Self {
        Self { service, versions, allowed, variable, pulled: BTreeMap::new() }
    }

    /// Looks again and again, for as long as it is polled.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            if self.service.leases().leads("feeds").await {
                self.look().await;
            }
        }
    }

    /// Pulls what is due: at the start, after the bot's time, and when another version answers, which may hold another
    /// catalogue or another address. One that fails is tried again after a minute at the earliest.
    pub async fn look(&mut self) {
        for (bot, engine) in self.service.bots().iter() {
            let Some(feed) = engine.known().profile.catalogue.clone() else { continue };
            let (now, answers) = (self.service.now(), engine.known().version);
            if let Some((at, version)) = self.pulled.get(bot) {
                let minutes = if *version == answers { i64::from(feed.every_minutes) } else { 1 };
                if now.duration_since(*at) < SignedDuration::from_mins(minutes) {
                    continue;
                }
            }
            let pulled = self.pull(bot, &feed, now).await;
            let version = match &pulled {
                Ok(Some(pulled)) => Some(pulled.version),
                Ok(None) => answers,
                Err(_) => None,
            };
            self.pulled.insert(bot.clone(), (now, version));
            match pulled {
                Ok(None) => tracing::debug!(bot, "the catalogue is as it was"),
                Ok(Some(Pulled { version, stocked, refused })) => {
                    let (n_before, n_now, n_refused) = (stocked.n_before, stocked.n_now, refused.len());
                    tracing::info!(bot, version, n_before, n_now, n_refused, "the catalogue has changed");
                    refused.iter().take(5).for_each(|row| tracing::warn!(bot, "left out: {row}"));
                }
                Err(error) => tracing::warn!(bot, error = %chain(&error), "the catalogue stays as it was"),
            }
        }
    }

    /// Brings a bot's catalogue up to what its address lists.
    ///
    /// * Returns `None` where nothing has changed.
    async fn pull(&self, bot: &str, feed: &Feed, now: Timestamp) -> Result<Option<Pulled>, FeedError> {
        let mut refused = Vec::new();
        let mut tables = Vec::new();
        // Whatever else a page says is no catalogue.
        for Imported { goods, refused: of_page, .. } in self.pages(feed).await? {
            refused.extend(of_page);
            tables.push(goods);
        }
        let (mut all, torn) = goods::gathered(tables);
        refused.extend(torn);
        let n_goods = all.len() + refused.len();
        if feed.price_in == PriceUnit::Fen {
            refused.extend(goods::priced_in_fen(&mut all));
        }
        let imported = [Imported { name: "catalogue".to_owned(), goods: all, ..Imported::default() }];
        let mut refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        let Some(number) = self.versions.store().published().await.map_err(VersionError::from)?.remove(bot)
        else {
            return Ok(None);
        };
        let base = self.versions.open(bot, number, now).await?;
        let merged = merge(&imported, &base, (Others::Go, Rest::Taken), &self.versions, now).await?;
        let Merged { files, stocked, refused: unfit, .. } = merged;
        refused.extend(unfit);
        let stocked = stocked.unwrap_or_default();
        let Some(files) = files.filter(|_| refused.len() * REFUSED_PART_MAX <= n_goods) else {
            let first = refused.first().cloned().unwrap_or_default();
            return Err(FeedError::Refused { n_refused: refused.len(), n_goods, first });
        };
        if stocked.n_now * SHRUNK_PART < stocked.n_before {
            let Stocked { n_before, n_now } = stocked;
            return Err(FeedError::Shrunk { n_before, n_now });
        }
        if files == base.files {
            return Ok(None);
        }
        let version = self.publish(&base, number, files, now).await?;
        Ok(Some(Pulled { version, stocked, refused }))
    }

    async fn publish(
        &self,
        base: &Opened,
        instead_of: VersionNumber,
        files: Files,
        now: Timestamp,
    ) -> Result<VersionNumber, VersionError> {
        let bot = base.knowledge.bot.clone();
        let origin = Origin { author: "catalogue".to_owned(), reason: "the catalogue changed".to_owned() };
        let number = self.versions.add(&bot, files, &origin, now).await?.number;
        let Origin { author, reason } = origin;
        let wish = NewPublication { bot, number, instead_of: Some(instead_of), author, reason };
        self.versions.publish(&wish, now).await?;
        Ok(number)
    }

    /// Reads all pages of an address; one without `{page}` is one page.
    async fn pages(&self, feed: &Feed) -> Result<Vec<Imported>, FeedError> {
        let authorization = match &feed.authorization {
            None => None,
            Some(value) => {
                let value = secret_name(value).and_then(self.variable).ok_or(FeedError::NotSet)?;
                Some(Secret::new(value))
            }
        };
        let is_paged = feed.url.contains("{page}");
        let mut pages = Vec::new();
        let mut before: Vec<u8> = Vec::new();
        for page in 1..=PAGES_MAX {
            let url = feed.url.replace("{page}", &page.to_string());
            let wish = Wish {
                url: &url,
                allowed: &self.allowed,
                bytes_max: IMPORT_BYTES_MAX,
                authorization: authorization.as_ref(),
            };
            let Fetched { name, bytes } = fetch(wish).await?;
            if page > 1 && bytes == before {
                // An address that knows no further page gives the last one again.
                return Ok(pages);
            }
            before.clone_from(&bytes);
            let columns = feed.columns.clone();
            let imported = tokio::task::spawn_blocking(move || {
                let name = if is_paged { format!("{page}-{name}") } else { name };
                import::read(&name, &bytes, &columns)
            });
            let imported = match imported.await.map_err(VersionError::from)? {
                // The page behind the last one, unless it is a refusal.
                Err(ImportError::Empty { .. }) if page > 1 => {
                    return if is_refusal(&before) { Err(FeedError::NoGoods) } else { Ok(pages) };
                }
                imported => imported?,
            };
            if imported.goods.is_empty() {
                return Err(FeedError::NoGoods);
            }
            pages.push(imported);
            if !is_paged {
                return Ok(pages);
            }
        }
        Err(FeedError::Pages)
    }
}

/// Whether an answer without goods says that something went wrong.
fn is_refusal(bytes: &[u8]) -> bool {
    let answer: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let code = answer["code"].as_i64().or_else(|| answer["errcode"].as_i64());
    code.is_some_and(|code| code != 0 && code != 200)
}
