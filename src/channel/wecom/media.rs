//! Files that WeCom keeps for three days: what it would refuse is told before it is sent over.
//!
//! Source: WeCom developer centre, 上传临时素材 (path 90253). The form of a voice clip: RFC 4867, section 5.

use jiff::SignedDuration;

use crate::message::Media;

/// For so long WeCom keeps a file.
pub const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// Seconds of a voice clip at most.
pub const VOICE_SECONDS_MAX: u64 = 60;

/// What a narrow-band AMR file begins with.
const AMR: &[u8] = b"#!AMR\n";

/// Bytes of a frame, its head included, by the mode in that head; 0 for modes that the format reserves.
const FRAME_BYTES: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];

/// Frames of a second.
const FRAMES_PER_SECOND: u64 = 50;

/// Why WeCom would not take a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Next to nothing is in it, or too much.
    #[error(
        "{} of {bytes} bytes; WeCom takes {} to {}",
        kind.as_str(), Media::BYTES_MIN, kind.bytes_max()
    )]
    Size {
        /// What it is to be.
        kind: Media,
        /// How many bytes it has.
        bytes: u64,
    },
    /// Its bytes are of another form, whatever its name says.
    #[error("{} is no {}", kind.as_str(), kind.endings().join(" or "))]
    Form {
        /// What it is to be.
        kind: Media,
    },
    /// A voice clip goes on for too long.
    #[error("voice of {seconds} seconds; WeCom takes {VOICE_SECONDS_MAX}")]
    Long {
        /// How long it is, rounded up.
        seconds: u64,
    },
}

/// Refuses what WeCom would refuse.
///
/// # Errors
/// See [`MediaError`].
///
/// ```
/// use yingda::channel::wecom::media::check;
/// use yingda::message::Media;
///
/// assert!(check(Media::Image, b"\x89PNG\r\n\x1a\n...").is_ok());
/// assert!(check(Media::Voice, b"ID3 an MP3").is_err());
/// ```
pub fn check(kind: Media, bytes: &[u8]) -> Result<(), MediaError> {
    let size = bytes.len() as u64;
    if !(Media::BYTES_MIN..=kind.bytes_max()).contains(&size) {
        return Err(MediaError::Size { kind, bytes: size });
    }
    let is_form = match kind {
        Media::Image => bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(b"\xff\xd8\xff"),
        Media::Voice => return check_voice(bytes),
        Media::Video => bytes.get(4..8) == Some(b"ftyp"),
        Media::File => true,
    };
    if is_form { Ok(()) } else { Err(MediaError::Form { kind }) }
}

fn check_voice(bytes: &[u8]) -> Result<(), MediaError> {
    let form = MediaError::Form { kind: Media::Voice };
    let mut rest = bytes.strip_prefix(AMR).ok_or(form)?;
    let mut n_frames = 0;
    while let Some(head) = rest.first() {
        let length = FRAME_BYTES[usize::from(head >> 3 & 0x0f)];
        rest = rest.get(length..).filter(|_| length > 0).ok_or(form)?;
        n_frames += 1;
    }
    let seconds = u64::div_ceil(n_frames, FRAMES_PER_SECOND);
    match seconds {
        0 => Err(form),
        1..=VOICE_SECONDS_MAX => Ok(()),
        _ => Err(MediaError::Long { seconds }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clip of frames of the 12.2 kbit/s mode.
    fn clip(n_frames: usize) -> Vec<u8> {
        let frame = [&[7 << 3][..], &[0; 31]].concat();
        [AMR, &frame.repeat(n_frames)].concat()
    }

    #[test]
    fn a_minute_of_voice_is_taken_and_no_frame_more() {
        assert_eq!(check(Media::Voice, &clip(1)), Ok(()));
        assert_eq!(check(Media::Voice, &clip(3_000)), Ok(()));
        assert_eq!(check(Media::Voice, &clip(3_001)), Err(MediaError::Long { seconds: 61 }));
    }

    #[test]
    fn a_voice_that_breaks_off_is_none() {
        let form = Err(MediaError::Form { kind: Media::Voice });
        let whole = clip(3);
        assert_eq!(check(Media::Voice, &whole[..whole.len() - 1]), form);
        assert_eq!(check(Media::Voice, AMR), form);
        assert_eq!(check(Media::Voice, &[AMR, &[9 << 3, 0]].concat()), form, "a reserved mode");
        assert_eq!(check(Media::Voice, b"#!AMR-WB\n....."), form, "the wide-band form is another");
    }

    #[test]
    fn bytes_count_and_not_names() {
        let size = |kind, bytes| Err(MediaError::Size { kind, bytes });
        assert_eq!(check(Media::File, b"12345"), size(Media::File, 5));
        assert_eq!(check(Media::File, b"123456"), Ok(()));
        let large = [b"\xff\xd8\xff".to_vec(), vec![0; 10 << 20]].concat();
        assert_eq!(check(Media::Image, &large), size(Media::Image, (10 << 20) + 3));
        assert_eq!(check(Media::Image, &large[..10 << 20]), Ok(()));
        assert_eq!(check(Media::Image, b"GIF89a..."), Err(MediaError::Form { kind: Media::Image }));
        assert_eq!(check(Media::Video, b"\0\0\0\x18ftypmp42"), Ok(()));
        assert_eq!(check(Media::Video, b"\0\0\0\x18moovmp42"), Err(MediaError::Form { kind: Media::Video }));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for kind in [Media::Image, Media::Voice, Media::Video, Media::File] {
                let voice = [AMR, &bytes].concat();
                let checked = check(kind, &voice);
                let is_long = matches!(checked, Err(MediaError::Long { .. }));
                // A frame has a byte at least.
                proptest::prop_assert!(!is_long || bytes.len() > 3_000);
            }
        }
    }
}
