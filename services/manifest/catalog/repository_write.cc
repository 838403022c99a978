#include "services/manifest/catalog/repository_write.h"

#include <optional>

#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/repository_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::RepositoryRecord;

absl::Status CheckWritable(const Caller& caller, const RepositoryName& repository, RepositoryWrite::Kind kind,
                           const std::optional<RepositoryRecord>& record) {
  if (kind == RepositoryWrite::Kind::kRemoval) return CheckVisible(caller, repository, record);
  RETURN_IF_ERROR(CheckToken(caller, repository, record));
  return record.has_value() && record->emptying() ? BeingDeleted(repository) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<RepositoryWrite> RepositoryWrite::Plan(kv::KvReader& kv, const Caller& caller,
                                                      const RepositoryName& repository, Kind kind,
                                                      CatalogLocks* locks) {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, repository));
  RETURN_IF_ERROR(CheckWritable(caller, repository, kind, record));
  const bool makes_it = kind == Kind::kPush && !RepositoryExists(record);
  locks->Repository(repository, makes_it ? LockMode::kExclusive : LockMode::kShared);
  return RepositoryWrite(&caller, repository, kind, !makes_it);
}

absl::Status RepositoryWrite::Enter(kv::KvReader& transaction) const {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(transaction, repository_));
  RETURN_IF_ERROR(CheckWritable(*caller_, repository_, kind_, record));
  const bool gone_since = kind_ == Kind::kPush && exists_ && !RepositoryExists(record);
  return gone_since ? BeingDeleted(repository_) : absl::OkStatus();
}

absl::Status RepositoryWrite::EnsureExists(kv::KvTransaction& transaction, absl::Time now) const {
  if (exists_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> before, ReadRepository(transaction, repository_));
  if (RepositoryExists(before)) return absl::OkStatus();
  RepositoryRecord record = before.value_or(RepositoryRecord());
  *record.mutable_created_at() = ToTimestamp(now);
  record.set_deleted(false);
  kv::WriteRecord(transaction, keys::Repository(repository_), record);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
