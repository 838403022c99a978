#include "services/manifest/records/link_record.h"

#include <optional>
#include <string>
#include <vector>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<bool> HasLink(kv::KvReader& kv, const Digest& digest, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::optional<std::string> link, kv.Get(keys::Link(digest, repository)));
  return link.has_value();
}

absl::StatusOr<bool> HasAnyLink(kv::KvReader& kv, const Digest& digest) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> links,
                   kv.Scan({.prefix = keys::LinksOf(digest), .start_after = "", .limit = 1}));
  return !links.empty();
}

absl::Status EnsureLink(kv::KvTransaction& transaction, const Digest& digest, const RepositoryName& repository,
                        absl::Time now) {
  ASSIGN_OR_RETURN(const bool there, HasLink(transaction, digest, repository));
  if (there) return absl::OkStatus();
  storage::v1::LinkRecord link;
  *link.mutable_linked_at() = ToTimestamp(now);
  WriteRecord(transaction, keys::Link(digest, repository), link);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
