#include "services/manifest/catalog/repository_reads.h"

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::RepositoryRecord;

absl::Status RepositoryReads::Recover() {
  if (shared_) return absl::OkStatus();
  RecordCursor cursor(kv_, keys::Repositories(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    const auto record = kv::ParseRecord<RepositoryRecord>(entry->key, entry->value);
    if (record.ok() && record->emptying()) DeletionBegins();
    if (record.ok() && record->has_deleted_at()) deleted_any_ = true;
  }
}

absl::Status RepositoryReads::Check(const Caller& caller, const RepositoryName& repository) const {
  if (!MustAsk(caller)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(*kv_, repository));
  return CheckVisible(caller, repository, record);
}

absl::Status RepositoryReads::CheckValue(const Caller& caller, const RepositoryName& repository,
                                         const std::optional<std::string>& value) {
  if (!value.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RepositoryRecord record,
                   kv::ParseRecord<RepositoryRecord>(keys::Repository(repository), *value));
  return CheckVisible(caller, repository, record);
}

}  // namespace entrepot::manifest
