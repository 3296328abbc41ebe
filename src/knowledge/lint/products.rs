//! The catalogue: ids, variants, prices, pictures.

use crate::knowledge::Knowledge;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder::file_below;
use crate::knowledge::lint::attachments::path_finding;
use crate::knowledge::lint::duplicate_ids;
use crate::knowledge::near::suggestion;
use crate::knowledge::product::Product;
use crate::knowledge::shown;

pub(super) fn findings(knowledge: &Knowledge) -> Vec<Finding> {
    let ids = knowledge.products.iter().map(|product| (product.id.as_str(), product.source.clone()));
    let mut findings = duplicate_ids(ids);
    for product in &knowledge.products {
        findings.extend(variants(product));
        if product.price_fen == 0 {
            let message = format!("“{}”的价格是 0。", shown(&product.name));
            findings.push(Finding::warning(
                "price-zero",
                product.source.clone(),
                message,
                "填上价格；真的免费就不用管。",
            ));
        }
        findings.extend(picture(knowledge, product));
    }
    findings
}

fn variants(product: &Product) -> Vec<Finding> {
    let mut findings = Vec::new();
    for variant in &product.sold_out {
        for (what, name, known) in
            [("颜色", &variant.colour, &product.colours), ("尺码", &variant.size, &product.sizes)]
        {
            if !name.is_empty() && !known.contains(name) {
                let message =
                    format!("缺货里的{what}“{}”不在“{}”的{what}里。", shown(name), shown(&product.name));
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                findings.push(Finding::error(
                    "unknown-variant",
                    product.source.clone(),
                    message,
                    &suggestion(name, &known),
                ));
            }
        }
    }
    findings
}

fn picture(knowledge: &Knowledge, product: &Product) -> Option<Finding> {
    let path = product.picture.as_deref()?;
    let error = file_below(&knowledge.dir, path).err()?;
    if error.is_missing() {
        // The answer goes out all the same, only without its picture.
        let message = format!("图片“{}”不存在。", shown(path));
        return Some(Finding::warning(
            "picture-missing",
            product.source.clone(),
            message,
            "把图片放进去，或者改正文件名。",
        ));
    }
    Some(path_finding(product.source.clone(), path, &error))
}
