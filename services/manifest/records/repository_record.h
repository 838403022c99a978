#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/caller.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

// A repository's own record. A deleted repository keeps its record, because tokens that were issued before the deletion
// must not give access to a repository that is made under the same name later.
namespace entrepot::manifest {

absl::StatusOr<std::optional<storage::v1::RepositoryRecord>> ReadRepository(kv::KvReader& kv,
                                                                            const RepositoryName& repository);

// Whether the repository exists: something was pushed to it since its last deletion, if there was one.
bool RepositoryExists(const std::optional<storage::v1::RepositoryRecord>& record);

// UNAUTHORIZED if the caller's token was issued before the last deletion of the repository.
absl::Status CheckToken(const Caller& caller, const RepositoryName& repository,
                        const std::optional<storage::v1::RepositoryRecord>& record);
// Like CheckToken(), and NAME_UNKNOWN if the repository is deleted. A repository that never existed is not an error.
absl::Status CheckVisible(const Caller& caller, const RepositoryName& repository,
                          const std::optional<storage::v1::RepositoryRecord>& record);

// The error NAME_UNKNOWN.
absl::Status UnknownRepository(const RepositoryName& repository);

// The error UNAVAILABLE: the repository is being deleted, or its deletion was interrupted by the end of a process.
absl::Status BeingDeleted(const RepositoryName& repository);
bool IsBeingDeleted(const absl::Status& status);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_
