//! Which of a buyer's orders somebody asks for.

use jiff::Timestamp;

use crate::simulate::shop::order::Line;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::order::Status;

/// What an order must have; `None` asks for nothing.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) order_no: Option<String>,
    /// Part of a title or a category.
    pub(super) goods: Option<String>,
    /// 黑 finds 黑色, and 黑色的 does too.
    pub(super) color: Option<String>,
    /// Paid then or later.
    pub(super) from: Option<Timestamp>,
    /// Paid before then.
    pub(super) until: Option<Timestamp>,
    pub(super) status: Option<Status>,
}

impl Filter {
    /// The first line of the order that fits, if the order does.
    pub(super) fn hit<'o>(&self, order: &'o Order) -> Option<&'o Line> {
        let fits = self.order_no.as_ref().is_none_or(|wanted| order.order_no == *wanted)
            && self.from.is_none_or(|from| order.paid_at >= from)
            && self.until.is_none_or(|until| order.paid_at < until)
            && self.status.is_none_or(|status| order.status == status);
        if fits { order.lines.iter().find(|line| self.fits_line(line)) } else { None }
    }

    fn fits_line(&self, line: &Line) -> bool {
        let goods = self.goods.as_ref().is_none_or(|wanted| {
            let wanted = wanted.to_lowercase();
            [line.goods.title, line.goods.category].iter().any(|name| name.to_lowercase().contains(&wanted))
        });
        let color = self
            .color
            .as_ref()
            .is_none_or(|wanted| line.color.contains(wanted.as_str()) || wanted.contains(line.color));
        goods && color
    }
}
