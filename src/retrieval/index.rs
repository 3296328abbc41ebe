//! A tantivy index in memory over texts that are already cut into terms.
//!
//! Terms are handed over ready made (jieba stays ours and single); a query is a set of terms and never
//! parsed, so that no sign a customer types can be syntax.

use tantivy::DocAddress;
use tantivy::Index;
use tantivy::IndexReader;
use tantivy::ReloadPolicy;
use tantivy::TantivyDocument;
use tantivy::Term;
use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::BooleanQuery;
use tantivy::query::BoostQuery;
use tantivy::query::ConstScoreQuery;
use tantivy::query::Occur;
use tantivy::query::Query;
use tantivy::query::TermQuery;
use tantivy::schema::Field;
use tantivy::schema::IndexRecordOption;
use tantivy::schema::Schema;
use tantivy::schema::TextFieldIndexing;
use tantivy::schema::TextOptions;
use tantivy::tokenizer::PreTokenizedString;
use tantivy::tokenizer::Token;

use crate::retrieval::Score;

/// Memory for the writer; the index of a small bot takes a fraction of it.
const WRITER_BYTES: usize = 50_000_000;

/// The index could not be built.
#[derive(Debug, thiserror::Error)]
#[error("search index could not be built")]
pub struct IndexError(#[from] tantivy::TantivyError);

/// An index whose documents have a fixed number of fields, each a list of terms.
pub(super) struct TermIndex {
    fields: Vec<Field>,
    reader: IndexReader,
}

/// One term of a query.
#[derive(Debug)]
pub(super) struct QueryTerm<'t> {
    /// Which field, by its place in the list given to [`TermIndex::build`].
    pub(super) field: usize,
    /// The term.
    pub(super) term: &'t str,
    /// Factor on its BM25 score, above 0.
    pub(super) boost: f32,
}

impl TermIndex {
    /// Indexes documents.
    ///
    /// * `names`: of the fields.
    /// * `documents`: for each document its terms by field; the document's number is its place here.
    pub(super) fn build(
        names: &[&str],
        documents: impl Iterator<Item = Vec<Vec<String>>>,
    ) -> Result<Self, IndexError> {
        let mut schema = Schema::builder();
        let indexing =
            TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let fields: Vec<Field> =
            names.iter().map(|name| schema.add_text_field(name, options.clone())).collect();
        let mut writer = Index::builder()
            .schema(schema.build())
            .single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)?;
        for terms_by_field in documents {
            let mut document = TantivyDocument::default();
            for (field, terms) in fields.iter().zip(terms_by_field) {
                document.add_pre_tokenized_text(*field, pre_tokenised(terms));
            }
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { fields, reader })
    }

    /// The best documents for a set of terms, best first; equal scores in the order of the documents.
    ///
    /// * `must`: fields of which every document must hold at least one of the terms, without weight.
    /// * `should`: terms that add to the score; at least one has to occur unless `must` is given.
    pub(super) fn search(
        &self,
        must: &[(usize, Vec<&str>)],
        should: &[QueryTerm<'_>],
        documents_max: usize,
    ) -> Result<Vec<(usize, Score)>, IndexError> {
        let clauses: Vec<(Occur, Box<dyn Query>)> = must
            .iter()
            .map(|(field, terms)| {
                let any = terms.iter().map(|term| (Occur::Should, self.term_query(*field, term))).collect();
                let query = ConstScoreQuery::new(Box::new(BooleanQuery::new(any)), 0.0);
                (Occur::Must, Box::new(query) as Box<dyn Query>)
            })
            .chain(should.iter().map(|part| {
                let query: Box<dyn Query> =
                    Box::new(BoostQuery::new(self.term_query(part.field, part.term), part.boost));
                (Occur::Should, query)
            }))
            .collect();
        if clauses.is_empty() || documents_max == 0 {
            return Ok(Vec::new());
        }
        let found = self
            .reader
            .searcher()
            .search(&BooleanQuery::new(clauses), &TopDocs::with_limit(documents_max).order_by_score())?;
        Ok(found.into_iter().map(|(score, address)| (document_number(address), score)).collect())
    }

    fn term_query(&self, field: usize, term: &str) -> Box<dyn Query> {
        let term = Term::from_field_text(self.fields[field], term);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
    }
}

impl std::fmt::Debug for TermIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TermIndex")
            .field("documents", &self.reader.searcher().num_docs())
            .finish_non_exhaustive()
    }
}

/// The writer makes one segment and numbers its documents in the order in which they came.
fn document_number(address: DocAddress) -> usize {
    debug_assert_eq!(address.segment_ord, 0, "a single-segment index has one segment");
    address.doc_id as usize
}

fn pre_tokenised(terms: Vec<String>) -> PreTokenizedString {
    let tokens = terms
        .into_iter()
        .enumerate()
        .map(|(position, text)| Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 })
        .collect();
    PreTokenizedString { text: String::new(), tokens }
}
