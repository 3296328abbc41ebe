//! Customers who are handed from one member to another.

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact::LimitError;
use crate::channel::wecom::contact::customer::text;
use crate::channel::wecom::contact::limit;

/// Customers of one call.
const CUSTOMERS_MAX: usize = 100;

/// A handing over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// UserID of who has them.
    pub from: String,
    /// UserID of who gets them.
    pub to: String,
    /// The customers, 1 to 100.
    pub customers: Vec<String>,
    /// What the customers are told, at most 200 characters; none for those of a member who has left.
    pub message: Option<String>,
    /// Whether the member who has them has left the company.
    pub resigned: bool,
}

impl Transfer {
    /// Path and body of the call that begins it.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn call(&self) -> Result<(&'static str, Value), LimitError> {
        limit::user_id(&self.from)?;
        limit::user_id(&self.to)?;
        if self.from.eq_ignore_ascii_case(&self.to) {
            return Err(LimitError::Together("原来的员工和接手的员工是同一个人"));
        }
        limit::items("要转的客户", self.customers.len(), 1, CUSTOMERS_MAX)?;
        for customer in &self.customers {
            limit::id("客户的 external_userid ", customer)?;
        }
        let mut body = json!({
            "handover_userid": self.from, "takeover_userid": self.to, "external_userid": self.customers,
        });
        if let Some(message) = &self.message {
            if self.resigned {
                return Err(LimitError::Together("离职员工的客户转接不能带提示语"));
            }
            limit::chars("转接提示语", message, 1, 200)?;
            body["transfer_success_msg"] = json!(message);
        }
        let path = if self.resigned {
            "externalcontact/resigned/transfer_customer"
        } else {
            "externalcontact/transfer_customer"
        };
        Ok((path, body))
    }
}

/// How it stands with one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// The customer.
    pub external_user_id: String,
    /// `errcode` of a beginning, `status` of a result.
    pub code: i64,
    /// When the other member took them over, unix seconds; 0 until then.
    pub taken_at: i64,
}

/// Reads the customers of a beginning or of a result.
///
/// * `key`: `errcode` or `status`.
#[must_use]
pub fn transferred(answer: &Value, key: &str) -> Vec<Transferred> {
    let customers = answer["customer"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |customer: &Value| {
        Some(Transferred {
            external_user_id: text(&customer["external_userid"])?,
            code: customer[key].as_i64().unwrap_or_default(),
            taken_at: customer["takeover_time"].as_i64().unwrap_or_default(),
        })
    };
    customers.iter().filter_map(read).collect()
}

/// The `status` of a result, in words.
#[must_use]
pub fn fate(status: i64) -> &'static str {
    match status {
        1 => "已转接",
        2 => "等待生效（24 小时内客户可以拒绝）",
        3 => "客户拒绝",
        4 => "接手的员工客户已满",
        5 => "没有转接记录",
        _ => "未知状态",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer() -> Transfer {
        Transfer {
            from: "user01".to_owned(),
            to: "user02".to_owned(),
            customers: vec!["wm1".to_owned()],
            message: Some("以后由小李为您服务".to_owned()),
            resigned: false,
        }
    }

    #[test]
    fn a_transfer_is_one_call_within_its_limits() {
        let body = json!({
            "handover_userid": "user01", "takeover_userid": "user02", "external_userid": ["wm1"],
            "transfer_success_msg": "以后由小李为您服务",
        });
        assert_eq!(transfer().call(), Ok(("externalcontact/transfer_customer", body)));
        let many = |n: usize| Transfer { customers: vec!["wm1".to_owned(); n], ..transfer() };
        assert!(many(100).call().is_ok() && many(101).call().is_err() && many(0).call().is_err());
        let words = |n: usize| Transfer { message: Some("好".repeat(n)), ..transfer() };
        assert!(words(200).call().is_ok() && words(201).call().is_err());
        assert!(Transfer { to: "USER01".to_owned(), ..transfer() }.call().is_err());
        assert!(Transfer { resigned: true, ..transfer() }.call().is_err());
        let gone = Transfer { resigned: true, message: None, ..transfer() };
        assert_eq!(gone.call().unwrap().0, "externalcontact/resigned/transfer_customer");
    }

    #[test]
    fn results_are_read() {
        let answer = json!({ "customer": [
            { "external_userid": "wm1", "status": 1, "takeover_time": 1_735_689_600 },
            { "external_userid": "wm2", "status": 2 }, { "status": 3 } ] });
        let read = transferred(&answer, "status");
        let told: Vec<_> =
            read.iter().map(|one| (one.external_user_id.as_str(), one.code, one.taken_at)).collect();
        assert_eq!(told, [("wm1", 1, 1_735_689_600), ("wm2", 2, 0)]);
        assert_eq!(fate(read[0].code), "已转接");
    }
}
