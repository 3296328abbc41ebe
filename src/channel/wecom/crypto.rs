//! Signature and encryption of a WeCom callback.
//!
//! Source: WeCom developer centre, 加解密方案说明 (path 90968). The checks come in the order of that page's sample
//! libraries, and each refusal has their code. Nothing here draws random numbers or shows a secret.

use std::fmt;

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::BlockModeDecrypt;
use cbc::cipher::BlockModeEncrypt;
use cbc::cipher::KeyIvInit;
use cbc::cipher::block_padding::NoPadding;
use sha1::Digest;
use sha1::Sha1;

use crate::secret::Secret;
use crate::secret::same_bytes;
use crate::text::hex::lower_hex;

/// Characters of an EncodingAESKey, as the admin console issues it.
const KEY_CHARS: usize = 43;
/// Random bytes in front of every plaintext.
const RANDOM_BYTES: usize = 16;
/// Random bytes and the big-endian length of the message.
const HEADER_BYTES: usize = RANDOM_BYTES + 4;
/// Block of AES.
const CIPHER_BLOCK_BYTES: usize = 16;
/// Block that the padding fills: 32, not the 16 of AES.
const PAD_BLOCK_BYTES: usize = 32;

/// Reads an EncodingAESKey. Its 43 characters carry 258 bits for a key of 256, and the console issues keys whose two
/// spare bits are not zero: the strict engine refuses both of the vendor's own sample keys.
const KEY_DECODER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a callback was not accepted, or a key not loaded. Holds lengths, never contents.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CryptoError {
    /// The signature is not the one of these values under our token.
    #[error("signature does not match")]
    Signature,
    /// No token: anybody could sign.
    #[error("callback token is empty")]
    EmptyToken,
    /// The EncodingAESKey is too short or too long.
    #[error("encoding aes key has {chars} characters, not {KEY_CHARS}")]
    KeyLength {
        /// Characters after trimming.
        chars: usize,
    },
    /// The EncodingAESKey holds something else than letters and digits.
    #[error("encoding aes key holds a character other than A-Z, a-z, 0-9")]
    KeyAlphabet,
    /// The message is encrypted for another company, suite or bot.
    #[error("receiver id of {bytes} bytes is not ours")]
    ReceiveId {
        /// Length of the id that was found.
        bytes: usize,
    },
    /// The ciphertext cannot be AES-CBC.
    #[error("ciphertext of {bytes} bytes is not a positive multiple of {CIPHER_BLOCK_BYTES}")]
    Ciphertext {
        /// Length after base64.
        bytes: usize,
    },
    /// The padding is damaged, or the key is not the sender's.
    #[error("padding byte {byte} is outside 1..={PAD_BLOCK_BYTES} or not repeated")]
    Padding {
        /// Last byte of the decrypted blocks.
        byte: u8,
    },
    /// The decrypted bytes are shorter than the length they state.
    #[error("callback payload of {bytes} bytes is shorter than its {needed}-byte layout")]
    Truncated {
        /// Bytes without the padding.
        bytes: usize,
        /// Bytes that the header asks for.
        needed: usize,
    },
    /// The decrypted message is not text.
    #[error("decrypted message is not utf-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// The encrypted text is not base64.
    #[error("encrypted text is not base64")]
    Base64(#[source] base64::DecodeError),
}

impl CryptoError {
    /// The code of the vendor's sample libraries for this refusal; it never travels over HTTP.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Signature => -40001,
            Self::NotUtf8(_) => -40002,
            Self::EmptyToken => -40003,
            Self::KeyLength { .. } | Self::KeyAlphabet => -40004,
            Self::ReceiveId { .. } => -40005,
            Self::Ciphertext { .. } | Self::Padding { .. } => -40007,
            Self::Truncated { .. } => -40008,
            Self::Base64(_) => -40010,
        }
    }
}

/// What one callback address needs to check, open and seal: token, AES key and receiver id.
#[derive(Clone)]
pub struct CallbackKey {
    token: Secret,
    aes_key: [u8; 32],
    receive_id: String,
}

/// A sealed message with the values that its signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Base64 of the encrypted message.
    pub encrypt: String,
    /// Lower-case hex SHA-1 over token, timestamp, nonce and `encrypt`.
    pub msg_signature: String,
    /// Unix seconds, decimal, as it was given.
    pub timestamp: String,
    /// The nonce, as it was given.
    pub nonce: String,
}

