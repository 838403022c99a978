#include "services/manifest/catalog/catalog_listing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/repository_listing.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/policy/repository_pattern.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ReferrerRecord;

size_t Clamp(size_t limit) { return std::clamp<size_t>(limit, 1, CatalogListing::kEntriesMax); }

// The remainders after `prefix` of the keys after `last`: up to `limit` + 1 of them.
absl::StatusOr<std::vector<std::string>> ScanNames(kv::KvReader& kv, const std::string& prefix, size_t limit,
                                                   absl::string_view last) {
  ASSIGN_OR_RETURN(
      const std::vector<kv::KeyValue> found,
      kv.Scan({.prefix = prefix, .start_after = last.empty() ? "" : absl::StrCat(prefix, last), .limit = limit + 1}));
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const kv::KeyValue& entry : found) names.push_back(entry.key.substr(prefix.size()));
  return names;
}

bool CutOffAt(size_t limit, std::vector<std::string>* names) {
  if (names->size() <= limit) return false;
  names->resize(limit);
  return true;
}

Referrer ToReferrer(const Digest& digest, ReferrerRecord&& record) {
  Referrer referrer{.digest = digest,
                    .media_type = std::move(*record.mutable_media_type()),
                    .size_bytes = record.size_bytes(),
                    .artifact_type = std::move(*record.mutable_artifact_type()),
                    .annotations = {}};
  referrer.annotations.insert(record.annotations().begin(), record.annotations().end());
  return referrer;
}

// What remains of the bounds of one page of referrers.
class PageBudget {
 public:
  explicit PageBudget(size_t limit) : entries_left_(limit) {}

  bool Spent() const { return entries_left_ == 0 || reads_left_ == 0 || bytes_left_ <= 0; }
  void CountRead() { --reads_left_; }
  void CountEntry(size_t bytes) {
    --entries_left_;
    bytes_left_ -= static_cast<int64_t>(bytes);
  }

 private:
  size_t entries_left_;
  size_t reads_left_ = CatalogListing::kReferrersReadMax;
  int64_t bytes_left_ = CatalogListing::kReferrerBytesMax;
};

}  // namespace

absl::StatusOr<TagPage> CatalogListing::Tags(const Caller& caller, const RepositoryName& repository, size_t limit,
                                             absl::string_view last) {
  limit = Clamp(limit);
  TagPage page;
  ASSIGN_OR_RETURN(page.tags, ScanNames(*kv_, keys::TagsOf(repository), limit, last));
  RETURN_IF_ERROR(reads_->Check(caller, repository));
  page.more = CutOffAt(limit, &page.tags);
  if (!page.tags.empty()) return page;
  ASSIGN_OR_RETURN(const auto record, ReadRepository(*kv_, repository));
  if (RepositoryExists(record)) return page;
  return UnknownRepository(repository);
}

absl::StatusOr<RepositoryPage> CatalogListing::Repositories(size_t limit, absl::string_view last,
                                                            const std::vector<std::string>& patterns) {
  std::vector<policy::RepositoryPattern> parsed;
  for (const std::string& pattern : patterns) {
    ASSIGN_OR_RETURN(policy::RepositoryPattern one, policy::RepositoryPattern::Parse(pattern));
    parsed.push_back(std::move(one));
  }
  return RepositoryListing(kv_, &parsed, Clamp(limit), last).Read();
}

absl::StatusOr<ReferrerPage> CatalogListing::Referrers(const Caller& caller, const RepositoryName& repository,
                                                       const Digest& subject, absl::string_view artifact_type,
                                                       size_t limit, absl::string_view last) {
  ASSIGN_OR_RETURN(ReferrerPage page, ReadReferrers(repository, subject, artifact_type, limit, last));
  RETURN_IF_ERROR(reads_->Check(caller, repository));
  return page;
}

absl::StatusOr<ReferrerPage> CatalogListing::ReadReferrers(const RepositoryName& repository, const Digest& subject,
                                                           absl::string_view artifact_type, size_t limit,
                                                           absl::string_view last) {
  const std::string prefix = keys::ReferrersOf(repository, subject);
  RecordCursor cursor(kv_, prefix, last.empty() ? "" : absl::StrCat(prefix, last));
  PageBudget budget(Clamp(limit));
  ReferrerPage page;
  std::optional<Digest> read_last;
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return page;
    if (budget.Spent()) {
      page.next = std::move(read_last);
      return page;
    }
    ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
    ASSIGN_OR_RETURN(ReferrerRecord record, kv::ParseRecord<ReferrerRecord>(entry->key, entry->value));
    budget.CountRead();
    read_last = *std::move(key.manifest);
    if (!artifact_type.empty() && record.artifact_type() != artifact_type) continue;
    budget.CountEntry(entry->value.size());
    page.referrers.push_back(ToReferrer(*read_last, std::move(record)));
  }
}

}  // namespace entrepot::manifest
