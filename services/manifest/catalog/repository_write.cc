#include "services/manifest/catalog/repository_write.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/repository_record.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::RepositoryRecord;

// Hosted content never mixes with a cache's: in a cache everything may be absent, and all of it can be fetched again.
absl::Status CheckOrigin(const RepositoryName& repository, const std::optional<RepositoryRecord>& record,
                         absl::string_view cache_of) {
  if (!RepositoryExists(record) || record->cache_of() == cache_of) return absl::OkStatus();
  if (cache_of.empty()) {
    return OciError(OciErrorCode::kUnsupported, absl::StrCat(repository.ToString(), " is a cache of ",
                                                             record->cache_of(), ": nothing can be pushed to it"));
  }
  if (record->cache_of().empty()) {
    return OciError(OciErrorCode::kPreconditionFailed,
                    absl::StrCat(repository.ToString(), " was pushed to this registry, so it cannot cache ", cache_of,
                                 ": delete it, or give the upstream another name"));
  }
  return OciError(OciErrorCode::kPreconditionFailed,
                  absl::StrCat(repository.ToString(), " is a cache of ", record->cache_of(), ", not of ", cache_of));
}

// A cache is named after its upstream. Another name would be a repository that clients can push to.
absl::Status CheckCacheName(const RepositoryName& repository, absl::string_view cache_of) {
  absl::string_view name = repository.ToString();
  if (cache_of.empty() || (absl::ConsumePrefix(&name, cache_of) && absl::StartsWith(name, "/"))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(repository.ToString(), " is not the name of a cache of ", cache_of,
                                                 ": it must begin with ", cache_of, "/"));
}

absl::Status CheckWritable(const Caller& caller, const RepositoryName& repository, RepositoryWrite::Kind kind,
                           const std::optional<RepositoryRecord>& record, absl::string_view cache_of) {
  if (kind == RepositoryWrite::Kind::kRemoval) return CheckVisible(caller, repository, record);
  RETURN_IF_ERROR(CheckToken(caller, repository, record));
  RETURN_IF_ERROR(CheckOrigin(repository, record, cache_of));
  return record.has_value() && record->emptying() ? BeingDeleted(repository) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<RepositoryWrite> RepositoryWrite::Plan(kv::KvReader& kv, const Caller& caller,
                                                      const RepositoryName& repository, Kind kind, CatalogLocks* locks,
                                                      absl::string_view cache_of) {
  RETURN_IF_ERROR(CheckCacheName(repository, cache_of));
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, repository));
  RETURN_IF_ERROR(CheckWritable(caller, repository, kind, record, cache_of));
  const bool makes_it = kind == Kind::kPush && !RepositoryExists(record);
  locks->Repository(repository, makes_it ? LockMode::kExclusive : LockMode::kShared);
  return RepositoryWrite(&caller, repository, kind, cache_of, !makes_it);
}

absl::Status RepositoryWrite::Enter(kv::KvReader& transaction) const {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(transaction, repository_));
  RETURN_IF_ERROR(CheckWritable(*caller_, repository_, kind_, record, cache_of_));
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
  record.set_cache_of(cache_of_);
  kv::WriteRecord(transaction, keys::Repository(repository_), record);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