impl CallbackKey {
    /// Checks and decodes the values that the admin console shows, blanks around them cut off.
    ///
    /// * `encoding_aes_key`: 43 letters and digits.
    /// * `receive_id`: the CorpID for a self-built app; empty for a 智能机器人.
    ///
    /// # Errors
    /// `KeyLength` or `KeyAlphabet` for a malformed key, `EmptyToken` for a blank token.
    pub fn new(token: &Secret, encoding_aes_key: &Secret, receive_id: &str) -> Result<Self, CryptoError> {
        let token = token.expose().trim();
        if token.is_empty() {
            return Err(CryptoError::EmptyToken);
        }
        Ok(Self {
            token: Secret::new(token),
            aes_key: decode_key(encoding_aes_key.expose().trim())?,
            receive_id: receive_id.trim().to_owned(),
        })
    }

    /// Checks that whoever sent these values knows our token, in constant time.
    ///
    /// The values are those of the query, decoded once, and `encrypt` byte for byte as received.
    ///
    /// # Errors
    /// `Signature` when it differs.
    pub fn verify(
        &self,
        msg_signature: &str,
        timestamp: &str,
        nonce: &str,
        encrypt: &str,
    ) -> Result<(), CryptoError> {
        let expected = self.signature(timestamp, nonce, encrypt);
        if same_bytes(expected.as_bytes(), msg_signature.as_bytes()) {
            Ok(())
        } else {
            Err(CryptoError::Signature)
        }
    }

    /// The message inside a callback, or inside the `echostr` of the address check.
    ///
    /// # Errors
    /// The first check that fails, in this order: signature, base64, block length, padding, layout, receiver id, UTF-8.
    pub fn open(
        &self,
        signature: &str,
        timestamp: &str,
        nonce: &str,
        encrypt: &str,
    ) -> Result<String, CryptoError> {
        self.verify(signature, timestamp, nonce, encrypt)?;
        let mut blocks = STANDARD.decode(encrypt).map_err(CryptoError::Base64)?;
        let bytes = blocks.len();
        if bytes == 0 || !bytes.is_multiple_of(CIPHER_BLOCK_BYTES) {
            return Err(CryptoError::Ciphertext { bytes });
        }
        let decryptor = cbc::Decryptor::<Aes256>::new(&self.aes_key.into(), &self.iv().into());
        let plain = decryptor
            .decrypt_padded::<NoPadding>(&mut blocks)
            .map_err(|_| CryptoError::Ciphertext { bytes })?;
        let (message, receive_id) = split_payload(unpad(plain)?)?;
        if receive_id != self.receive_id.as_bytes() {
            return Err(CryptoError::ReceiveId { bytes: receive_id.len() });
        }
        let message = std::str::from_utf8(message).map_err(CryptoError::NotUtf8)?;
        Ok(message.to_owned())
    }

    /// Encrypts and signs a reply.
    ///
    /// * `random`: fresh for every call; the same bytes give the same ciphertext.
    /// * `timestamp`: unix seconds, decimal. `nonce`: our own or the request's.
    ///
    /// ```
    /// use yingda::channel::wecom::crypto::CallbackKey;
    /// use yingda::secret::Secret;
    ///
    /// let aes_key = Secret::new("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPR");
    /// let key = CallbackKey::new(&Secret::new("kfTestToken2024"), &aes_key, "wwfac7test00000001")?;
    /// let sealed = key.seal("<xml></xml>", [7; 16], "1735689603", "n0nce-3");
    /// let opened = key.open(&sealed.msg_signature, &sealed.timestamp, &sealed.nonce, &sealed.encrypt)?;
    /// assert_eq!(opened, "<xml></xml>");
    /// # Ok::<(), yingda::channel::wecom::crypto::CryptoError>(())
    /// ```
    #[must_use]
    pub fn seal(&self, plain: &str, random: [u8; RANDOM_BYTES], timestamp: &str, nonce: &str) -> Sealed {
        let plain_bytes =
            u32::try_from(plain.len()).expect("a reply of 4 GiB would not have fitted into memory");
        let mut blocks =
            Vec::with_capacity(HEADER_BYTES + plain.len() + self.receive_id.len() + PAD_BLOCK_BYTES);
        blocks.extend_from_slice(&random);
        blocks.extend_from_slice(&plain_bytes.to_be_bytes());
        blocks.extend_from_slice(plain.as_bytes());
        blocks.extend_from_slice(self.receive_id.as_bytes());
        pad(&mut blocks);

        let padded_bytes = blocks.len();
        let encryptor = cbc::Encryptor::<Aes256>::new(&self.aes_key.into(), &self.iv().into());
        let encrypted = encryptor
            .encrypt_padded::<NoPadding>(&mut blocks, padded_bytes)
            .expect("padded to a multiple of 32 just above");
        let encrypt = STANDARD.encode(encrypted);
        Sealed {
            msg_signature: self.signature(timestamp, nonce, &encrypt),
            encrypt,
            timestamp: timestamp.to_owned(),
            nonce: nonce.to_owned(),
        }
    }

