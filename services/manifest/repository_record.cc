#include "services/manifest/repository_record.h"

#include <optional>
#include <string>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/metadata_keys.h"
#include "services/manifest/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<bool> RepositoryExists(kv::KvReader& kv, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::optional<std::string> record, kv.Get(keys::Repository(repository)));
  return record.has_value();
}

absl::StatusOr<RepositoryCreation> RepositoryCreation::Plan(kv::KvReader& kv, const RepositoryName& repository,
                                                            CatalogLocks* locks) {
  ASSIGN_OR_RETURN(const bool exists, RepositoryExists(kv, repository));
  if (!exists) locks->Repository(repository, kv::LockMode::kExclusive);
  return RepositoryCreation(repository, exists);
}

absl::Status RepositoryCreation::Apply(kv::KvTransaction& transaction, absl::Time now) const {
  if (exists_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool made_since, RepositoryExists(transaction, repository_));
  if (made_since) return absl::OkStatus();
  storage::v1::RepositoryRecord record;
  *record.mutable_created_at() = ToTimestamp(now);
  WriteRecord(transaction, keys::Repository(repository_), record);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
