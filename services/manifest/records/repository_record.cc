#include "services/manifest/records/repository_record.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/oci_error.h"

namespace entrepot::manifest {
namespace {

using storage::v1::RepositoryRecord;

constexpr char kBeingDeletedUrl[] = "entrepot/repository-being-deleted";

}  // namespace

absl::StatusOr<std::optional<RepositoryRecord>> ReadRepository(kv::KvReader& kv, const RepositoryName& repository) {
  return kv::ReadRecord<RepositoryRecord>(kv, keys::Repository(repository));
}

bool RepositoryExists(const std::optional<RepositoryRecord>& record) {
  return record.has_value() && !record->deleted();
}

absl::Status CheckToken(const Caller& caller, const RepositoryName& repository,
                        const std::optional<RepositoryRecord>& record) {
  if (!record.has_value() || !record->has_deleted_at()) return absl::OkStatus();
  if (caller.token_issued_at > FromTimestamp(record->deleted_at())) return absl::OkStatus();
  return OciError(OciErrorCode::kUnauthorized,
                  "this token was issued before the repository was deleted; ask for a new one", repository.ToString());
}

absl::Status CheckVisible(const Caller& caller, const RepositoryName& repository,
                          const std::optional<RepositoryRecord>& record) {
  RETURN_IF_ERROR(CheckToken(caller, repository, record));
  return record.has_value() && record->deleted() ? UnknownRepository(repository) : absl::OkStatus();
}

absl::Status UnknownRepository(const RepositoryName& repository) {
  return OciError(OciErrorCode::kNameUnknown, "no such repository", repository.ToString());
}

absl::Status BeingDeleted(const RepositoryName& repository) {
  const std::string reason = absl::StrCat(repository.ToString(), " is being deleted; try again in a moment");
  absl::Status status = OciError(OciErrorCode::kUnavailable, reason, reason);
  status.SetPayload(kBeingDeletedUrl, absl::Cord());
  return status;
}

bool IsBeingDeleted(const absl::Status& status) { return status.GetPayload(kBeingDeletedUrl).has_value(); }

}  // namespace entrepot::manifest