    /// The vendor fixes the IV: the first half of the key.
    fn iv(&self) -> [u8; CIPHER_BLOCK_BYTES] {
        let mut iv = [0; CIPHER_BLOCK_BYTES];
        iv.copy_from_slice(&self.aes_key[..CIPHER_BLOCK_BYTES]);
        iv
    }

    fn signature(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut values = [self.token.expose(), timestamp, nonce, encrypt];
        // `str` sorts by bytes, as the vendor asks.
        values.sort_unstable();
        lower_hex(&Sha1::digest(values.concat()))
    }
}

impl fmt::Debug for CallbackKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CallbackKey(***)")
    }
}

fn decode_key(encoded: &str) -> Result<[u8; 32], CryptoError> {
    let chars = encoded.chars().count();
    if chars != KEY_CHARS {
        return Err(CryptoError::KeyLength { chars });
    }
    if !encoded.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(CryptoError::KeyAlphabet);
    }
    let decoded = KEY_DECODER.decode(encoded).expect("43 letters and digits are base64, spare bits allowed");
    Ok(decoded.try_into().expect("43 base64 characters are 32 bytes"))
}

/// PKCS#7 to a multiple of 32 bytes; a text that is one already gets 32 more.
fn pad(blocks: &mut Vec<u8>) {
    let n_pad = PAD_BLOCK_BYTES - blocks.len() % PAD_BLOCK_BYTES;
    let byte = u8::try_from(n_pad).expect("at most 32");
    blocks.resize(blocks.len() + n_pad, byte);
}

/// The decrypted blocks without their padding of 1..=32 bytes, each of which must hold the padding's length.
fn unpad(plain: &[u8]) -> Result<&[u8], CryptoError> {
    let byte = plain.last().copied().unwrap_or_default();
    let n_pad = usize::from(byte);
    if n_pad == 0 || n_pad > PAD_BLOCK_BYTES || n_pad > plain.len() {
        return Err(CryptoError::Padding { byte });
    }
    let (payload, padding) = plain.split_at(plain.len() - n_pad);
    if padding.iter().any(|found| *found != byte) {
        return Err(CryptoError::Padding { byte });
    }
    Ok(payload)
}

