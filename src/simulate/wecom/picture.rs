//! Pictures that travel inside of JSON: as base64, with the MD5 of their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;
use md5::Md5;

use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::refusal::Refusal;
use crate::text::hex::lower_hex;

/// What a JPEG and a PNG begin with.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
const PNG: &[u8] = &[0x89, b'P', b'N', b'G'];

/// Checks an object of `base64` and `md5`.
///
/// * `bytes_max`: of the picture itself, not of its base64.
/// * Returns its size in bytes.
pub(super) fn read(image: &Fields<'_>, bytes_max: usize) -> Result<usize, Refusal> {
    let (base64, md5) = (image.text("base64", 40_058)?, image.text("md5", 40_058)?);
    let bytes = STANDARD.decode(base64).map_err(|_| Refusal::new(40_058, "base64 is none"))?;
    if bytes.len() > bytes_max {
        return Err(Refusal::new(93_018, format!("picture of {} bytes, at most {bytes_max}", bytes.len())));
    }
    if lower_hex(&Md5::digest(&bytes)) != md5.to_lowercase() {
        return Err(Refusal::new(40_123, "md5 is not that of the picture"));
    }
    if bytes.starts_with(JPEG) || bytes.starts_with(PNG) {
        return Ok(bytes.len());
    }
    Err(Refusal::new(40_123, "picture is neither jpg nor png"))
}
