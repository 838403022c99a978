#include "services/manifest/catalog/repository_listing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<RepositoryPage> RepositoryListing::Read() && {
  for (const RepositoryRange& range : RangesOf(patterns_)) {
    RETURN_IF_ERROR(range.is_prefix ? ReadAllBelow(range.text) : ReadName(range.text));
    if (page_.more) break;
  }
  return std::move(page_);
}

absl::Status RepositoryListing::ReadName(const std::string& name) {
  if (name <= last_) return absl::OkStatus();
  kv::KeyValue entry{.key = absl::StrCat(keys::Repositories(), name), .value = ""};
  ASSIGN_OR_RETURN(std::optional<std::string> value, kv_.Get(entry.key));
  if (!value.has_value()) return absl::OkStatus();
  entry.value = *std::move(value);
  return Take(name, entry).status();
}

absl::Status RepositoryListing::ReadAllBelow(const std::string& prefix) {
  const bool begun = absl::StartsWith(last_, prefix);
  if (!begun && prefix < last_) return absl::OkStatus();
  const std::string repositories = keys::Repositories();
  RecordCursor cursor(&kv_, absl::StrCat(repositories, prefix), begun ? absl::StrCat(repositories, last_) : "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool go_on, Take(absl::string_view(entry->key).substr(repositories.size()), *entry));
    if (!go_on) return absl::OkStatus();
  }
}

absl::StatusOr<bool> RepositoryListing::Take(absl::string_view name, const kv::KeyValue& entry) {
  const bool wanted = std::any_of(patterns_.begin(), patterns_.end(),
                                  [&](const policy::RepositoryPattern& pattern) { return pattern.Matches(name); });
  if (!wanted) return true;
  ASSIGN_OR_RETURN(const auto record, kv::ParseRecord<storage::v1::RepositoryRecord>(entry.key, entry.value));
  if (record.deleted()) return true;
  page_.more = page_.repositories.size() == limit_;
  if (!page_.more) page_.repositories.emplace_back(name);
  return !page_.more;
}

}  // namespace entrepot::manifest