/// Splits a payload into the message and the id it was addressed to.
///
/// * `payload`: 16 random bytes, 4 bytes of message length (big-endian), the message, the receiver id.
///
/// # Errors
/// `Truncated` when the header or the stated length runs past the end, as it does under a wrong key.
fn split_payload(payload: &[u8]) -> Result<(&[u8], &[u8]), CryptoError> {
    let truncated = |needed| CryptoError::Truncated { bytes: payload.len(), needed };
    let (header, rest) = payload.split_at_checked(HEADER_BYTES).ok_or(truncated(HEADER_BYTES))?;
    let stated = header[RANDOM_BYTES..].try_into().expect("the header ends with 4 bytes of length");
    let message_bytes = usize::try_from(u32::from_be_bytes(stated)).unwrap_or(usize::MAX);
    rest.split_at_checked(message_bytes).ok_or(truncated(message_bytes.saturating_add(HEADER_BYTES)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::channel::wecom::vectors;

    const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPR";

    fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
        vector[name].as_str().unwrap_or_else(|| panic!("{name} of {vector}"))
    }

    fn key_of(config: &Value) -> CallbackKey {
        let aes_key = Secret::new(text(config, "encoding_aes_key"));
        CallbackKey::new(&Secret::new(text(config, "token")), &aes_key, text(config, "receive_id"))
            .expect("a sound key")
    }

    fn key(receive_id: &str) -> CallbackKey {
        CallbackKey::new(&Secret::new("token"), &Secret::new(AES_KEY), receive_id).expect("a sound key")
    }

    /// Signs and encrypts raw blocks, sound or not, as a sender who holds the key.
    fn sealed_blocks(key: &CallbackKey, mut blocks: Vec<u8>) -> Sealed {
        let bytes = blocks.len();
        let encryptor = cbc::Encryptor::<Aes256>::new(&key.aes_key.into(), &key.iv().into());
        let encrypt =
            STANDARD.encode(encryptor.encrypt_padded::<NoPadding>(&mut blocks, bytes).expect("whole blocks"));
        Sealed {
            msg_signature: key.signature("1", "n", &encrypt),
            encrypt,
            timestamp: "1".to_owned(),
            nonce: "n".to_owned(),
        }
    }

    fn open(key: &CallbackKey, sealed: &Sealed) -> Result<String, CryptoError> {
        key.open(&sealed.msg_signature, &sealed.timestamp, &sealed.nonce, &sealed.encrypt)
    }

    #[test]
    fn keys_decode_as_published_with_spare_bits_set() {
        for vector in vectors()["key_decode"].as_array().expect("a list") {
            let key = CallbackKey::new(&Secret::new("t"), &Secret::new(text(vector, "encoding_aes_key")), "")
                .expect("a key");
            assert_eq!(lower_hex(&key.aes_key), text(vector, "aes_key_hex"));
            assert_eq!(lower_hex(&key.iv()), text(vector, "iv_hex"));
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        let all = vectors();
        let listed = all["key_errors"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|vector| text(vector, "encoding_aes_key"));
        for encoded in listed.chain([
            "",
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP=",
            "密abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP",
        ]) {
            let error =
                CallbackKey::new(&Secret::new("t"), &Secret::new(encoded), "").expect_err("a malformed key");
            assert_eq!(error.code(), -40004, "{encoded}");
        }
    }

    #[test]
    fn blanks_around_configured_values_are_cut() {
        let trimmed =
            CallbackKey::new(&Secret::new(" token\n"), &Secret::new(format!("{AES_KEY}\r\n")), " ww1 ")
                .expect("a key");
        let sealed = key("ww1").seal("hi", [1; 16], "1", "n");
        assert_eq!(open(&trimmed, &sealed).as_deref(), Ok("hi"));
    }

    #[test]
    fn an_empty_token_is_refused() {
        let error = CallbackKey::new(&Secret::new(" "), &Secret::new(AES_KEY), "ww1").expect_err("no token");
        assert_eq!(error, CryptoError::EmptyToken);
    }

    #[test]
    fn vectors_open_and_seal_to_the_same_bytes() {
        let all = vectors();
        let list = all["callback_vectors"].as_array().expect("a list");
        assert_eq!(list.len(), 14);
        for vector in list {
            let key = key_of(&all["configs"][text(vector, "config")]);
            let (timestamp, nonce) = (text(vector, "timestamp"), text(vector, "nonce"));
            let opened = key.open(text(vector, "msg_signature"), timestamp, nonce, text(vector, "encrypt"));
            assert_eq!(opened.as_deref(), Ok(text(vector, "plaintext")), "{}", vector["id"]);

            let random = text(vector, "random16").as_bytes().try_into().expect("16 characters");
            let sealed = key.seal(text(vector, "plaintext"), random, timestamp, nonce);
            assert_eq!(sealed.encrypt, text(vector, "encrypt"), "{}", vector["id"]);
            assert_eq!(sealed.msg_signature, text(vector, "msg_signature"), "{}", vector["id"]);
        }
    }

    #[test]
    fn signature_vectors_verify() {
        for vector in vectors()["signature_only"].as_array().expect("a list") {
            let key = CallbackKey::new(&Secret::new(text(vector, "token")), &Secret::new(AES_KEY), "")
                .expect("a key");
            let (timestamp, nonce, encrypt) =
                (text(vector, "timestamp"), text(vector, "nonce"), text(vector, "encrypt"));
            assert_eq!(key.verify(text(vector, "msg_signature"), timestamp, nonce, encrypt), Ok(()));
        }
    }

    #[test]
    fn each_signed_value_is_covered_by_the_signature() {
        let key = key("ww1");
        let sound = key.seal("hi", [1; 16], "1735689601", "n0nce");
        let tampered = [
            Sealed { msg_signature: sound.msg_signature.to_uppercase(), ..sound.clone() },
            Sealed { msg_signature: String::new(), ..sound.clone() },
            Sealed { timestamp: "1735689602".to_owned(), ..sound.clone() },
            Sealed { nonce: "n0nce ".to_owned(), ..sound.clone() },
            Sealed { encrypt: sound.encrypt.replacen(&sound.encrypt[..1], "/", 1), ..sound.clone() },
        ];
        assert_eq!(open(&key, &sound).as_deref(), Ok("hi"));
        for sealed in tampered {
            assert_eq!(open(&key, &sealed), Err(CryptoError::Signature), "{sealed:?}");
        }
    }

    #[test]
    fn damaged_layouts_are_refused_with_their_codes() {
        let key = key("ww1");
        let block = |last: [u8; 4]| [vec![9; 28], last.to_vec()].concat();
        let stated = |message_bytes: u32| {
            let mut blocks = [vec![1; 16], message_bytes.to_be_bytes().to_vec(), b"hiww1".to_vec()].concat();
            pad(&mut blocks);
            blocks
        };
        let cases = [
            (block([0, 0, 0, 0]), CryptoError::Padding { byte: 0 }),
            (block([33; 4]), CryptoError::Padding { byte: 33 }),
            (block([4, 3, 4, 4]), CryptoError::Padding { byte: 4 }),
            (vec![17; 16], CryptoError::Padding { byte: 17 }),
            (vec![16; 16], CryptoError::Truncated { bytes: 0, needed: 20 }),
            (stated(6), CryptoError::Truncated { bytes: 25, needed: 26 }),
            (stated(u32::MAX), CryptoError::Truncated { bytes: 25, needed: 4_294_967_315 }),
            (stated(5), CryptoError::ReceiveId { bytes: 0 }),
            (stated(1), CryptoError::ReceiveId { bytes: 4 }),
        ];
        for (blocks, expected) in cases {
            assert_eq!(open(&key, &sealed_blocks(&key, blocks)), Err(expected));
        }
        assert_eq!(open(&key, &sealed_blocks(&key, stated(2))).as_deref(), Ok("hi"));
    }

    #[test]
    fn an_empty_text_and_half_a_block_are_no_ciphertext() {
        let key = key("ww1");
        for (encrypt, bytes) in [("", 0), ("AAAAAAAAAAA=", 8)] {
            let signature = key.signature("1", "n", encrypt);
            assert_eq!(key.open(&signature, "1", "n", encrypt), Err(CryptoError::Ciphertext { bytes }));
        }
    }

    #[test]
    fn a_bot_without_receiver_id_refuses_a_message_for_an_app() {
        let sealed = key("ww1").seal("hi", [1; 16], "1", "n");
        assert_eq!(open(&key(""), &sealed), Err(CryptoError::ReceiveId { bytes: 3 }));
    }

    #[test]
    fn broken_text_is_refused_after_the_receiver_was_checked() {
        let key = key("ww1");
        // 你 cut after its second byte.
        let mut blocks =
            [vec![1; 16], 2_u32.to_be_bytes().to_vec(), vec![0xe4, 0xbd], b"ww1".to_vec()].concat();
        pad(&mut blocks);
        let error = open(&key, &sealed_blocks(&key, blocks)).expect_err("half a character");
        assert_eq!(error.code(), -40002);
    }

    #[test]
    fn another_key_opens_nothing_and_panics_nowhere() {
        let ours = key("ww1");
        let theirs =
            CallbackKey::new(&Secret::new("token"), &Secret::new("A".repeat(43)), "ww1").expect("a key");
        for random in 0..=255 {
            let error = open(&theirs, &ours.seal("你好", [random; 16], "1", "n")).expect_err("another key");
            assert!(matches!(error.code(), -40005 | -40007 | -40008), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", key("ww1")), "CallbackKey(***)");
    }

    /// Message lengths for which the padded text, 20 header bytes and 3 of `ww1` included, lies around a multiple of 32.
    fn lengths_around_blocks() -> impl Strategy<Value = usize> {
        (1_usize..6, 0_usize..5).prop_map(|(blocks, offset)| {
            (blocks * PAD_BLOCK_BYTES + offset).saturating_sub(HEADER_BYTES + 3 + 2)
        })
    }

    proptest! {
        #[test]
        fn sealed_messages_open(length in lengths_around_blocks(), random: [u8; 16], tail in r"\PC{0,8}") {
            let key = key("ww1");
            for plain in ["x".repeat(length), tail, String::new()] {
                let sealed = key.seal(&plain, random, "1735689603", "n0nce-3");
                prop_assert_eq!(STANDARD.decode(&sealed.encrypt).expect("base64").len() % PAD_BLOCK_BYTES, 0);
                prop_assert_eq!(open(&key, &sealed), Ok(plain));
            }
        }

        #[test]
        fn signed_rubbish_never_panics(rubbish: Vec<u8>, words in r"\PC{0,40}") {
            let key = key("ww1");
            for encrypt in [STANDARD.encode(&rubbish), words] {
                let signature = key.signature("1", "n", &encrypt);
                prop_assert!(key.open(&signature, "1", "n", &encrypt).is_err());
            }
            let whole_blocks = rubbish.len() / CIPHER_BLOCK_BYTES * CIPHER_BLOCK_BYTES;
            prop_assert!(open(&key, &sealed_blocks(&key, rubbish[..whole_blocks].to_vec())).is_err());
        }
    }
}
