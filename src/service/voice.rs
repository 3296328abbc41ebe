//! Any sound as WeCom and pages play it: AMR and MP3, in pieces of a minute at most, made by ffmpeg.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// Seconds of a piece: below WeCom's sixty by more than the encoder adds at the end.
const PIECE_SECONDS: f64 = 59.5;

/// Pieces of one sound at most.
const PIECES_MAX: usize = 20;

/// Bytes of a second of what ffmpeg decodes to here: one channel of 16 bits at 44.1 kHz.
const BYTES_PER_SECOND: f64 = 88_200.0;

/// One piece of a sound, for WeCom and for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// For WeCom.
    pub amr: PathBuf,
    /// For pages.
    pub mp3: PathBuf,
}

/// Why there is no voice clip.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// ffmpeg is not there.
    #[error("没有找到 ffmpeg。Debian/Ubuntu：apt install ffmpeg libavcodec-extra")]
    NoFfmpeg,
    /// It cannot write AMR.
    #[error("这个 ffmpeg 不会写 AMR。Debian/Ubuntu：apt install libavcodec-extra")]
    NoAmr,
    /// It made nothing of a sound.
    #[error("ffmpeg 读不了 {}：{words}", path.display())]
    Refused {
        /// What it was given.
        path: PathBuf,
        /// The last thing it said.
        words: String,
    },
    /// It goes on for too long.
    #[error("{} 超过 {} 秒，请先剪短", .0.display(), PIECES_MAX as f64 * PIECE_SECONDS)]
    Long(PathBuf),
    /// Nothing is in it.
    #[error("{} 里没有声音", .0.display())]
    Silent(PathBuf),
    /// The system did not let ffmpeg run, or its work be written.
    #[error("转换 {} 时出错", path.display())]
    Io {
        /// What it was given.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

/// Makes voice clips of a sound, in order.
///
/// * `stem`: where they go, without ending: `attachments/hello` gives `hello.amr` and `hello.mp3`, and where one minute is not
///   enough `hello-1.amr`, `hello-2.amr` and so on.
///
/// # Errors
/// See [`VoiceError`].
pub fn convert(sound: &Path, stem: &Path) -> Result<Vec<Piece>, VoiceError> {
    let encoders = run(sound, ["-encoders".as_ref()])?;
    if !String::from_utf8_lossy(&encoders).contains("libopencore_amrnb") {
        return Err(VoiceError::NoAmr);
    }
    // Only what lies on this machine, whatever a playlist inside of it names.
    let read = ["-protocol_whitelist".as_ref(), "file,pipe".as_ref(), "-i".as_ref(), sound.as_os_str()];
    let enough = ((PIECES_MAX + 1) as f64 * PIECE_SECONDS).to_string();
    let decoded = ["-t", &enough, "-vn", "-ac", "1", "-ar", "44100", "-f", "s16le", "pipe:1"].map(OsStr::new);
    let wave = run(sound, read.into_iter().chain(decoded))?;
    let seconds = wave.len() as f64 / BYTES_PER_SECOND;
    let n_pieces = (seconds / PIECE_SECONDS).ceil() as usize;
    match n_pieces {
        0 => return Err(VoiceError::Silent(sound.to_owned())),
        1..=PIECES_MAX => {}
        _ => return Err(VoiceError::Long(sound.to_owned())),
    }
    let mut pieces = Vec::new();
    for number in 0..n_pieces {
        let named = |ending: &str| {
            let mut name = stem.as_os_str().to_owned();
            name.push(if n_pieces == 1 { String::new() } else { format!("-{}", number + 1) });
            name.push(format!(".{ending}"));
            PathBuf::from(name)
        };
        let piece = Piece { amr: named("amr"), mp3: named("mp3") };
        let (from, length) = ((number as f64 * PIECE_SECONDS).to_string(), PIECE_SECONDS.to_string());
        let part =
            ["-y", "-ss", &from, "-t", &length, "-protocol_whitelist", "file,pipe", "-i"].map(OsStr::new);
        let amr = ["-vn", "-ac", "1", "-ar", "8000", "-c:a", "libopencore_amrnb", "-b:a", "12.2k"];
        let mp3 = ["-vn", "-ac", "1", "-ar", "24000", "-c:a", "libmp3lame", "-b:a", "48k"];
        for (form, to) in [(&amr[..], &piece.amr), (&mp3, &piece.mp3)] {
            let rest = std::iter::once(sound.as_os_str()).chain(form.iter().map(OsStr::new));
            run(sound, part.into_iter().chain(rest).chain([to.as_os_str()]))?;
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

/// Runs ffmpeg; returns what it wrote to its output.
fn run<'a>(sound: &Path, args: impl IntoIterator<Item = &'a OsStr>) -> Result<Vec<u8>, VoiceError> {
    let done = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VoiceError::NoFfmpeg,
            _ => VoiceError::Io { path: sound.to_owned(), source },
        })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let words = said.lines().last().unwrap_or_default().to_owned();
    Err(VoiceError::Refused { path: sound.to_owned(), words })
}
