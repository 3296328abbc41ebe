//! Kinds of files that a channel keeps and shows as themselves, with what WeCom takes of each.

/// A kind of file that WeCom keeps.
///
/// Source: WeCom developer centre, 上传临时素材 (path 90253).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Media {
    /// A picture: up to 10 MB, JPG or PNG.
    Image,
    /// A voice clip: up to 2 MB and 60 seconds, AMR.
    Voice,
    /// A video: up to 10 MB, MP4.
    Video,
    /// Any other file: up to 20 MB.
    File,
}

impl Media {
    /// Fewest bytes of any of them.
    pub const BYTES_MIN: u64 = 6;

    /// WeCom's name, in requests and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }

    /// Most bytes.
    #[must_use]
    pub fn bytes_max(self) -> u64 {
        match self {
            Self::Image | Self::Video => 10 << 20,
            Self::Voice => 2 << 20,
            Self::File => 20 << 20,
        }
    }

    /// Endings of file names that WeCom takes; empty for any.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Image => &["jpg", "jpeg", "png"],
            Self::Voice => &["amr"],
            Self::Video => &["mp4"],
            Self::File => &[],
        }
    }
}
