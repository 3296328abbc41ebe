//! WeCom (企业微信): the callback of a self-built app, its own calls, 微信客服, and the callback of a 智能机器人.
//!
//! A POST goes through `envelope` (outer XML, not yet trusted), `crypto` (signature, AES), `message` (inner XML, typed)
//! and back through `passive` (reply XML), `crypto` and `envelope`; `aibot` has both ways in JSON. `kf` reads the messages
//! of customers, `active` writes what is sent by a call, `contact` writes and reads the calls of 客户联系. All of that is a
//! calculation: no network, no clock, no random numbers, no logging; the caller brings the 16 random bytes and the time.
//! `client` alone calls WeCom.

pub mod account;
pub mod active;
pub mod aibot;
pub mod change;
pub mod client;
pub mod contact;
pub mod crypto;
pub mod envelope;
pub mod event;
pub mod kf;
pub mod media;
pub mod message;
pub mod passive;
pub mod token;
mod xml;

pub use xml::XmlError;

/// The published and the made-up vectors of the callback crypto; `tests/data/wecom-vectors.json` says where each is from.
#[cfg(test)]
fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/data/wecom-vectors.json"))
        .expect("the vectors are JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::channel::wecom::crypto::CallbackKey;
    use crate::channel::wecom::crypto::CryptoError;
    use crate::channel::wecom::envelope::Envelope;
    use crate::channel::wecom::envelope::reply_xml;
    use crate::channel::wecom::message::Body;
    use crate::channel::wecom::message::CallbackMessage;
    use crate::channel::wecom::passive::Passive;
    use crate::channel::wecom::vectors;
    use crate::message::Content;
    use crate::secret::Secret;

    fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
        vector[name].as_str().unwrap_or_else(|| panic!("{name} of {vector}"))
    }

    fn key(all: &Value, vector: &Value) -> CallbackKey {
        let config = &all["configs"][text(vector, "config")];
        CallbackKey::new(
            &Secret::new(text(config, "token")),
            &Secret::new(text(config, "encoding_aes_key")),
            text(config, "receive_id"),
        )
        .expect("the configuration of a vector is sound")
    }

    fn open(key: &CallbackKey, vector: &Value, encrypt: &str) -> Result<String, CryptoError> {
        key.open(text(vector, "msg_signature"), text(vector, "timestamp"), text(vector, "nonce"), encrypt)
    }

    #[test]
    fn every_post_body_of_the_vectors_opens() {
        let all = vectors();
        let mut n_bodies = 0;
        for vector in all["callback_vectors"].as_array().expect("a list") {
            let Some(body) = vector["post_body"].as_str() else {
                continue;
            };
            let envelope = Envelope::parse(body.as_bytes()).expect("a sound envelope");
            assert_eq!(envelope.encrypt, text(vector, "encrypt"));
            let plaintext = open(&key(&all, vector), vector, &envelope.encrypt).expect("a sound message");
            assert_eq!(plaintext, text(vector, "plaintext"));
            n_bodies += 1;
        }
        assert_eq!(n_bodies, 5);
    }

    #[test]
    fn every_negative_vector_is_refused_with_its_code() {
        let all = vectors();
        let negatives = all["negative_vectors"].as_array().expect("a list");
        assert_eq!(negatives.len(), 12);
        for vector in negatives {
            let code = match open(&key(&all, vector), vector, text(vector, "encrypt")) {
                Err(error) => error.code(),
                Ok(plaintext) => match CallbackMessage::parse(&plaintext) {
                    Err(error) => error.code(),
                    Ok(message) => panic!("{} was read as {message:?}", vector["id"]),
                },
            };
            assert_eq!(i64::from(code), vector["expect_error"].as_i64().expect("a code"), "{}", vector["id"]);
        }
    }

    #[test]
    fn the_passive_reply_of_vector_d4_is_byte_identical() {
        let all = vectors();
        let vector =
            all["callback_vectors"].as_array().expect("a list").iter().find(|vector| vector["id"] == "D4");
        let vector = vector.expect("D4 is in the file");
        let plain =
            Passive::Text("您好,已收到".to_owned()).to_xml("user01", "wwfac7test00000001", 1_735_689_603);
        assert_eq!(plain, text(vector, "plaintext"));

        let random = *b"AAAABBBBCCCCDDDD";
        let sealed = key(&all, vector).seal(&plain, random, text(vector, "timestamp"), text(vector, "nonce"));
        assert_eq!(reply_xml(&sealed), text(vector, "response_body"));
    }

    #[test]
    fn the_vectors_read_as_the_messages_they_are() {
        let all = vectors();
        let message = |id: &str| {
            let found =
                all["callback_vectors"].as_array().expect("a list").iter().find(|vector| vector["id"] == id);
            let plaintext = text(found.expect("the id is in the file"), "plaintext");
            CallbackMessage::parse(plaintext).expect("sound XML")
        };

        let a2 = message("A2");
        assert_eq!(
            (a2.msg_id, a2.agent_id, a2.created_at),
            (Some(4_561_255_354_251_345_929), Some(218), 1_409_659_813)
        );
        assert_eq!(a2.content(), Some(Content::Text("hello".to_owned())));
        assert_eq!(message("D2").content(), Some(Content::Text("怎么退货?😀 a<b & c".to_owned())));
        assert_eq!(message("D3").content(), None, "a wake-up of 微信客服 says nothing to answer");
        assert_eq!(
            message("C1").body,
            Body::Text { content: "abc".to_owned() },
            "control characters are dropped"
        );
    }
}
