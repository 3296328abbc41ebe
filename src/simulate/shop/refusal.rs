//! What the shop says no to, each with its number; the text goes to whoever asked, so it is Chinese.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not a request this interface knows; carries what is wrong with it.
    #[error("请求格式不对：{0}")]
    Malformed(String),
    #[error("没有这个地址")]
    NoSuchPath,
    #[error("请求超过 64 KiB")]
    TooLarge,
    #[error("签名不对或已过期")]
    Signature,
    #[error("这个 webhook-id 已经用于另一个请求")]
    KeyReused,
    #[error("没有这个订单")]
    NoOrder,
    #[error("订单里没有这件商品")]
    NoLine,
    #[error("没有这个运单")]
    NoParcel,
    #[error("还没有签收，不能申请售后")]
    NotSigned,
    #[error("签收已超过30天，不能申请售后")]
    TooLate,
    #[error("这件商品已经申请过售后")]
    AlreadyReturned,
    #[error("已发货，改不了地址")]
    AddressAfterShipping,
    #[error("订单已取消，改不了地址")]
    AddressOfCancelled,
    #[error("已发货，不能取消；收到后可以申请退货")]
    CancelAfterShipping,
    #[error("订单已经取消过了")]
    CancelledBefore,
    #[error("已发货，不用再催")]
    UrgeAfterShipping,
    #[error("订单已取消，不会再发货")]
    UrgeOfCancelled,
    #[error("这个订单已经开过发票")]
    InvoicedBefore,
    #[error("订单已取消，不能开发票")]
    InvoiceOfCancelled,
}

impl Refusal {
    /// The number a client tells refusals apart by.
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Malformed(_) => 4000,
            Self::Signature => 4010,
            Self::NoSuchPath => 4040,
            Self::NoOrder => 4041,
            Self::NoLine => 4042,
            Self::NoParcel => 4043,
            Self::KeyReused => 4090,
            Self::NotSigned => 4101,
            Self::TooLate => 4102,
            Self::AlreadyReturned => 4103,
            Self::TooLarge => 4130,
            Self::AddressAfterShipping => 4201,
            Self::AddressOfCancelled => 4202,
            Self::CancelAfterShipping => 4301,
            Self::CancelledBefore => 4302,
            Self::UrgeAfterShipping => 4401,
            Self::UrgeOfCancelled => 4402,
            Self::InvoicedBefore => 4501,
            Self::InvoiceOfCancelled => 4502,
        }
    }

    /// 200 for what the shop's rules forbid, as its real kin do; an error for what is no proper request.
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Signature => StatusCode::UNAUTHORIZED,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::KeyReused => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoOrder
            | Self::NoLine
            | Self::NoParcel
            | Self::NotSigned
            | Self::TooLate
            | Self::AlreadyReturned
            | Self::AddressAfterShipping
            | Self::AddressOfCancelled
            | Self::CancelAfterShipping
            | Self::CancelledBefore
            | Self::UrgeAfterShipping
            | Self::UrgeOfCancelled
            | Self::InvoicedBefore
            | Self::InvoiceOfCancelled => StatusCode::OK,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "code": self.code(), "msg": self.to_string() }))).into_response()
    }
}
